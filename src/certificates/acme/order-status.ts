import type { CertificateFacts, CertificateStatus } from '../../model/certificates.ts';
import type { SharedSecrets } from '../../model/shared-secrets.ts';
import type { AcmeSettings } from '../../model/tls-settings.ts';
import type { ManagedCertificate } from './managed-certificate.ts';

const NOT_THERE = { file: null, issuer: null, notBefore: null, notAfter: null };

/** A certificate from a file, for people. */
export function fileStatus(facts: CertificateFacts): CertificateStatus {
  return { ...described(facts), source: 'file', order: null };
}

/** One that is ordered, or is to be. */
export function orderStatus(
  managed: ManagedCertificate,
  { directory, challenge }: AcmeSettings,
  shared: SharedSecrets | undefined,
): CertificateStatus {
  const { host, known } = managed;
  const { state, renewAt, failure } = shared?.leads === false ? managed.byOthers : managed.state;
  return {
    ...(known === undefined ? { ...NOT_THERE, names: [host] } : described(known.facts)),
    name: host,
    source: 'acme',
    order: {
      state,
      directory,
      challenge,
      by: shared?.leader ?? null,
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

function described(facts: CertificateFacts): Omit<CertificateStatus, 'source' | 'order'> {
  const { name, names, file, issuer, notBefore, notAfter } = facts;
  return { name, names, file, issuer, notBefore: iso(notBefore), notAfter: iso(notAfter) };
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
