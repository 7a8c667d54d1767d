import { isIP } from 'node:net';
import { withoutMapping } from '../../util/ip-address.ts';
import { AddressRanges } from './address-ranges.ts';
import { trimOws } from './http-syntax.ts';

/** Peers whose forwarding headers are believed. */
export class TrustedProxies {
  readonly #ranges: AddressRanges;

  /** @param ranges CIDRs or addresses, validated before */
  constructor(ranges: readonly string[]) {
    this.#ranges = new AddressRanges(ranges);
  }

  /** Whether an address is one of them. An IPv4-mapped address has to be given in its IPv4 form. */
  has(address: string): boolean {
    return this.#ranges.has(address);
  }

  /**
   * Returns "the client": the rightmost address that is not trusted, of the peer and the X-Forwarded-For it sent. If a
   * trusted proxy names the client by no address, the client is unknown. It is not the proxy itself, which would let in
   * whoever reaches it, nor anything further left, which anybody may have written.
   */
  client(peer: string, forwardedFor: string | undefined): string {
    if (forwardedFor === undefined || !this.has(peer)) return peer;
    let client = peer;
    let end = forwardedFor.length;
    while (end > 0) {
      const comma = forwardedFor.lastIndexOf(',', end - 1);
      const element = trimOws(forwardedFor.slice(comma + 1, end));
      end = comma;
      // Empty elements do not count (RFC 9110 §5.6.1).
      if (element === '') continue;
      const hop = addressIn(element);
      if (hop === undefined) return UNKNOWN_CLIENT;
      if (!this.has(hop)) return hop;
      client = hop;
    }
    return client;
  }
}

/**
 * Stands for a client whom a trusted proxy does not name. It is in no range of addresses, and all such clients count as
 * one.
 */
export const UNKNOWN_CLIENT = 'unknown';

const WITH_PORT = /^(?:\[([^\]]*)\]|([\d.]+))(?::\d{1,5})?$/;

/**
 * Returns the address in an element of X-Forwarded-For: IPv4 or IPv6, with or without brackets and port; undefined:
 * there is none.
 */
export function addressIn(element: string): string | undefined {
  const match = WITH_PORT.exec(element);
  const address = match === null ? element : (match[1] ?? match[2] ?? '');
  const family = isIP(address);
  if (family === 0 || (match?.[1] !== undefined && family !== 6)) return undefined;
  return withoutMapping(address);
}

/** Returns an address without IPv6 brackets, a port, or the IPv4-mapped prefix. */
export function plainAddress(text: string): string {
  // Mostly it is one of IPv4 alone.
  return text.includes(':') ? (addressIn(text) ?? text) : text;
}

/**
 * Returns what a client is counted as: an IPv4 address, or the first 64 bits of an IPv6 one, because whoever has one
 * address of such a network has them all (RFC 6177). Each has one spelling.
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
