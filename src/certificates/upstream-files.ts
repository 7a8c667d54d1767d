import type { CertificateFinding } from '../model/certificates.ts';
import { PilotlightError } from '../model/errors.ts';
import type { ServiceSettings } from '../model/settings.ts';
import type { UpstreamTls, UpstreamTlsSettings } from '../model/upstream.ts';
import { readAuthorities, readCertificate, warningsOf } from './read-certificate.ts';

/** What handshakes with the replicas of each service need, by its name. Secret: it goes to the edges and nowhere else. */
export type UpstreamTlsByService = ReadonlyMap<string, UpstreamTls>;

/**
 * Reads what `upstream.tls` of services names.
 * @throws CERTIFICATE_UNUSABLE where something of it cannot be used
 */
export async function readUpstreamTls(services: readonly ServiceSettings[]): Promise<UpstreamTlsByService> {
  const read = new Map<string, UpstreamTls>();
  for (const { name, upstream } of services) {
    if (upstream?.tls === undefined) continue;
    const { tls, faults } = await readFiles(upstream.tls);
    const [fault] = faults;
    if (fault !== undefined) throw new PilotlightError('CERTIFICATE_UNUSABLE', `${name}: ${fault.message}`);
    read.set(name, tls);
  }
  return read;
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
