import type {
  Certificate,
  CertificateFacts,
  CertificateNews,
  CertificateSource,
  CertificateStatus,
  EdgeListener,
  TicketKeysView,
} from '../../model/certificates.ts';
import type { ListenSettings } from '../../model/settings.ts';
import type { SharedProof, SharedSecrets } from '../../model/shared-secrets.ts';
import type { AcmeSettings } from '../../model/tls-settings.ts';
import { atMost } from '../../util/at-most.ts';
import { type Clock, sleep, type Timer } from '../../util/clock.ts';
import { inTurns } from '../../util/in-turns.ts';
import { areFor } from '../certificate-names.ts';
import type { Issuer, Proof } from './issuer.ts';
import { leftovers } from './leftovers.ts';
import { ManagedCertificate, type OrderWay, whyNotKept } from './managed-certificate.ts';
import { openIssuer } from './open-issuer.ts';
import { LocalFiles, type OrderFiles, SharedOrderFiles } from './order-files.ts';
import { fileStatus, orderStatus } from './order-status.ts';
import { ShownProofs } from './shown-proofs.ts';
import { CertificateStore } from './store.ts';

/** Orders that have a step under way at once: an authority counts requests, and each is a connection. */
const STEPS_AT_ONCE = 4;
/** How soon it is looked again whether this process may act, ms. */
const RIGHT_AGAIN_MS = 200;
/** How often what nobody needs any more is looked for, ms. */
const TIDY_EVERY_MS = 24 * 3_600_000;

export interface AcmeSourceOptions {
  /** Where certificates come from that are not ordered; they are preferred. */
  files: CertificateSource;
  /** Where ordered ones and accounts are kept. */
  folder: string;
  /** What it has in common with the other members of a cluster, whose leader alone orders; undefined: it is in none. */
  shared?: SharedSecrets | undefined;
  clock: Clock;
  tell: (news: CertificateNews) => void;
  warn: (message: string) => void;
  /** Has every edge serve what `renew` returns; resolves when all of them do. */
  apply: () => Promise<void>;
  random?: () => number;
}

/** One host's certificate from one authority, and how it is ordered. */
interface Wanted {
  managed: ManagedCertificate;
  settings: AcmeSettings;
}

/**
 * Certificates from files, and for hosts that none of those is for, from authorities: one for each host, so that one
 * that cannot be had keeps no other from being renewed. Listeners with the same host and authority share it.
 */
export class AcmeSource implements CertificateSource {
  readonly #options: AcmeSourceOptions;
  readonly #turn = atMost(STEPS_AT_ONCE);
  /** By authority and host. */
  #wanted = new Map<string, Wanted>();
  /** What the listeners that were equipped last want. */
  #prepared = new Map<string, Wanted>();
  readonly #issuers = new Map<string, Promise<Issuer>>();
  readonly #proofs: ShownProofs;
  readonly #files: OrderFiles;
  readonly #copies: SharedOrderFiles | undefined;
  readonly #inTurn = inTurns();
  #tidying: Timer | undefined;
  #phase: 'waiting' | 'acting' | 'closed' = 'waiting';

  constructor(options: AcmeSourceOptions) {
    this.#options = options;
    const { folder, shared, clock } = options;
    this.#proofs = new ShownProofs(clock);
    this.#copies = shared && new SharedOrderFiles(folder, shared);
    this.#files = this.#copies ?? new LocalFiles(folder);
    shared?.follow({
      onValues: (names) => this.#onValues(names),
      onProofs: (proofs) => this.#answerOnly(proofs),
      onLead: () => this.#onLead(),
    });
  }

  get ticketKeys(): TicketKeysView {
    return this.#options.files.ticketKeys;
  }

  get facts(): readonly CertificateFacts[] {
    const ordered = [...this.#wanted.values()].flatMap(({ managed }) => managed.known?.facts ?? []);
    return [...this.#options.files.facts, ...ordered];
  }

  async equip(listeners: readonly ListenSettings[]): Promise<EdgeListener[]> {
    return this.#complete(listeners, await this.#options.files.equip(listeners));
  }

  /** What failed is tried again: who reloads may have mended the cause. */
  follow(listeners: readonly ListenSettings[]): void {
    this.#options.files.follow(listeners);
    // Files that they name may hold something else.
    this.#issuers.clear();
    const before = this.#wanted;
    this.#adopt();
    for (const [key, { managed, settings }] of this.#wanted) {
      managed.hurry(issuerKey(settings) !== issuerKey(before.get(key)?.settings ?? settings));
    }
  }

  async renew(): Promise<EdgeListener[]> {
    const { files } = this.#options;
    const equipped = await files.renew();
    const complete = await this.#complete(files.followed, equipped);
    this.#adopt();
    return complete;
  }

  /** Begins to order, or goes on after a pause. */
  begin(): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'acting';
    this.#tidying ??= this.#options.clock.every(TIDY_EVERY_MS, () => void this.#inTurn(() => this.#tidy()));
    void this.#inTurn(async () => {
      const { shared } = this.#options;
      if (this.#phase !== 'acting') return;
      // What came meanwhile could not be copied.
      if (shared !== undefined) await this.#copy(shared.names);
      // The process before may have ordered since this one read its files.
      await this.#load();
      this.#act();
    });
  }

  /** Asks and writes nothing more until `begin`; resolves when nothing is under way. */
  async pause(): Promise<void> {
    if (this.#phase === 'acting') this.#phase = 'waiting';
    this.#tidying?.cancel();
    this.#tidying = undefined;
    await Promise.all([...this.#wanted.values()].map(({ managed }) => managed.pause()));
    await this.#inTurn(async () => undefined);
  }

  close(): void {
    this.#options.files.close();
    this.#phase = 'closed';
    void this.pause();
  }

  get followed(): readonly ListenSettings[] {
    return this.#options.files.followed;
  }

  /** All certificates in use, and those that are to be. */
  get status(): CertificateStatus[] {
    const { files, shared } = this.#options;
    const ordered = [...this.#wanted.values()];
    return [
      ...files.facts.map(fileStatus),
      ...ordered.map(({ managed, settings }) => orderStatus(managed, settings, shared)),
    ];
  }

  // ── what listeners get ────────────────────────────────────────────────────────────────────────────────────────────

  /** Adds what is ordered, and what proofs are asked for, to what the files gave. */
  async #complete(listeners: readonly ListenSettings[], equipped: readonly EdgeListener[]): Promise<EdgeListener[]> {
    const wanted = new Map<string, Wanted>();
    const complete: EdgeListener[] = [];
    const { answers: acmeAnswers, certificates: proofs } = this.#proofs;
    for (const [index, { tls, ...listener }] of equipped.entries()) {
      const acme = listeners[index]?.tls?.acme;
      const ordered =
        tls === undefined || acme === undefined ? [] : await this.#ordered(acme, tls.certificates, wanted);
      complete.push({
        ...listener,
        ...(tls === undefined ? {} : { tls: { ...tls, certificates: [...tls.certificates, ...ordered], proofs } }),
        ...(acmeAnswers === undefined ? {} : { acmeAnswers }),
      });
    }
    this.#prepared = wanted;
    return complete;
  }

  /** The ordered certificates of a listener, as far as they are there. @param wanted gets all of them */
  async #ordered(
    acme: AcmeSettings,
    files: readonly Certificate[],
    wanted: Map<string, Wanted>,
  ): Promise<Certificate[]> {
    const there: Certificate[] = [];
    for (const host of acme.hosts) {
      if (files.some(({ names }) => areFor(names, host))) continue;
      const key = `${acme.directory} ${host}`;
      const found = wanted.get(key) ?? { managed: await this.#managed(key, acme, host), settings: acme };
      wanted.set(key, found);
      if (found.managed.known !== undefined) there.push(found.managed.known.certificate);
    }
    return there;
  }

  async #managed(key: string, settings: AcmeSettings, host: string): Promise<ManagedCertificate> {
    const known = this.#wanted.get(key) ?? this.#prepared.get(key);
    if (known !== undefined) return known.managed;
    const { clock, tell, warn, random = Math.random } = this.#options;
    const store = new CertificateStore(this.#files, settings.directory);
    const onChange = () => this.#apply();
    const right = (signal: AbortSignal) => this.#right(signal);
    const options = { host, store, clock, random, right, turn: this.#turn, tell, warn, onChange };
    const managed = new ManagedCertificate(options, this.#way(settings, store));
    await managed.load();
    return managed;
  }

  // ── who is at work ────────────────────────────────────────────────────────────────────────────────────────────────

  /** Has exactly those at work that are wanted now. */
  #adopt(): void {
    const before = this.#wanted;
    this.#wanted = this.#prepared;
    for (const [key, { managed }] of before) if (this.#wanted.get(key)?.managed !== managed) void managed.pause();
    for (const [key, { managed, settings }] of this.#wanted) {
      managed.way = this.#way(settings, new CertificateStore(this.#files, settings.directory));
      // In a cluster another member may have it.
      const isNew = managed.known === undefined && !before.has(key);
      if (isNew && (this.#options.shared?.leads ?? true)) this.#announce(managed.host, settings);
    }
    this.#act();
  }

  /** Has what is wanted ordered and renewed, where that is this process's to do. */
  #act(): void {
    if (this.#phase !== 'acting' || !(this.#options.shared?.leads ?? true)) return;
    for (const { managed } of this.#wanted.values()) managed.start();
  }

  /** Takes what is kept by now, of what does not act. */
  async #load(): Promise<void> {
    let isOther = false;
    for (const { managed } of this.#wanted.values()) isOther = (await managed.load()) || isOther;
    if (isOther) this.#apply();
  }

  #announce(host: string, { directory, challenge }: AcmeSettings): void {
    const message = `there is no certificate for ${host} yet: it is ordered from ${hostOf(directory)} (${challenge})`;
    this.#options.tell({ type: 'certificate-ordered', message, host });
  }

  #way(settings: AcmeSettings, store: CertificateStore): OrderWay {
    return {
      authority: hostOf(settings.directory),
      issuer: () => this.#issuer(settings, store),
      show: (proof) => this.#show(settings, proof),
    };
  }

  /** One for all hosts that are ordered in the same way: they share its account. */
  #issuer(settings: AcmeSettings, store: CertificateStore): Promise<Issuer> {
    const key = issuerKey(settings);
    const known = this.#issuers.get(key);
    if (known !== undefined) return known;
    const opened = openIssuer(settings, store, this.#options.clock);
    this.#issuers.set(key, opened);
    // What could not be read is read again at the next try.
    opened.catch(() => this.#issuers.delete(key));
    return opened;
  }

  async #show({ challenge }: AcmeSettings, { host, token, keyAuthorization }: Proof): Promise<() => void> {
    const { apply, shared } = this.#options;
    const tellAll = async () => shared?.show(this.#proofs.all);
    this.#proofs.add({ host, challenge, token, keyAuthorization });
    const hide = () => {
      this.#proofs.remove(token);
      void tellAll();
    };
    try {
      await Promise.all([apply(), tellAll()]);
    } catch (error) {
      hide();
      throw error;
    }
    return hide;
  }

  // ── what nobody needs ─────────────────────────────────────────────────────────────────────────────────────────────

  /** Removes what is kept for hosts that are ordered for no more, once nothing of it could be used. Never rejects. */
  async #tidy(): Promise<void> {
    const { clock, shared, tell, warn } = this.#options;
    if (this.#phase !== 'acting' || !(shared?.mayAct ?? true)) return;
    const wanted = [...this.#wanted.values()].map(
      ({ managed, settings }) => [settings.directory, managed.host] as const,
    );
    const inUse = wanted.flatMap(([directory, host]) => new CertificateStore(this.#files, directory).pathsOf(host));
    try {
      for (const path of await leftovers(this.#files, new Set(inUse), clock.wall())) {
        if (this.#phase !== 'acting') return;
        await this.#files.remove(path);
        if (!path.endsWith('.pem')) continue;
        const file = this.#files.place(path);
        tell({
          type: 'certificate-removed',
          message: `${file} is removed: it has expired, and no route needs it`,
          file,
        });
      }
    } catch (error) {
      warn(`certificates that nobody needs are not removed: ${whyNotKept(error)}`);
    }
  }

  // ── with other members of a cluster ───────────────────────────────────────────────────────────────────────────────

  /** Resolves when this process may act. */
  async #right(signal: AbortSignal): Promise<void> {
    const { shared, clock } = this.#options;
    while (shared !== undefined && !shared.mayAct) await sleep(clock, RIGHT_AGAIN_MS, signal);
  }

  #onValues(names: readonly string[]): void {
    void this.#inTurn(async () => {
      const paths = await this.#copy(names);
      const { shared } = this.#options;
      let isOther = false;
      for (const { managed, settings } of this.#wanted.values()) {
        const { host } = managed;
        const ofHost = new CertificateStore(this.#files, settings.directory).pathsOf(host);
        if (!ofHost.some((path) => paths.includes(path)) || !(await managed.load())) continue;
        isOther = true;
        const { notAfter = 0, file } = managed.known?.facts ?? {};
        const until = new Date(notAfter).toISOString();
        const message = `certificate for ${host} ordered by ${shared?.leader ?? 'another member'}, until ${until}`;
        this.#options.tell({ type: 'certificate-changed', message, host, ...(file === undefined ? {} : { file }) });
      }
      if (isOther) this.#apply();
    });
  }

  /** @returns the paths that the names are of */
  async #copy(names: readonly string[]): Promise<string[]> {
    const paths = this.#copies?.pathsOf(names) ?? [];
    // They are another process's files before and after.
    if (this.#phase === 'acting') {
      await this.#copies
        ?.copy(paths)
        .catch((error: unknown) => this.#options.warn(`what the cluster shares cannot be kept: ${whyNotKept(error)}`));
    }
    return paths;
  }

  /** What another member has an authority ask for, and nothing else. */
  async #answerOnly(proofs: readonly SharedProof[]): Promise<void> {
    if (this.#proofs.replace(proofs)) await this.#options.apply();
  }

  #onLead(): void {
    const { shared } = this.#options;
    this.#proofs.replace([]);
    if (!shared?.leads) {
      for (const { managed } of this.#wanted.values()) void managed.pause();
      return;
    }
    // Another member may have made accounts meanwhile.
    this.#issuers.clear();
    void this.#inTurn(async () => {
      if (!shared.leads) return;
      await this.#copies
        ?.shareOwn()
        .catch((error: unknown) => this.#options.warn(`what this member has is not shared yet: ${whyNotKept(error)}`));
      await this.#load();
      for (const { managed, settings } of this.#wanted.values()) {
        if (managed.known === undefined) this.#announce(managed.host, settings);
      }
      this.#act();
    });
  }

  #apply(): void {
    const { apply, warn } = this.#options;
    void apply().catch((error: unknown) => warn(`changed certificates are not in use: ${error}`));
  }
}

/** What tells one way to order from others. */
function issuerKey({ hosts: _hosts, ...settings }: AcmeSettings): string {
  return JSON.stringify(settings);
}

function hostOf(directory: string): string {
  return URL.parse(directory)?.host ?? directory;
}
