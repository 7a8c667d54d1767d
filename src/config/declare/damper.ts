import type { Declaration } from '../../model/declarations.ts';
import { canonicalJson } from '../../util/hash.ts';
import {
  type BucketRate,
  fullBucket,
  type TokenBucket,
  takeToken,
  tokensAt,
  untilToken,
} from '../../util/token-bucket.ts';

/** How often one declaration may change: a handful of times at once, then every ten seconds. */
const RATE: BucketRate = { burst: 5, perMinute: 6 };

interface Entry {
  /** What holds; undefined: nothing. */
  held: Declaration | undefined;
  text: string;
  bucket: TokenBucket;
}

/**
 * Lets what declarations say through at once, and what one says again and again only now and then: until then what it
 * said last holds, or that it was not there.
 */
export class Damper {
  readonly #entries = new Map<string, Entry>();
  readonly #idOf: (declaration: Declaration) => string;

  constructor(idOf: (declaration: Declaration) => string) {
    this.#idOf = idOf;
  }

  /**
   * Takes what all declarations say now.
   * @param now the clock's ms
   * @returns what holds (the same objects as long as nothing changed), which of them change too often, and when that is
   *   to be looked at again: undefined where nothing waits
   */
  take(
    wanted: readonly Declaration[],
    now: number,
  ): { held: Declaration[]; restless: Set<string>; againInMs: number | undefined } {
    const byId = new Map(wanted.map((declaration) => [this.#idOf(declaration), declaration]));
    const restless = new Set<string>();
    let againInMs: number | undefined;
    for (const id of new Set([...this.#entries.keys(), ...byId.keys()])) {
      const declaration = byId.get(id);
      const text = declaration === undefined ? '' : canonicalJson(declaration);
      const entry = this.#entries.get(id) ?? { held: undefined, text: '', bucket: fullBucket(RATE, now) };
      this.#entries.set(id, entry);
      if (entry.text !== text) {
        const waitMs = untilToken(entry.bucket, RATE, now);
        if (waitMs > 0) {
          restless.add(id);
          againInMs = Math.min(againInMs ?? Number.POSITIVE_INFINITY, waitMs);
          continue;
        }
        entry.held = declaration;
        entry.text = text;
        entry.bucket = takeToken(entry.bucket, RATE, now);
      }
      const isForgotten = entry.held === undefined && tokensAt(entry.bucket, RATE, now) >= RATE.burst;
      if (isForgotten) this.#entries.delete(id);
    }
    const held = [...this.#entries.values()].flatMap((entry) => entry.held ?? []);
    return { held, restless, againInMs };
  }
}
