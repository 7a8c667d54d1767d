import { isIPv4, isIPv6 } from 'node:net';

/** The ends of a client's connection, as a PROXY header tells them. Addresses without zone and brackets. */
export interface Ends {
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
}

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
/** Version 2, command PROXY. */
const PROXY = 0x21;
/** Version 2, command LOCAL. */
const LOCAL = 0x20;
const UNKNOWN = Buffer.from('PROXY UNKNOWN\r\n', 'latin1');
const TCP4 = 0x11;
const TCP6 = 0x21;

/** Makes the header that tells a service who its client is (PROXY protocol, §2.1 and §2.2). */
export function proxyHeader(version: 'v1' | 'v2', ends: Ends): Buffer {
  return version === 'v1' ? headerV1(ends) : headerV2(ends);
}

/** Makes the header of a connection of ours that has no client (LOCAL; version 1 says UNKNOWN). */
export function localHeader(version: 'v1' | 'v2'): Buffer {
  if (version === 'v1') return UNKNOWN;
  const header = Buffer.alloc(16);
  header.set(SIGNATURE);
  header[12] = LOCAL;
  return header;
}

function headerV1(ends: Ends): Buffer {
  const { sourcePort, destinationPort } = ends;
  const addresses = sameFamily(ends);
  if (addresses === undefined) return UNKNOWN;
  const { family, source, destination } = addresses;
  return Buffer.from(`PROXY TCP${family} ${source} ${destination} ${sourcePort} ${destinationPort}\r\n`, 'latin1');
}

function headerV2(ends: Ends): Buffer {
  const addresses = sameFamily(ends);
  const size = addresses === undefined ? 0 : addresses.family === 4 ? 12 : 36;
  const header = Buffer.alloc(16 + size);
  header.set(SIGNATURE);
  header[12] = PROXY;
  header.writeUInt16BE(size, 14);
  if (addresses === undefined) return header;
  const { family, source, destination } = addresses;
  header[13] = family === 4 ? TCP4 : TCP6;
  header.set(bytesOf(source, family), 16);
  header.set(bytesOf(destination, family), 16 + (size - 4) / 2);
  header.writeUInt16BE(ends.sourcePort, 12 + size);
  header.writeUInt16BE(ends.destinationPort, 14 + size);
  return header;
}

/** Both addresses in one family, which the header has room for: IPv4 is mapped where the other one is IPv6. */
function sameFamily({ source, destination }: Ends) {
  if (isIPv4(source) && isIPv4(destination)) return { family: 4, source, destination } as const;
  const [mappedSource, mappedDestination] = [asIpv6(source), asIpv6(destination)];
  if (mappedSource === undefined || mappedDestination === undefined) return undefined;
  return { family: 6, source: mappedSource, destination: mappedDestination } as const;
}

function asIpv6(address: string): string | undefined {
  if (isIPv4(address)) return `::ffff:${address}`;
  return isIPv6(address) ? address : undefined;
}

function bytesOf(address: string, family: 4 | 6): number[] {
  if (family === 4) return address.split('.').map(Number);
  const [head = '', tail] = address.split('::');
  const [first, last] = [wordsOf(head), wordsOf(tail ?? '')];
  const zeros = new Array<number>(Math.max(0, 8 - first.length - last.length)).fill(0);
  return [...first, ...(tail === undefined ? [] : zeros), ...last].flatMap((word) => [word >> 8, word & 255]);
}

/** The 16-bit words of a part of an IPv6 address; its end may be written as IPv4. */
function wordsOf(part: string): number[] {
  if (part === '') return [];
  return part.split(':').flatMap((word) => {
    if (!word.includes('.')) return Number.parseInt(word, 16);
    const [a = 0, b = 0, c = 0, d = 0] = word.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}
