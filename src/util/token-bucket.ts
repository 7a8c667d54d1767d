/** Tokens that come back at a steady rate up to a limit. Plain data, so that a decision can be replayed from it. */
export interface TokenBucket {
  /** Whole and part tokens at `at`. */
  tokens: number;
  /** The clock's ms. */
  at: number;
}

export interface BucketRate {
  /** Most tokens; a new bucket is full. */
  burst: number;
  perMinute: number;
}

export function fullBucket(rate: BucketRate, now: number): TokenBucket {
  return { tokens: rate.burst, at: now };
}

/** Tokens in the bucket at `now`. */
export function tokensAt(bucket: TokenBucket, rate: BucketRate, now: number): number {
  return Math.min(rate.burst, bucket.tokens + ((now - bucket.at) / 60_000) * rate.perMinute);
}

/** The bucket less one token; may go no lower than empty. */
export function takeToken(bucket: TokenBucket, rate: BucketRate, now: number): TokenBucket {
  return { tokens: Math.max(0, tokensAt(bucket, rate, now) - 1), at: now };
}

/** How long until there is a whole token, ms; 0 when there is one. */
export function untilToken(bucket: TokenBucket, rate: BucketRate, now: number): number {
  const missing = 1 - tokensAt(bucket, rate, now);
  return missing <= 0 ? 0 : (missing / rate.perMinute) * 60_000;
}
