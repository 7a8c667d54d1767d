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
import type { AcmeSettings } from '../../model/tls-settings.ts';
import { atMost } from '../../util/at-most.ts';
import type { Clock } from '../../util/clock.ts';
import { areFor } from '../certificate-names.ts';
import { alpnProof } from './alpn-proof.ts';
import type { Issuer, Proof } from './issuer.ts';
import { ManagedCertificate, type OrderWay } from './managed-certificate.ts';
import { openIssuer } from './open-issuer.ts';
import { CertificateStore } from './store.ts';

/** Orders that have a step under way at once: an authority counts requests, and each is a connection. */
const STEPS_AT_ONCE = 4;

export interface AcmeSourceOptions {
  /** Where certificates come from that are not ordered; they are preferred. */
  files: CertificateSource;
  /** Where ordered ones and accounts are kept. */
  folder: string;
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
  /** For HTTP-01, by token; for TLS-ALPN-01, by host. */
  readonly #answers = new Map<string, string>();
  readonly #proofs = new Map<string, Certificate>();
  #phase: 'waiting' | 'acting' | 'closed' = 'waiting';

  constructor(options: AcmeSourceOptions) {
    this.#options = options;
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
    for (const { managed } of this.#wanted.values()) managed.start();
  }

  /** Asks and writes nothing more until `begin`; resolves when nothing is under way. */
  async pause(): Promise<void> {
    if (this.#phase === 'acting') this.#phase = 'waiting';
    await Promise.all([...this.#wanted.values()].map(({ managed }) => managed.pause()));
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
    const files = this.#options.files.facts.map((facts) => ({
      ...described(facts),
      source: 'file' as const,
      order: null,
    }));
    return [...files, ...[...this.#wanted.values()].map(orderStatus)];
  }

  // ── what listeners get ────────────────────────────────────────────────────────────────────────────────────────────

  /** Adds what is ordered, and what proofs are asked for, to what the files gave. */
  async #complete(listeners: readonly ListenSettings[], equipped: readonly EdgeListener[]): Promise<EdgeListener[]> {
    const wanted = new Map<string, Wanted>();
    const complete: EdgeListener[] = [];
    const acmeAnswers = this.#answers.size === 0 ? undefined : Object.fromEntries(this.#answers);
    const proofs = this.#proofs.size === 0 ? undefined : [...this.#proofs.values()];
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
    const { folder, clock, tell, warn, apply, random = Math.random } = this.#options;
    const store = new CertificateStore(folder, settings.directory);
    const onChange = () =>
      void apply().catch((error: unknown) => warn(`changed certificates are not in use: ${error}`));
    const options = { host, store, clock, random, turn: this.#turn, tell, warn, onChange };
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
      managed.way = this.#way(settings, new CertificateStore(this.#options.folder, settings.directory));
      if (managed.known === undefined && !before.has(key)) this.#announce(managed.host, settings);
      if (this.#phase === 'acting') managed.start();
    }
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
    const { clock, apply } = this.#options;
    if (challenge === 'http-01') this.#answers.set(token, keyAuthorization);
    else this.#proofs.set(host, alpnProof(host, keyAuthorization, clock.wall()));
    const hide = () => void (challenge === 'http-01' ? this.#answers.delete(token) : this.#proofs.delete(host));
    await apply().catch((error: unknown) => {
      hide();
      throw error;
    });
    return hide;
  }
}

/** What tells one way to order from others. */
function issuerKey({ hosts: _hosts, ...settings }: AcmeSettings): string {
  return JSON.stringify(settings);
}

function hostOf(directory: string): string {
  return URL.parse(directory)?.host ?? directory;
}

function described(facts: CertificateFacts): Omit<CertificateStatus, 'source' | 'order'> {
  const { name, names, file, issuer, notBefore, notAfter } = facts;
  return { name, names, file, issuer, notBefore: iso(notBefore), notAfter: iso(notAfter) };
}

const NOT_THERE = { file: null, issuer: null, notBefore: null, notAfter: null };

function orderStatus({ managed, settings: { directory, challenge } }: Wanted): CertificateStatus {
  const { host, known } = managed;
  const { state, renewAt, failure } = managed.state;
  return {
    ...(known === undefined ? { ...NOT_THERE, names: [host] } : described(known.facts)),
    name: host,
    source: 'acme',
    order: {
      state,
      directory,
      challenge,
      renewAt: renewAt === undefined ? null : iso(renewAt),
      failure:
        failure === undefined
          ? null
          : {
              at: iso(failure.since),
              message: failure.why,
              inARow: failure.failures,
              nextTryAt: iso(failure.until),
            },
    },
  };
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
