import { latin1, latin1Bytes } from '../http1/latin1.ts';

/** One limiter remembers at most so many clients, in two halves. */
const MAX_CLIENTS = 20_000;

interface Bucket {
  tokens: number;
  at: number;
}

/**
 * Keeps a token bucket per client, in a table of bounded size. When the younger half is full, the older one is
 * forgotten, with every client that was silent meanwhile. A forgotten client has a full bucket again, so at worst it
 * may do once more what it was allowed to do anyway.
 */
export class RateLimiter {
  readonly #perMs: number;
  readonly #burst: number;
  #young = new Map<string, Bucket>();
  #old = new Map<string, Bucket>();

  /**
   * @param perSecond requests per second in the long run, more than 0
   * @param burst requests at once, at least 1
   */
  constructor(perSecond: number, burst: number) {
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
  }

  /**
   * Takes one request's token at `now` (the clock's ms).
   * @returns 0, or how long until there is one, ms
   */
  take(client: string, now: number): number {
    const bucket = this.#young.get(client) ?? this.#remember(client, now);
    bucket.tokens = Math.min(this.#burst, bucket.tokens + (now - bucket.at) * this.#perMs);
    bucket.at = now;
    if (bucket.tokens >= 1) {
      bucket.tokens--;
      return 0;
    }
    return (1 - bucket.tokens) / this.#perMs;
  }

  /** Buckets in memory. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** Puts a silent or new client into the younger half. */
  #remember(client: string, now: number): Bucket {
    const bucket = this.#old.get(client) ?? { tokens: this.#burst, at: now };
    if (this.#young.size >= MAX_CLIENTS / 2) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    // A name that is part of a request's head would keep the whole head in memory, 32 KiB at most, so this makes a
    // copy.
    this.#young.set(latin1(latin1Bytes(client), 0, client.length), bucket);
    return bucket;
  }
}
