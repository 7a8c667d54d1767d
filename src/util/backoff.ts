/** Exponential back-off with a cap and jitter; all times in milliseconds. */
export interface BackoffOptions {
  /** First delay. */
  base: number;
  /** Largest delay before jitter. */
  cap: number;
  /** Share of the delay that is random, 0 to 1: the result lies in delay × [1 − jitter, 1]. */
  jitter: number;
}

/** The delay after `failures` failures in a row (1 or more). `random` gives a number in [0, 1). */
export function backoffDelay(failures: number, options: BackoffOptions, random: () => number = Math.random): number {
  const delay = Math.min(options.cap, options.base * 2 ** Math.min(30, Math.max(0, failures - 1)));
  return delay * (1 - options.jitter * random());
}
