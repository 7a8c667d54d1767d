/**
 * Increases that did not help: after one there is no other for a while, unless far more is asked for. Plain data, kept over
 * restarts; times are the clock's ms.
 */
export interface Frozen {
  until: number;
  /** Increases in vain since the last that was answered with more: each of them doubles the while. */
  count: number;
  /** Arrivals per second at the last of them. */
  arrivals: number;
  /** … and those at which it is lifted. */
  liftedAt: number;
}

export const notFrozen: Frozen = { until: Number.NEGATIVE_INFINITY, count: 0, arrivals: 0, liftedAt: 0 };
