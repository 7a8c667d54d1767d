import type { CertificateFacts, CertificateFinding, CertificateInspection } from '../model/certificates.ts';
import type { Settings } from '../model/settings.ts';
import { warningsOf } from './read-certificate.ts';
import { readTls } from './read-tls.ts';
import { inspectUpstreamTls } from './upstream-files.ts';

/** Reads what listeners and services name and says what is wrong, without using it. @param now ms since the epoch */
export async function inspectCertificates(
  { listen, services }: Pick<Settings, 'listen' | 'services'>,
  now: number,
): Promise<CertificateInspection> {
  const findings: CertificateFinding[] = [];
  const certificates = new Map<string, CertificateFacts>();
  for (const [index, { tls }] of listen.entries()) {
    if (tls === undefined) continue;
    const { pairs, authorities } = await readTls(tls, `listen[${index}].tls`);
    for (const { path, reading } of pairs) {
      if ('fault' in reading) {
        findings.push({ path, kind: 'fault', message: reading.fault });
        continue;
      }
      certificates.set(reading.certificate.id, reading.facts);
      for (const message of await warningsOf(reading.facts, now)) findings.push({ path, kind: 'warning', message });
    }
    if (authorities !== undefined && 'fault' in authorities.reading) {
      findings.push({ path: authorities.path, kind: 'fault', message: authorities.reading.fault });
    }
  }
  findings.push(...(await inspectUpstreamTls(services, now)));
  return { findings, certificates: [...certificates.values()] };
}
