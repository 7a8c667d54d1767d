import { isIPv4, isIPv6 } from 'node:net';

const MAPPED = /^::ffff:/i;
const MAPPED_WORDS = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;

/** An address, in its IPv4 form where it is IPv4-mapped: on a socket that takes both, 10.0.0.1 shows as ::ffff:10.0.0.1. */
export function withoutMapping(address: string): string {
  return MAPPED.test(address) && isIPv4(address.slice(7)) ? address.slice(7) : address;
}

/** The one spelling of an IPv6 address (RFC 5952), an IPv4-mapped one as ::ffff:10.0.0.1; anything else as it is. */
export function canonicalIpv6(address: string): string {
  if (!isIPv6(address)) return address;
  const short = URL.parse(`http://[${address}]/`)?.hostname.slice(1, -1) ?? address;
  const mapped = MAPPED_WORDS.exec(short);
  if (mapped === null) return short;
  const [high, low] = [Number.parseInt(mapped[1] as string, 16), Number.parseInt(mapped[2] as string, 16)];
  return `::ffff:${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}
