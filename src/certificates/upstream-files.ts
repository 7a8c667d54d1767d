import type { CertificateFinding, CertificateNews } from '../model/certificates.ts';
import { PilotlightError } from '../model/errors.ts';
import type { ServiceSettings } from '../model/settings.ts';
import type { UpstreamTls, UpstreamTlsSettings } from '../model/upstream.ts';
import type { Clock } from '../util/clock.ts';
import { FileWatch } from './file-watch.ts';
import { readAuthorities, readCertificate, warningsOf } from './read-certificate.ts';
import { signatureOfFiles } from './signature.ts';

/** What handshakes with the replicas of each service need, by its name. Secret: it goes to the edges and nowhere else. */
export type UpstreamTlsByService = ReadonlyMap<string, UpstreamTls>;

interface UpstreamFilesOptions {
  clock: Clock;
  /** Told of what changes, and of what cannot be used. */
  tell: (news: CertificateNews) => void;
  /** `byService` differs from what it was. */
  onChange: () => void;
}

/** One reading of what `upstream.tls` of services names. */
export interface UpstreamReading {
  readonly services: readonly ServiceSettings[];
  readonly byService: UpstreamTlsByService;
  /** Of the files as they were; empty where what was read before stands in for some of them. */
  readonly signature: string;
}

/** The files that `upstream.tls` of services names, which are watched. */
export class UpstreamFiles {
  readonly #options: UpstreamFilesOptions;
  readonly #watch: FileWatch;
  #services: readonly ServiceSettings[] = [];
  #watches = false;
  #byService: UpstreamTlsByService = new Map();
  /** What was said of what cannot be used, by service. */
  #told = new Map<string, string>();

  constructor(options: UpstreamFilesOptions) {
    this.#options = options;
    this.#watch = new FileWatch({
      clock: options.clock,
      signature: () => signatureOfFiles(filesOf(this.#services)),
      onLook: (changed) => {
        if (changed) void this.#renew();
      },
    });
  }

  get byService(): UpstreamTlsByService {
    return this.#byService;
  }

  /**
   * Reads the files of services, without using what they hold.
   * @param keeps whether what is in use stands in for what cannot be used, as their settings are the same
   * @throws CERTIFICATE_UNUSABLE where something of it cannot be used
   */
  async read(services: readonly ServiceSettings[], keeps = false): Promise<UpstreamReading> {
    // What changes from here on is noticed, though it may be read already.
    let signature = await signatureOfFiles(filesOf(services));
    const byService = new Map<string, UpstreamTls>();
    for (const { name, upstream } of services) {
      if (upstream?.tls === undefined) continue;
      const { tls, faults } = await readFiles(upstream.tls);
      const [fault] = faults;
      const before = keeps ? this.#byService.get(name) : undefined;
      if (fault === undefined) byService.set(name, tls);
      else if (before === undefined) throw new PilotlightError('CERTIFICATE_UNUSABLE', `${name}: ${fault.message}`);
      else {
        byService.set(name, before);
        // The next look tells of it.
        signature = '';
      }
    }
    return { services, byService, signature };
  }

  /** Uses what was read. */
  use({ services, byService, signature }: UpstreamReading): void {
    this.#services = services;
    this.#byService = byService;
    if (signature !== '') this.#told.clear();
    this.#watch.seen(signature);
    this.#follow();
  }

  /** Watches what is in use from now on: what changed since it was read is noticed, too. */
  watch(): void {
    this.#watches = true;
    this.#follow();
  }

  close(): void {
    this.#watches = false;
    this.#watch.stop();
  }

  #follow(): void {
    if (this.#watches && this.#byService.size > 0) this.#watch.follow();
    else this.#watch.stop();
  }

  /** Reads anew; what cannot be used stays as it was. */
  async #renew(): Promise<void> {
    const { tell, onChange } = this.#options;
    const services = this.#services;
    const byService = new Map(this.#byService);
    const news: CertificateNews[] = [];
    const told = new Map<string, string>();
    for (const { name, upstream } of services) {
      const file = upstream?.tls?.cert ?? upstream?.tls?.ca;
      if (upstream?.tls === undefined || file === undefined) continue;
      const { tls, faults } = await readFiles(upstream.tls);
      const [fault] = faults;
      if (fault !== undefined) {
        const message = `${name}: ${fault.message}: what was there before is used on`;
        if (this.#told.get(name) !== message) news.push({ type: 'certificate-refused', message, file });
        told.set(name, message);
      } else if (isOther(byService.get(name), tls)) {
        byService.set(name, tls);
        news.push({ type: 'certificate-changed', message: `what replicas of ${name} are shown changed`, file });
      }
    }
    // Other settings came meanwhile, with a reading of their own.
    if (services !== this.#services) return;
    this.#byService = byService;
    this.#told = told;
    for (const each of news) tell(each);
    if (news.some(({ type }) => type === 'certificate-changed')) onChange();
  }
}

function filesOf(services: readonly ServiceSettings[]): string[] {
  return services.flatMap(({ upstream }) =>
    [upstream?.tls?.ca ?? [], upstream?.tls?.cert ?? [], upstream?.tls?.key ?? []].flat(),
  );
}

function isOther(before: UpstreamTls | undefined, { ca, cert, key }: UpstreamTls): boolean {
  return before?.ca !== ca || before?.cert !== cert || before?.key !== key;
}

/** Reads the same and says what is wrong with it, without using it. @param now ms since the epoch */
export async function inspectUpstreamTls(
  services: readonly ServiceSettings[],
  now: number,
): Promise<CertificateFinding[]> {
  const findings: CertificateFinding[] = [];
  for (const { name, upstream } of services) {
    if (upstream?.tls === undefined) continue;
    const { faults, facts } = await readFiles(upstream.tls);
    const base = `services.${name}.upstream.tls`;
    for (const { key, message } of faults) findings.push({ path: `${base}.${key}`, kind: 'fault', message });
    for (const message of facts === undefined
      ? []
      : await warningsOf(
          { ...facts, names: facts.names.length > 0 ? facts.names : ['-'] },
          now,
          'replicas refuse it',
        )) {
      findings.push({ path: `${base}.cert`, kind: 'warning', message });
    }
  }
  return findings;
}

async function readFiles({ ca, cert, key, serverName, verify }: UpstreamTlsSettings) {
  const faults: { key: 'ca' | 'cert'; message: string }[] = [];
  const tls: UpstreamTls = { ca: undefined, cert: undefined, key: undefined, serverName, verify };
  const authorities = ca === undefined ? undefined : await readAuthorities(ca);
  if (authorities !== undefined && 'fault' in authorities) faults.push({ key: 'ca', message: authorities.fault });
  else tls.ca = authorities?.ca;
  const own = cert === undefined ? undefined : await readCertificate({ cert, key });
  if (own === undefined) return { tls, faults, facts: undefined };
  if ('fault' in own) {
    faults.push({ key: 'cert', message: own.fault });
    return { tls, faults, facts: undefined };
  }
  tls.cert = own.certificate.chain;
  tls.key = own.certificate.key;
  return { tls, faults, facts: own.facts };
}
