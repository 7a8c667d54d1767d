import { latin1, latin1Bytes } from '../http1/latin1.ts';

/** One limiter remembers at most so many clients, in two halves. */
const MAX_CLIENTS = 20_000;

interface Bucket {
  tokens: number;
  at: number;
}

/** The limiter is one of so many that keep a rate together: each has an equal part of it. */
export interface RateShare {
  /** At least 1; changes while it is used. */
  of: number;
}

/**
 * Keeps a token bucket per client, in a table of bounded size. When the younger half is full, the older one is
 * forgotten, with every client that was silent meanwhile. A forgotten client has a full bucket again, so at worst it
 * may do once more what it was allowed to do anyway.
 */
export class RateLimiter {
  readonly #perMs: number;
  readonly #burst: number;
  readonly #share: RateShare;
  #young = new Map<string, Bucket>();
  #old = new Map<string, Bucket>();

  /**
   * @param perSecond requests per second in the long run, more than 0
   * @param burst requests at once, at least 1; where there are more limiters than these, each lets one through
   */
  constructor(perSecond: number, burst: number, share: RateShare = { of: 1 }) {
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#share = share;
  }

  /**
   * Takes one request's token at `now` (the clock's ms).
   * @returns 0, or how long until there is one, ms
   */
  take(client: string, now: number): number {
    const { of } = this.#share;
    const perMs = this.#perMs / of;
    const burst = Math.max(1, Math.floor(this.#burst / of));
    const bucket = this.#young.get(client) ?? this.#remember(client, now);
    bucket.tokens = Math.min(burst, bucket.tokens + (now - bucket.at) * perMs);
    bucket.at = now;
    if (bucket.tokens >= 1) {
      bucket.tokens--;
      return 0;
    }
    return (1 - bucket.tokens) / perMs;
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
