import type { Exchange } from '../exchange/exchange.ts';

/**
 * Held requests whose clients closed their sending side: those clients may have left, which nothing would tell, so they
 * give up their places first. Found by client, and any of them, at the same cost however many there are.
 */
export class HalfClosed {
  readonly #byClient = new Map<string, Set<Exchange>>();

  add(client: string, exchange: Exchange): void {
    const those = this.#byClient.get(client);
    if (those === undefined) this.#byClient.set(client, new Set([exchange]));
    else those.add(exchange);
  }

  remove(client: string, exchange: Exchange): void {
    const those = this.#byClient.get(client);
    if (those?.delete(exchange) && those.size === 0) this.#byClient.delete(client);
  }

  /** The longest held of a client's. */
  firstOf(client: string): Exchange | undefined {
    for (const exchange of this.#byClient.get(client) ?? []) return exchange;
    return undefined;
  }

  /** One of them: of the client that has had one for the longest time. */
  get first(): Exchange | undefined {
    for (const client of this.#byClient.keys()) return this.firstOf(client);
    return undefined;
  }

  *[Symbol.iterator](): Iterator<Exchange> {
    for (const those of this.#byClient.values()) yield* those;
  }
}
