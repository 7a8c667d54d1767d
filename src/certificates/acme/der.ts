/** The little of DER (X.690) that requests for certificates and proofs of TLS-ALPN-01 are made of. */

const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const TRUE = Buffer.from([0x01, 0x01, 0xff]);
/** Beyond it the length takes bytes of its own. */
const SHORT_LENGTH = 0x80;

/** One value: its tag, length and content. */
export function element(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag]), lengthOf(content.length), content]);
}

function lengthOf(length: number): Buffer {
  if (length < SHORT_LENGTH) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff);
  return Buffer.from([SHORT_LENGTH | bytes.length, ...bytes]);
}

export const sequence = (...parts: readonly Buffer[]): Buffer => element(SEQUENCE, ...parts);
export const set = (...parts: readonly Buffer[]): Buffer => element(SET, ...parts);
export const octets = (content: Buffer): Buffer => element(OCTET_STRING, content);
export const utf8 = (text: string): Buffer => element(UTF8_STRING, Buffer.from(text));
/** `[n]` around other values. */
export const explicit = (n: number, ...parts: readonly Buffer[]): Buffer => element(0xa0 | n, ...parts);

/** A number of 0 or more, given by its bytes. */
export function integer(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = first < 0 ? Buffer.from([0]) : bytes.subarray(first);
  return element(INTEGER, (digits[0] as number) >= 0x80 ? Buffer.concat([Buffer.from([0]), digits]) : digits);
}

/** Whole bytes as bits. */
export function bits(content: Buffer): Buffer {
  return element(BIT_STRING, Buffer.from([0]), content);
}

/** @param dotted such as `2.5.29.17` */
export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const digits = [arc & 0x7f];
    for (let more = arc >>> 7; more > 0; more >>>= 7) digits.unshift((more & 0x7f) | 0x80);
    bytes.push(...digits);
  }
  return element(OBJECT_IDENTIFIER, Buffer.from(bytes));
}

/** A time to the second as certificates have it (RFC 5280 §4.1.2.5). @param at ms since the epoch, of 1950 or later */
export function time(at: number): Buffer {
  const digits = new Date(at).toISOString().replace(/\.\d+|[-:T]/g, '');
  return digits < '2050'
    ? element(UTC_TIME, Buffer.from(digits.slice(2)))
    : element(GENERALIZED_TIME, Buffer.from(digits));
}

/** An extension of a certificate (RFC 5280 §4.1). @param value the DER of what it says */
export function extension(id: string, value: Buffer, isCritical = false): Buffer {
  return sequence(objectId(id), ...(isCritical ? [TRUE] : []), octets(value));
}

/** The names that a certificate is for (RFC 5280 §4.2.1.6): this one host. */
export function subjectAltName(host: string): Buffer {
  const DNS_NAME = 0x82;
  return extension('2.5.29.17', sequence(element(DNS_NAME, Buffer.from(host, 'latin1'))));
}

/** A value that was read: what it holds, and where it ends in the bytes that it is part of. */
export interface Element {
  tag: number;
  content: Buffer;
  end: number;
}

/** Reads the value that begins at `at`; undefined where none does that ends within the bytes. */
export function readElement(bytes: Buffer, at = 0): Element | undefined {
  const [tag, first] = [bytes[at], bytes[at + 1]];
  if (tag === undefined || first === undefined) return undefined;
  let [length, start] = [first, at + 2];
  if (first >= SHORT_LENGTH) {
    const width = first & 0x7f;
    if (width === 0 || width > 4 || start + width > bytes.length) return undefined;
    length = bytes.readUIntBE(start, width);
    start += width;
  }
  const end = start + length;
  return end > bytes.length ? undefined : { tag, content: bytes.subarray(start, end), end };
}

/** Reads all values that stand behind each other; those that come before what is broken. */
export function readElements(bytes: Buffer): Element[] {
  const all: Element[] = [];
  for (let next = readElement(bytes); next !== undefined; next = readElement(bytes, next.end)) all.push(next);
  return all;
}
