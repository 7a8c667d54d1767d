import { isIP } from 'node:net';
import { AddressRanges } from './address-ranges.ts';

/** Peers whose forwarding headers are believed. */
export class TrustedProxies {
  readonly #ranges: AddressRanges;

  /** @param ranges CIDRs or addresses, validated before */
  constructor(ranges: readonly string[]) {
    this.#ranges = new AddressRanges(ranges);
  }

  /** Whether an address (IPv4-mapped IPv6 in its IPv4 form) is one of them. */
  has(address: string): boolean {
    return this.#ranges.has(address);
  }

  /** "The client": the rightmost address that is not trusted, of the peer and the X-Forwarded-For it sent. */
  client(peer: string, forwardedFor: string | undefined): string {
    if (forwardedFor === undefined || !this.has(peer)) return peer;
    const hops = forwardedFor.split(',');
    for (let i = hops.length - 1; i >= 0; i--) {
      const hop = plainAddress((hops[i] as string).trim());
      if (isIP(hop) === 0) return peer;
      if (!this.has(hop)) return hop;
      peer = hop;
    }
    return peer;
  }
}

/** Without IPv6 brackets, a port, or the IPv4-mapped prefix. */
export function plainAddress(text: string): string {
  let address = text;
  if (address.startsWith('[')) address = address.slice(1, address.indexOf(']'));
  else if (address.indexOf(':') === address.lastIndexOf(':') && address.includes(':'))
    address = address.split(':')[0] as string;
  return /^::ffff:/i.test(address) && isIP(address.slice(7)) === 4 ? address.slice(7) : address;
}

/**
 * What a client is counted as: an IPv4 address, or the first 64 bits of an IPv6 one, because whoever has one address of
 * such a network has them all (RFC 6177). One spelling for each.
 */
export function clientKey(address: string): string {
  if (!address.includes(':')) return address;
  const [before, after] = address.toLowerCase().split('::') as [string, string | undefined];
  const groups = before === '' ? [] : before.split(':');
  if (after !== undefined) {
    const rest = after === '' ? [] : after.split(':');
    // An IPv4 address at the end stands for two groups.
    const missing = 8 - groups.length - rest.length - (after.includes('.') ? 1 : 0);
    for (let i = 0; i < missing; i++) groups.push('0');
    groups.push(...rest);
  }
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':');
}
