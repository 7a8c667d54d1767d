import { isIP } from 'node:net';
import { canonicalIpv6 } from '../../util/ip-address.ts';

/** What the first bytes of a connection say of its real ends (PROXY protocol, versions 1 and 2). */
export type ProxyHeader =
  /** More bytes are needed to tell. */
  | { outcome: 'more' }
  /** No valid header: the connection cannot be trusted. */
  | { outcome: 'broken' }
  /**
   * `source` is undefined where the sender speaks for itself (LOCAL) or knows no address that is of use here (UNKNOWN,
   * a Unix socket). `length` is where the connection's own data begins; `port` the one that the client connected to, 0
   * = not known; `tls` whether it did so by TLS, undefined = not said.
   */
  | {
      outcome: 'read';
      length: number;
      source: string | undefined;
      sourcePort: number;
      port: number;
      tls: boolean | undefined;
    };

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
/** Longest header of version 1 with its CRLF, bytes. */
const V1_MAX = 107;
/**
 * Most bytes behind the fixed part of version 2 that are accepted: addresses and what type-length-values there may be.
 */
const V2_MAX = 2048;
const V2_FIXED = 16;
/** Bytes of the address block by address family: unspecified, IPv4, IPv6, Unix. No others exist. */
const V2_ADDRESSES = [0, 12, 36, 216];
const LOCAL = 0;
const PROXY = 1;
/** Highest transport: unspecified, stream, datagram. */
const V2_TRANSPORTS = 2;
const V2_TCP4 = 0x11;
const V2_TCP6 = 0x21;
/** Type of the TLV on TLS, and the bit of its first byte that says that the client used it. */
const PP2_TYPE_SSL = 0x20;
const PP2_CLIENT_SSL = 1;

const MORE: ProxyHeader = { outcome: 'more' };
const BROKEN: ProxyHeader = { outcome: 'broken' };

/** Reads a header from the beginning of `bytes`; what follows it is the connection's own data. */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  const first = bytes[0];
  if (first === undefined) return MORE;
  return first === 80 ? readV1(bytes) : readV2(bytes);
}

function readV1(bytes: Buffer): ProxyHeader {
  const beginning = bytes.subarray(0, V1_MAX);
  const lf = beginning.indexOf(10);
  if (lf < 0) return bytes.length < V1_MAX && isPrefix(bytes, 'PROXY ') ? MORE : BROKEN;
  const length = lf + 1;
  if (bytes[lf - 1] !== 13) return BROKEN;
  const words = bytes.toString('latin1', 0, lf - 1).split(' ');
  if (words[0] !== 'PROXY') return BROKEN;
  // What an unknown protocol says after this word is not to be looked at.
  if (words[1] === 'UNKNOWN') return withoutSource(length);
  const [, family, source = '', destination = '', sourcePort = '', destinationPort = ''] = words;
  const version = family === 'TCP4' ? 4 : family === 'TCP6' ? 6 : 0;
  if (version === 0 || words.length !== 6) return BROKEN;
  if (!isAddress(source, version) || !isAddress(destination, version)) return BROKEN;
  if (!isPort(sourcePort) || !isPort(destinationPort)) return BROKEN;
  return {
    outcome: 'read',
    length,
    source: canonicalIpv6(source),
    sourcePort: Number(sourcePort),
    port: Number(destinationPort),
    tls: undefined,
  };
}

function isPrefix(bytes: Buffer, text: string): boolean {
  const size = Math.min(bytes.length, text.length);
  return bytes.toString('latin1', 0, size) === text.slice(0, size);
}

/** An address as the header may spell it: not with a zone, which means nothing on another machine. */
function isAddress(text: string, version: 4 | 6): boolean {
  return isIP(text) === version && !text.includes('%');
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65535;
}

function readV2(bytes: Buffer): ProxyHeader {
  const known = Math.min(bytes.length, SIGNATURE.length);
  if (bytes.compare(SIGNATURE, 0, known, 0, known) !== 0) return BROKEN;
  if (bytes.length < V2_FIXED) return MORE;
  const [versionCommand, protocol] = [bytes[12] as number, bytes[13] as number];
  const size = bytes.readUInt16BE(14);
  const command = versionCommand & 15;
  if (versionCommand >> 4 !== 2 || command > PROXY || size > V2_MAX) return BROKEN;
  const length = V2_FIXED + size;
  if (bytes.length < length) return MORE;
  // The sender's own connection, such as a health check: the rest of the header is to be ignored, whatever it is.
  if (command === LOCAL) return withoutSource(length);
  const addresses = V2_ADDRESSES[protocol >> 4];
  if (addresses === undefined || (protocol & 15) > V2_TRANSPORTS) return BROKEN;
  if (addresses > size || !areTlvsSound(bytes, V2_FIXED + addresses, length)) return BROKEN;
  if (protocol !== V2_TCP4 && protocol !== V2_TCP6) return withoutSource(length);
  const portAt = V2_FIXED + (protocol === V2_TCP4 ? 8 : 32);
  return {
    outcome: 'read',
    length,
    source: sourceOf(bytes, protocol),
    sourcePort: bytes.readUInt16BE(portAt),
    port: bytes.readUInt16BE(portAt + 2),
    tls: tlsOf(bytes, V2_FIXED + addresses, length),
  };
}

function withoutSource(length: number): ProxyHeader {
  return { outcome: 'read', length, source: undefined, sourcePort: 0, port: 0, tls: undefined };
}

/** What sound type-length-values say of TLS. */
function tlsOf(bytes: Buffer, start: number, end: number): boolean | undefined {
  for (let at = start; at < end; at += 3 + bytes.readUInt16BE(at + 1)) {
    if (bytes[at] === PP2_TYPE_SSL && bytes.readUInt16BE(at + 1) > 0)
      return ((bytes[at + 3] as number) & PP2_CLIENT_SSL) !== 0;
  }
  return undefined;
}

function sourceOf(bytes: Buffer, protocol: number): string {
  if (protocol === V2_TCP4) return [...bytes.subarray(V2_FIXED, V2_FIXED + 4)].join('.');
  const words: string[] = [];
  for (let at = V2_FIXED; at < V2_FIXED + 16; at += 2) words.push(bytes.readUInt16BE(at).toString(16));
  return canonicalIpv6(words.join(':'));
}

/** Every type-length-value must end within the header: a length past it is how parsers were led astray. */
function areTlvsSound(bytes: Buffer, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    if (at + 3 > end) return false;
    at += 3 + bytes.readUInt16BE(at + 1);
  }
  return at === end;
}
