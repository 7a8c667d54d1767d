import { BlockList, isIP } from 'node:net';

/** A set of address ranges, IPv4 and IPv6. */
export class AddressRanges {
  readonly #list = new BlockList();
  readonly #empty: boolean;

  /** @param ranges CIDRs or addresses, validated before */
  constructor(ranges: readonly string[]) {
    this.#empty = ranges.length === 0;
    for (const range of ranges) {
      const [address, bits] = range.split('/') as [string, string | undefined];
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      if (bits === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, Number(bits), family);
    }
  }

  /**
   * Whether an address lies in one of them. An IPv4-mapped address has to be given in its IPv4 form; a text that is no
   * address lies in none.
   */
  has(address: string): boolean {
    if (this.#empty) return false;
    const family = isIP(address);
    return family !== 0 && this.#list.check(address, family === 6 ? 'ipv6' : 'ipv4');
  }
}
