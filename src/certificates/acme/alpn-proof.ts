import { createHash, generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto';
import type { Certificate } from '../../model/certificates.ts';
import { explicit, extension, integer, objectId, octets, sequence, set, subjectAltName, time, utf8 } from './der.ts';
import { ECDSA_SHA256, pemOf, publicKeyInfo, signed } from './signing-request.ts';

/** id-pe-acmeIdentifier (RFC 8737 §6.1). */
const ACME_IDENTIFIER = '1.3.6.1.5.5.7.1.31';
const COMMON_NAME = '2.5.4.3';
const HOUR_MS = 3_600_000;
const LIFE_MS = 7 * 24 * HOUR_MS;

/**
 * Makes the certificate that proves the hold over a host by TLS-ALPN-01 (RFC 8737 §3): signed by itself, and shown to
 * nobody but who offers the protocol `acme-tls/1`.
 * @param keyAuthorization RFC 8555 §8.1
 * @param now ms since the epoch
 */
export function alpnProof(host: string, keyAuthorization: string, now: number): Certificate {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const VERSION_3 = explicit(0, integer(Buffer.from([2])));
  const name = sequence(set(sequence(objectId(COMMON_NAME), utf8('ACME challenge'))));
  const digest = createHash('sha256').update(keyAuthorization).digest();
  const extensions = sequence(subjectAltName(host), extension(ACME_IDENTIFIER, octets(digest), true));
  const content = sequence(
    VERSION_3,
    integer(randomBytes(16)),
    sequence(objectId(ECDSA_SHA256)),
    name,
    sequence(time(now - HOUR_MS), time(now + LIFE_MS)),
    name,
    publicKeyInfo(privateKey),
    explicit(3, extensions),
  );
  const chain = pemOf('CERTIFICATE', signed(content, privateKey));
  return {
    id: new X509Certificate(chain).fingerprint256,
    chain,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    keyType: 'ec',
    names: [host],
  };
}
