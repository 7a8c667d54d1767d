import type { Waiter } from './waiter.ts';

/**
 * Held requests whose clients closed their sending side: those clients may have left, which nothing would tell, so they
 * give up their places first. Found by client, and any of them, at the same cost however many there are.
 */
export class HalfClosed {
  readonly #byClient = new Map<string, Set<Waiter>>();

  add(client: string, waiter: Waiter): void {
    const those = this.#byClient.get(client);
    if (those === undefined) this.#byClient.set(client, new Set([waiter]));
    else those.add(waiter);
  }

  remove(client: string, waiter: Waiter): void {
    const those = this.#byClient.get(client);
    if (those?.delete(waiter) && those.size === 0) this.#byClient.delete(client);
  }

  /** The longest held of a client's. */
  firstOf(client: string): Waiter | undefined {
    for (const waiter of this.#byClient.get(client) ?? []) return waiter;
    return undefined;
  }

  /** One of them: of the client that has had one for the longest time. */
  get first(): Waiter | undefined {
    for (const client of this.#byClient.keys()) return this.firstOf(client);
    return undefined;
  }

  *[Symbol.iterator](): Iterator<Waiter> {
    for (const those of this.#byClient.values()) yield* those;
  }
}
