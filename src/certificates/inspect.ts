import type { CertificateFacts, CertificateFinding, CertificateInspection, OrderPlan } from '../model/certificates.ts';
import type { Settings } from '../model/settings.ts';
import type { AcmeSettings } from '../model/tls-settings.ts';
import { hmacOf } from './acme/open-issuer.ts';
import { areFor } from './certificate-names.ts';
import { readAuthorities, warningsOf } from './read-certificate.ts';
import { crlWarning } from './read-client-auth.ts';
import { readTls } from './read-tls.ts';
import { inspectUpstreamTls } from './upstream-files.ts';

/** Reads what listeners and services name and says what is wrong, without using it. @param now ms since the epoch */
export async function inspectCertificates(
  { listen, services }: Pick<Settings, 'listen' | 'services'>,
  now: number,
): Promise<CertificateInspection> {
  const findings: CertificateFinding[] = [];
  const certificates = new Map<string, CertificateFacts>();
  const orders: OrderPlan[] = [];
  for (const [index, { tls }] of listen.entries()) {
    if (tls === undefined) continue;
    const { pairs, clientAuths } = await readTls(tls, `listen[${index}].tls`);
    for (const { path, reading } of pairs) {
      if ('fault' in reading) {
        findings.push({ path, kind: 'fault', message: reading.fault });
        continue;
      }
      certificates.set(reading.certificate.id, reading.facts);
      for (const message of await warningsOf(reading.facts, now)) findings.push({ path, kind: 'warning', message });
    }
    if (tls.acme !== undefined) {
      findings.push(...(await acmeFindings(tls.acme, `listen[${index}].tls.acme`)));
      const names = pairs.flatMap(({ reading }) => ('fault' in reading ? [] : reading.facts.names));
      const hosts = tls.acme.hosts.filter((host) => !areFor(names, host));
      const { directory, challenge } = tls.acme;
      if (hosts.length > 0) orders.push({ directory, challenge, hosts });
    }
    for (const { path, settings, reading } of clientAuths) {
      if ('fault' in reading) {
        const option = reading.file === settings.ca ? 'ca' : 'crl';
        findings.push({ path: `${path}.${option}`, kind: 'fault', message: reading.fault });
      }
      const warning = crlWarning(settings, reading, now);
      if (warning !== undefined) findings.push({ path: `${path}.crl`, kind: 'warning', message: warning });
    }
  }
  findings.push(...(await inspectUpstreamTls(services, now)));
  return { findings, certificates: [...certificates.values()], orders };
}

/** What is wrong with the files that an order needs. */
async function acmeFindings({ ca, eab }: AcmeSettings, base: string): Promise<CertificateFinding[]> {
  const findings: CertificateFinding[] = [];
  const authorities = ca === undefined ? undefined : await readAuthorities(ca);
  if (authorities !== undefined && 'fault' in authorities) {
    findings.push({ path: `${base}.ca`, kind: 'fault', message: authorities.fault });
  }
  const fault =
    eab &&
    (await hmacOf(eab).then(
      () => undefined,
      (error: Error) => error.message,
    ));
  if (fault !== undefined) findings.push({ path: `${base}.eab`, kind: 'fault', message: fault });
  return findings;
}
