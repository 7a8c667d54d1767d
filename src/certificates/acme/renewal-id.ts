import type { X509Certificate } from 'node:crypto';
import { integer, readElement, readElements } from './der.ts';

/** id-ce-authorityKeyIdentifier (RFC 5280 §4.2.1.1), as it stands in a certificate. */
const AUTHORITY_KEY_ID = Buffer.from([0x06, 0x03, 0x55, 0x1d, 0x23]);
const SEQUENCE = 0x30;
/** `[3]`, which holds a certificate's extensions. */
const EXTENSIONS = 0xa3;
/** `[0]` of an authority's key identifier. */
const KEY_ID = 0x80;

/**
 * By what an authority knows a certificate that it advises on (RFC 9773 §4.1): the identifier of its key, and the serial
 * number; undefined where the certificate does not name the key.
 */
export function renewalId({ raw, serialNumber }: X509Certificate): string | undefined {
  const keyId = authorityKeyId(raw);
  if (keyId === undefined) return undefined;
  const serial = readElement(integer(Buffer.from(serialNumber, 'hex')))?.content ?? Buffer.alloc(0);
  return `${keyId.toString('base64url')}.${serial.toString('base64url')}`;
}

function authorityKeyId(der: Buffer): Buffer | undefined {
  const content = readElements(readElement(der)?.content ?? Buffer.alloc(0))[0]?.content ?? Buffer.alloc(0);
  const wrapper = readElements(content).find(({ tag }) => tag === EXTENSIONS);
  const all = readElements(readElement(wrapper?.content ?? Buffer.alloc(0))?.content ?? Buffer.alloc(0));
  for (const { content: parts } of all) {
    if (!parts.subarray(0, AUTHORITY_KEY_ID.length).equals(AUTHORITY_KEY_ID)) continue;
    const value = readElements(parts).at(-1)?.content;
    const inner = value && readElement(value);
    if (inner?.tag !== SEQUENCE) return undefined;
    return readElements(inner.content).find(({ tag }) => tag === KEY_ID)?.content;
  }
  return undefined;
}
