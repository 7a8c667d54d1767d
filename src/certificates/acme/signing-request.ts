import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import { bits, explicit, integer, objectId, sequence, set, subjectAltName } from './der.ts';

/** ecdsa-with-SHA256 (RFC 5758 §3.2). */
export const ECDSA_SHA256 = '1.2.840.10045.4.3.2';
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';

/** The public half of a key as a certificate carries it (RFC 5280 §4.1.2.7). */
export function publicKeyInfo(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: 'spki', format: 'der' });
}

/** What is to be signed, and the signature behind it, as certificates and requests for them are built. */
export function signed(content: Buffer, key: KeyObject): Buffer {
  return sequence(content, sequence(objectId(ECDSA_SHA256)), bits(sign('sha256', content, key)));
}

/**
 * Makes a request for a certificate (PKCS #10, RFC 2986) of one host: DER. The subject is empty, as the name stands in
 * subjectAltName alone.
 * @param key private, on P-256
 */
export function signingRequest(host: string, key: KeyObject): Buffer {
  const VERSION_1 = integer(Buffer.from([0]));
  const attributes = sequence(objectId(EXTENSION_REQUEST), set(sequence(subjectAltName(host))));
  // The attributes are a SET whose tag `[0]` stands in place of its own.
  const content = sequence(VERSION_1, sequence(), publicKeyInfo(key), explicit(0, attributes));
  return signed(content, key);
}

/** The DER of a PEM block's content as PEM again. */
export function pemOf(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
