import type {
  Certificate,
  CertificateFacts,
  CertificateNews,
  CertificateSource,
  ClientAuthMaterial,
  EdgeListener,
  TicketKeysView,
  TlsMaterial,
} from '../model/certificates.ts';
import { PilotlightError } from '../model/errors.ts';
import type { ListenSettings } from '../model/settings.ts';
import type { SharedSecrets } from '../model/shared-secrets.ts';
import type { ClientAuthSettings, TlsSettings } from '../model/tls-settings.ts';
import type { Clock } from '../util/clock.ts';
import { hostPort } from '../util/host-port.ts';
import { FileWatch } from './file-watch.ts';
import { warningsOf } from './read-certificate.ts';
import { crlWarning } from './read-client-auth.ts';
import { type ReadClientAuth, type ReadPair, readTls } from './read-tls.ts';
import { signatureOf } from './signature.ts';
import { TICKET_KEYS, TicketKeys } from './ticket-keys.ts';

interface FileSourceOptions {
  clock: Clock;
  /** Those of the process before this one. */
  ticketKeys?: TicketKeysView | undefined;
  /** What members of a cluster have in common; undefined: this proxy is in none. */
  shared?: SharedSecrets | undefined;
  /** Told of what changes, and of what cannot be used. */
  tell: (news: CertificateNews) => void;
  /** Something in use should be seen to: one line. */
  warn: (message: string) => void;
  /** What `renew` returns differs from what was there before. */
  onChange: () => void;
}

/** A certificate as it was last read in order. */
interface Known {
  certificate: Certificate;
  facts: CertificateFacts;
}

/** Certificates from files, which are watched. */
export class FileSource implements CertificateSource {
  readonly #options: FileSourceOptions;
  readonly #ticketKeys: TicketKeys;
  /** What was last read in order, by its files. */
  #known = new Map<string, Known>();
  #clientAuths = new Map<string, ClientAuthMaterial>();
  /** What was said of what cannot be used, by its files. */
  #told = new Map<string, string>();
  readonly #warned = new Set<string>();
  #followed: readonly ListenSettings[] = [];
  readonly #watch: FileWatch;

  constructor(options: FileSourceOptions) {
    const { clock, onChange, shared } = options;
    this.#options = options;
    this.#ticketKeys = new TicketKeys(clock, options.ticketKeys, shared);
    const look = () => this.#ticketKeys.rotate() && onChange();
    shared?.follow({ onValues: (names) => void (names.includes(TICKET_KEYS) && look()), onLead: () => void look() });
    this.#watch = new FileWatch({
      clock,
      signature: () => signatureOf(this.#settings),
      onLook: (changed) => {
        if (this.#ticketKeys.rotate() || changed) onChange();
      },
    });
  }

  get ticketKeys(): TicketKeysView {
    return this.#ticketKeys.view;
  }

  get facts(): readonly CertificateFacts[] {
    return [...this.#known.values()].map(({ facts }) => facts);
  }

  async equip(listeners: readonly ListenSettings[]): Promise<EdgeListener[]> {
    // What changes from here on is noticed, though it may be read already.
    const signature = await signatureOf(listeners.flatMap(({ tls }) => tls ?? []));
    this.#ticketKeys.rotate();
    const reading = new Reading(this.#known, this.#clientAuths);
    const equipped: EdgeListener[] = [];
    for (const { tls, ...listener } of listeners) {
      equipped.push(tls === undefined ? listener : { ...listener, tls: await this.#material(tls, listener, reading) });
    }
    await this.#take(reading);
    this.#watch.seen(signature);
    return equipped;
  }

  get followed(): readonly ListenSettings[] {
    return this.#followed;
  }

  follow(listeners: readonly ListenSettings[]): void {
    this.#followed = listeners;
    if (this.#settings.length > 0) this.#watch.follow();
    else this.#watch.stop();
  }

  renew(): Promise<EdgeListener[]> {
    return this.equip(this.#followed);
  }

  close(): void {
    this.#watch.stop();
  }

  get #settings(): TlsSettings[] {
    return this.#followed.flatMap(({ tls }) => tls ?? []);
  }

  // ── reading ───────────────────────────────────────────────────────────────────────────────────────────────────────

  async #material(tls: TlsSettings, { address }: EdgeListenerAddress, reading: Reading): Promise<TlsMaterial> {
    const { pairs, clientAuths } = await readTls(tls, '');
    const certificates = pairs.flatMap((each) => reading.certificate(each) ?? []);
    const where = `cannot end TLS on ${hostPort(address)}`;
    if (certificates.length === 0 && tls.acme === undefined) {
      const fault = pairs
        .map((each) => ('fault' in each.reading ? each.reading.fault : ''))
        .find((text) => text !== '');
      throw new PilotlightError('CERTIFICATE_UNUSABLE', `${where}: ${fault ?? 'no certificate'}`);
    }
    for (const each of clientAuths) {
      const fault = reading.clientAuth(each);
      if (fault !== undefined) throw new PilotlightError('CERTIFICATE_UNUSABLE', `${where}: ${fault}`);
      const warning = crlWarning(each.settings, each.reading, this.#options.clock.wall());
      if (warning !== undefined) this.#warn(warning);
    }
    const known = (settings: ClientAuthSettings | undefined) =>
      settings && reading.clientAuths.get(clientAuthKey(settings));
    const { minVersion, strictSni, tickets, ciphers, curves, clientAuth, names } = tls;
    return {
      certificates: inOrder(certificates),
      minVersion,
      strictSni,
      tickets,
      ciphers,
      curves,
      clientAuth: known(clientAuth),
      names: names.map((each) => ({
        hosts: each.hosts,
        minVersion: each.minVersion ?? minVersion,
        ciphers: each.ciphers.length > 0 ? each.ciphers : ciphers,
        curves: each.curves.length > 0 ? each.curves : curves,
        clientAuth: known(each.clientAuth ?? clientAuth),
      })),
      ticketKeys: this.#ticketKeys.view.keys,
    };
  }

  /** Takes over what was read, and says what differs from before. */
  async #take({ known, clientAuths, faults }: Reading): Promise<void> {
    const { tell, clock } = this.#options;
    const before = this.#known;
    this.#known = known;
    this.#clientAuths = clientAuths;
    for (const [key, { certificate, facts }] of known) {
      const earlier = before.get(key);
      if (earlier !== undefined && earlier.certificate.id !== certificate.id) {
        const until = new Date(facts.notAfter).toISOString().slice(0, 10);
        const message = `the certificate for ${facts.name} changed (${facts.file}, until ${until})`;
        tell({ type: 'certificate-changed', message, file: facts.file });
      }
      if (earlier?.certificate.id === certificate.id) continue;
      for (const message of await warningsOf(facts, clock.wall())) {
        this.#warn(message);
      }
    }
    for (const [key, { fault, file, isServed }] of faults) {
      if (this.#told.get(key) === fault) continue;
      const rest = isServed ? ': what was there before is served on' : '';
      tell({ type: 'certificate-refused', message: `${fault}${rest}`, file });
    }
    this.#told = new Map([...faults].map(([key, { fault }]) => [key, fault]));
  }

  #warn(message: string): void {
    if (!this.#warned.has(message)) this.#options.warn(message);
    this.#warned.add(message);
  }
}

type EdgeListenerAddress = Pick<EdgeListener, 'address'>;

/** One reading of everything: what is sound, and what was so before in the place of what is not. */
class Reading {
  readonly known = new Map<string, Known>();
  readonly clientAuths = new Map<string, ClientAuthMaterial>();
  readonly faults = new Map<string, { fault: string; file: string; isServed: boolean }>();
  readonly #before: ReadonlyMap<string, Known>;
  readonly #clientAuthsBefore: ReadonlyMap<string, ClientAuthMaterial>;

  constructor(before: ReadonlyMap<string, Known>, clientAuthsBefore: ReadonlyMap<string, ClientAuthMaterial>) {
    this.#before = before;
    this.#clientAuthsBefore = clientAuthsBefore;
  }

  /** The certificate of a pair of files, or the one that was in them before. */
  certificate({ path, pair, reading }: ReadPair): Certificate | undefined {
    const key = pair === undefined ? path : `${pair.cert}\n${pair.key ?? ''}`;
    if (!('fault' in reading)) {
      this.known.set(key, reading);
      return reading.certificate;
    }
    const earlier = this.#before.get(key);
    if (earlier !== undefined) this.known.set(key, earlier);
    this.faults.set(key, { fault: reading.fault, file: pair?.cert ?? '', isServed: earlier !== undefined });
    return earlier?.certificate;
  }

  /** The same for who may come with a certificate. @returns why it cannot be told, not even as it was before */
  clientAuth({ settings, reading }: ReadClientAuth): string | undefined {
    const key = clientAuthKey(settings);
    const material = 'fault' in reading ? this.#clientAuthsBefore.get(key) : reading.material;
    if (material !== undefined) this.clientAuths.set(key, material);
    if (!('fault' in reading)) return undefined;
    const { fault, file } = reading;
    this.faults.set(key, { fault, file, isServed: material !== undefined });
    return material === undefined ? fault : undefined;
  }
}

function clientAuthKey({ ca, crl = '', mode }: ClientAuthSettings): string {
  return `${ca}\n${crl}\n${mode}`;
}

/** The first one stays first; of the others one that ends later comes before, as it replaces those of the same names. */
function inOrder(certificates: readonly Certificate[]): Certificate[] {
  const ids = new Set<string>();
  return certificates.filter(({ id }) => !ids.has(id) && ids.add(id));
}
