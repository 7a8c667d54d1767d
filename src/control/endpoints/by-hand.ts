import type { EndpointByHand } from '../../model/status.ts';

/** Addresses of a service that are remembered; beyond that the one that was set first is forgotten. */
const MAX_ADDRESSES = 1000;

const UNTOUCHED: EndpointByHand = { drain: false, weight: null };

/** What operators set of the endpoints of one service: it holds until it is changed, also while the address is away. */
export class EndpointsByHand {
  readonly #byAddress = new Map<string, EndpointByHand>();

  /** By the key of an address; undefined where nothing is set. */
  of(key: string): EndpointByHand | undefined {
    return this.#byAddress.get(key);
  }

  set(key: string, change: Partial<EndpointByHand>): void {
    const next = { ...(this.#byAddress.get(key) ?? UNTOUCHED), ...change };
    this.#byAddress.delete(key);
    if (!next.drain && next.weight === null) return;
    const [first] = this.#byAddress.keys();
    if (first !== undefined && this.#byAddress.size >= MAX_ADDRESSES) this.#byAddress.delete(first);
    this.#byAddress.set(key, next);
  }

  /** For comparison with what was told before; undefined where nothing is set. */
  get content(): readonly (readonly [string, EndpointByHand])[] | undefined {
    return this.#byAddress.size === 0 ? undefined : [...this.#byAddress];
  }
}
