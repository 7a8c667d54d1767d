import type { X509Certificate } from 'node:crypto';
import type { ClientCertificate } from '../../exchange/downstream.ts';

/** Longest subject that a service is told, characters. */
const LONGEST = 1024;
/** Bytes that stand for themselves in a field value. */
const PLAIN = /^[ -~]*$/;

/**
 * The subject of a client's certificate in the string form of RFC 4514: the most specific part first, as
 * `CN=alice,O=Shop`. What is not printable ASCII is escaped, so that it may stand in a field of HTTP.
 * @returns undefined where there is none, or it is too long
 */
function subjectOf({ subject }: X509Certificate): string | undefined {
  // Node writes a part per line, with what is special in a value escaped already.
  const parts = (subject ?? '').split('\n').filter((part) => part !== '');
  const text = parts.reverse().join(',');
  const escaped = PLAIN.test(text) ? text : text.replace(/[^ -~]/gu, (char) => bytesOf(char));
  return escaped === '' || escaped.length > LONGEST ? undefined : escaped;
}

/**
 * What a service is told of a client's certificate.
 * @returns undefined where it has no subject that can be told
 */
export function factsOf(certificate: X509Certificate): ClientCertificate | undefined {
  const subject = subjectOf(certificate);
  if (subject === undefined) return undefined;
  const { serialNumber: serial, fingerprint256 } = certificate;
  return { subject, serial, fingerprint: fingerprint256.replaceAll(':', '') };
}

function bytesOf(char: string): string {
  return [...Buffer.from(char)].map((byte) => `\\${byte.toString(16).padStart(2, '0').toUpperCase()}`).join('');
}
