/**
 * All that one scaling decision rests on, as plain numbers: what the decision log keeps, and from which the decision
 * can be made again. Absent: not known. Replica counts include endpoints that others run. `…Ms` are milliseconds,
 * `since…Ms` ages, `…PerSecond` rates, flags 0 or 1.
 */
export interface ScaleInputs {
  /** 1 at a tick; 0 when a request that waits for a slot asks: then only `concurrency` is looked at. */
  tick: number;
  ready: number;
  starting: number;
  /** Of the ready ones, those younger than their warm-up. */
  warming: number;
  min: number;
  max: number;
  /** Replicas that the budget of all services still allows. */
  budgetLeft: number;
  concurrency: number;
  inFlight: number;
  held: number;

  samples: number;
  minSamples: number;
  windowMs: number;
  quantile: number;
  quantileMs?: number;
  aboveMs: number;
  /** Ticks in a row with the quantile over the threshold, this one included. */
  overTicks: number;
  ticks: number;

  arrivalsPerSecond: number;
  completionsPerSecond: number;
  windowArrivals: number;
  windowCompletions: number;
  /** Most completions per second and replica seen under the threshold. */
  sustainedPerSecond?: number;
  /** Most completions per second in all that fewer replicas were seen to carry with the latency low; 0: none. */
  easedPerSecond: number;
  utilisation: number;

  stepUp: number;
  stepUpEveryMs: number;
  stepDownEveryMs: number;
  sinceUpMs?: number;
  sinceChangeMs?: number;
  cooldownLeftMs: number;

  downWindowMs: number;
  /** How much of that window there is data of, ms. */
  downCoveredMs: number;
  peakArrivalsPerSecond: number;
  peakRequests: number;
  downBelow: number;
  flapTokens: number;

  /** Starts that the circuit lets through now; absent: any number. */
  startsAllowed?: number;
}

/** Change in replicas that something asks for. */
export interface Proposal {
  kind: 'concurrency' | 'latency' | 'down';
  from: number;
  to: number;
  /** One line with the numbers. */
  reason: string;
}

/** Replicas that count as capacity: those that start are as good as there. */
export function capacityOf({ ready, starting }: ScaleInputs): number {
  return ready + starting;
}

/**
 * Completions per second that a replica is known to manage: the sustained rate, or what each does at present if that
 * is more. Undefined while nothing is known.
 */
export function knownRate({ sustainedPerSecond = 0, completionsPerSecond, ready }: ScaleInputs): number | undefined {
  const rate = Math.max(sustainedPerSecond, ready === 0 ? 0 : completionsPerSecond / ready);
  return rate > 0 ? rate : undefined;
}
