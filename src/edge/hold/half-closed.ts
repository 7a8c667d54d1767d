import type { Waiter } from './waiter.ts';

/**
 * Holds the waiters whose clients closed their sending side. Such a client may have left, and nothing would tell, so
 * these give up their places first. To find one costs the same however many there are.
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

  /** Returns the one of a client that has waited longest. */
  firstOf(client: string): Waiter | undefined {
    for (const waiter of this.#byClient.get(client) ?? []) return waiter;
    return undefined;
  }

  /** Returns one of the client that has had one for the longest time. */
  get first(): Waiter | undefined {
    for (const client of this.#byClient.keys()) return this.firstOf(client);
    return undefined;
  }

  *[Symbol.iterator](): Iterator<Waiter> {
    for (const those of this.#byClient.values()) yield* those;
  }
}
