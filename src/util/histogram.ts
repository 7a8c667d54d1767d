/** Sixteen sub-buckets per power of two: a value is known to within 6 %, read back at the bucket's middle to 3 %. */
const SUB_BITS = 4;
const SUB = 1 << SUB_BITS;
const BUCKETS = (31 - SUB_BITS + 1) * SUB;

/** Sparse counts as they cross the Link: bucket, count, bucket, count … in rising order of bucket. */
export type SparseCounts = number[];

/** Bucket of a duration in milliseconds (0 to about 35 minutes; longer ones fall into the last bucket). */
export function bucketOf(ms: number): number {
  const us = ms <= 0 ? 0 : ms >= 2_147_483 ? 0x7fffffff : (ms * 1000) | 0;
  if (us < SUB) return us;
  const exponent = 31 - Math.clz32(us);
  return ((exponent - SUB_BITS + 1) << SUB_BITS) + ((us >> (exponent - SUB_BITS)) & (SUB - 1));
}

/** Lower edge of a bucket in milliseconds. */
export function bucketFloor(bucket: number): number {
  if (bucket < SUB) return bucket / 1000;
  const exponent = (bucket >> SUB_BITS) + SUB_BITS - 1;
  return ((SUB + (bucket & (SUB - 1))) * 2 ** (exponent - SUB_BITS)) / 1000;
}

/** Worked out once: windows of reports are merged many times a second, bucket by bucket. */
const MIDDLES = Float64Array.from(
  { length: BUCKETS },
  (_, bucket) => (bucketFloor(bucket) + bucketFloor(bucket + 1)) / 2,
);

/** Middle of a bucket in milliseconds: what a quantile answers. */
export function bucketMiddle(bucket: number): number {
  return MIDDLES[bucket] as number;
}

/** Counts of durations in logarithmic buckets; adding costs one array increment. */
export class Histogram {
  readonly #counts = new Uint32Array(BUCKETS);
  #total = 0;
  #sum = 0;

  /** Number of values added. */
  get total(): number {
    return this.#total;
  }

  /** Sum of the values added, milliseconds (of merged counts: of bucket middles). */
  get sum(): number {
    return this.#sum;
  }

  /** Adds one duration, in milliseconds. */
  add(ms: number): void {
    const bucket = bucketOf(ms);
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#total++;
    this.#sum += ms;
  }

  /** Adds `count` values of one bucket. */
  addBucket(bucket: number, count: number): void {
    this.#counts[bucket] = (this.#counts[bucket] as number) + count;
    this.#total += count;
    this.#sum += bucketMiddle(bucket) * count;
  }

  /** Adds counts that came over the Link. */
  merge(sparse: SparseCounts): void {
    for (let i = 0; i + 1 < sparse.length; i += 2) this.addBucket(sparse[i] as number, sparse[i + 1] as number);
  }

  /** The value (ms) that the share `q` (0 to 1) of all values does not exceed; undefined when empty. */
  quantile(q: number): number | undefined {
    if (this.#total === 0) return undefined;
    const rank = Math.max(1, Math.ceil(q * this.#total));
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#counts[bucket] as number;
      if (seen >= rank) return bucketMiddle(bucket);
    }
    return undefined;
  }

  /** The counts as plain data. */
  sparse(): SparseCounts {
    const out: SparseCounts = [];
    let left = this.#total;
    for (let bucket = 0; left > 0 && bucket < BUCKETS; bucket++) {
      const count = this.#counts[bucket] as number;
      if (count === 0) continue;
      out.push(bucket, count);
      left -= count;
    }
    return out;
  }

  reset(): void {
    if (this.#total > 0) this.#counts.fill(0);
    this.#total = 0;
    this.#sum = 0;
  }
}

/** How many values were counted. */
export function countOf(counts: SparseCounts): number {
  let count = 0;
  for (let i = 1; i < counts.length; i += 2) count += counts[i] as number;
  return count;
}

/** Both together, in rising order of bucket. */
export function mergeSparse(a: SparseCounts, b: SparseCounts): SparseCounts {
  const merged: SparseCounts = [];
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const [left, right] = [a[i] ?? Number.POSITIVE_INFINITY, b[j] ?? Number.POSITIVE_INFINITY];
    const count = (left <= right ? (a[i + 1] as number) : 0) + (right <= left ? (b[j + 1] as number) : 0);
    merged.push(Math.min(left, right), count);
    if (left <= right) i += 2;
    if (right <= left) j += 2;
  }
  return merged;
}

/** As `Histogram.quantile`, of counts. */
export function sparseQuantile(counts: SparseCounts, q: number): number | undefined {
  const rank = Math.max(1, Math.ceil(q * countOf(counts)));
  let seen = 0;
  for (let i = 0; i + 1 < counts.length; i += 2) {
    seen += counts[i + 1] as number;
    if (seen >= rank) return bucketMiddle(counts[i] as number);
  }
  return undefined;
}
