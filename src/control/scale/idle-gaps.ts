/** Buckets per doubling: a gap is known to within 9 %. */
const PER_OCTAVE = 8;
/** Upper edge of the first bucket is 2⁴ ms, of the last one 2³² ms (49 days). */
const FIRST_OCTAVE = 4;
const LAST_OCTAVE = 32;
/** Bucket 0 holds all gaps under 16 ms, the last one all that are longer than 49 days. */
export const GAP_BUCKETS = (LAST_OCTAVE - FIRST_OCTAVE) * PER_OCTAVE + 2;

/** Upper edges of the buckets, ms; the last one ends nowhere, and has that of the one before. */
const EDGES = Float64Array.from(
  { length: GAP_BUCKETS },
  (_, i) => 2 ** (FIRST_OCTAVE + Math.min(i, GAP_BUCKETS - 2) / PER_OCTAVE),
);
/** What their gaps are taken for, ms. */
const MIDDLES = EDGES.map((edge, i) => (i === 0 ? edge / 2 : ((EDGES[i - 1] as number) + edge) / 2));

/** Half of what is known is forgotten within this time, ms … */
const HALF_LIFE_MS = 86_400_000;
/** … but never within fewer gaps than this: what happens once a day is known as well. */
const HALF_LIFE_GAPS = 40;
/** Decay is applied when so much of a half-life has come together: it walks through all buckets. */
const DECAY_STEP = 1 / 64;

const HOUR_MS = 3_600_000;
/** Before anything is known a call an hour is assumed, which counts as so many gaps. */
const GUESSED_CALLS = 1;

/** Bucket of an idle gap of so many ms. */
export function gapBucket(ms: number): number {
  if (!(ms > 2 ** FIRST_OCTAVE)) return 0;
  return Math.min(GAP_BUCKETS - 1, Math.ceil((Math.log2(ms) - FIRST_OCTAVE) * PER_OCTAVE - 1e-9));
}

/** No gap of the bucket is longer, ms; of the last one, the least that its gaps have in common. */
export function gapEdge(bucket: number): number {
  return EDGES[bucket] as number;
}

/** What a gap of the bucket is taken for, ms. */
export function gapMiddle(bucket: number): number {
  return MIDDLES[bucket] as number;
}

/**
 * How long a service was idle between its requests: decaying counts in logarithmic buckets from milliseconds to weeks,
 * under a kilobyte each.
 */
export class IdleGaps {
  readonly counts: Float32Array;
  #total: number;
  /** Of all gaps together, ms. */
  #sumMs: number;
  /** Part of a half-life that was not applied yet. */
  #due = 0;
  #version = 0;

  /** @param counts as kept before; `GAP_BUCKETS` of them */
  constructor(counts: Float32Array = new Float32Array(GAP_BUCKETS)) {
    this.counts = counts;
    this.#total = counts.reduce((sum, count) => sum + count, 0);
    this.#sumMs = counts.reduce((sum, count, bucket) => sum + count * gapMiddle(bucket), 0);
  }

  /** Gaps that are known; those long ago count for less. */
  get total(): number {
    return this.#total;
  }

  /** How long they are on average, ms; 0 where none is known. */
  get meanMs(): number {
    return this.#total > 0 ? this.#sumMs / this.#total : 0;
  }

  /** Another number after each change. */
  get version(): number {
    return this.#version;
  }

  /**
   * @param gapMs how long it was idle
   * @param count so many gaps of that length
   */
  add(gapMs: number, count = 1): void {
    const bucket = gapBucket(gapMs);
    this.#due += Math.min((gapMs * count) / HALF_LIFE_MS, count / HALF_LIFE_GAPS);
    if (this.#due >= DECAY_STEP) this.#decay();
    this.counts[bucket] = (this.counts[bucket] as number) + count;
    this.#total += count;
    this.#sumMs += count * gapMiddle(bucket);
    this.#version++;
  }

  /**
   * How often an hour of idleness it was called again.
   * @param leastMs what comes sooner belongs to what came before
   */
  callsPerHour(leastMs: number): number {
    let [calls, idleMs] = [GUESSED_CALLS, GUESSED_CALLS * HOUR_MS];
    this.counts.forEach((count, bucket) => {
      if (count === 0) return;
      idleMs += count * gapMiddle(bucket);
      if (gapMiddle(bucket) >= leastMs) calls += count;
    });
    return (calls * HOUR_MS) / idleMs;
  }

  #decay(): void {
    const factor = 0.5 ** this.#due;
    this.#due = 0;
    let total = 0;
    let sumMs = 0;
    for (let i = 0; i < GAP_BUCKETS; i++) {
      const count = (this.counts[i] as number) * factor;
      // What is left of a single gap long ago says nothing any more.
      this.counts[i] = count < 0.01 ? 0 : count;
      total += this.counts[i] as number;
      sumMs += (this.counts[i] as number) * gapMiddle(i);
    }
    this.#total = total;
    this.#sumMs = sumMs;
  }
}
