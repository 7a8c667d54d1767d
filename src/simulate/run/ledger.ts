import { bucketMiddle, bucketOf } from '../../util/histogram.ts';
import type { SecondPoint, ServiceOutcome } from '../outcome.ts';

/** How many seconds of answers a second's quantiles are taken over. */
const QUANTILE_SECONDS = 5;
const BUCKETS = bucketOf(Number.POSITIVE_INFINITY) + 1;

/** How a request ended. */
export type Ending = 'answered' | 'shed' | 'errors' | 'lost';

/** Replicas by what they are doing. */
export interface ReplicaTally {
  ready: number;
  starting: number;
  retiring: number;
}

/** What one service comes to, second by second. It counts from `begin` on. */
export class Ledger {
  readonly outcome: ServiceOutcome;
  readonly #quantile: number;
  readonly #aboveMs: () => number;
  readonly #seconds: Uint32Array[] = [];
  #tally: ReplicaTally = { ready: 0, starting: 0, retiring: 0 };
  #talliedAt = 0;
  #isOpen = false;
  #point = emptyPoint(0);

  constructor(service: string, quantile: number, aboveMs: () => number) {
    this.#quantile = quantile;
    this.#aboveMs = aboveMs;
    this.outcome = {
      service,
      starts: 0,
      failedStarts: 0,
      stops: 0,
      replicaSeconds: 0,
      mostReplicas: 0,
      lastReplicas: 0,
      secondsOver: 0,
      arrivals: 0,
      answered: 0,
      shed: 0,
      errors: 0,
      lost: 0,
      series: [],
      decisions: [],
    };
    this.#turn();
  }

  /** The load begins. */
  begin(now: number): void {
    this.#isOpen = true;
    this.#talliedAt = now;
    this.tally(this.#tally, now);
  }

  arrived(): void {
    this.#point.arrivals++;
    this.outcome.arrivals++;
  }

  /** @param ms time to its first byte as its client saw it; undefined: there was none */
  ended(ending: Ending, ms: number | undefined): void {
    this.#point[ending]++;
    this.outcome[ending]++;
    if (ms === undefined) return;
    const counts = this.#seconds[this.#seconds.length - 1] as Uint32Array;
    const bucket = bucketOf(ms);
    counts[bucket] = (counts[bucket] as number) + 1;
  }

  started(): void {
    if (this.#isOpen) this.outcome.starts++;
  }

  startFailed(): void {
    if (this.#isOpen) this.outcome.failedStarts++;
  }

  stopped(): void {
    if (this.#isOpen) this.outcome.stops++;
  }

  /** There are other numbers of replicas from now on. */
  tally(tally: ReplicaTally, now: number): void {
    if (this.#isOpen) {
      const { ready, starting, retiring } = this.#tally;
      this.outcome.replicaSeconds += ((ready + starting + retiring) * (now - this.#talliedAt)) / 1000;
      this.#talliedAt = now;
      this.outcome.mostReplicas = Math.max(this.outcome.mostReplicas, tally.ready + tally.starting);
    }
    this.#tally = tally;
  }

  /**
   * A second is over.
   * @param ages of requests that still wait, ms
   */
  endSecond(now: number, inFlight: number, queued: number, ages: readonly number[]): void {
    this.tally(this.#tally, now);
    const counts = new Uint32Array(BUCKETS);
    let total = 0;
    for (const second of this.#seconds) {
      for (let bucket = 0; bucket < BUCKETS; bucket++) {
        const count = second[bucket] as number;
        if (count === 0) continue;
        counts[bucket] = (counts[bucket] as number) + count;
        total += count;
      }
    }
    for (const age of ages) {
      const bucket = bucketOf(age);
      counts[bucket] = (counts[bucket] as number) + 1;
      total++;
    }
    const aboveMs = this.#aboveMs();
    const point: SecondPoint = {
      ...this.#point,
      ...this.#tally,
      inFlight,
      queued,
      p50Ms: quantileOf(counts, total, 0.5),
      p95Ms: quantileOf(counts, total, this.#quantile),
      aboveMs,
    };
    if ((point.p95Ms ?? 0) > aboveMs) this.outcome.secondsOver++;
    this.outcome.lastReplicas = point.ready + point.starting;
    this.outcome.series.push(point);
    this.#point = emptyPoint(point.second + 1);
    this.#turn();
  }

  #turn(): void {
    this.#seconds.push(new Uint32Array(BUCKETS));
    if (this.#seconds.length > QUANTILE_SECONDS) this.#seconds.shift();
  }
}

function emptyPoint(second: number): SecondPoint {
  const counts = { arrivals: 0, answered: 0, shed: 0, errors: 0, lost: 0, inFlight: 0, queued: 0 };
  const replicas = { ready: 0, starting: 0, retiring: 0 };
  return { second, ...counts, ...replicas, p50Ms: undefined, p95Ms: undefined, aboveMs: 0 };
}

function quantileOf(counts: Uint32Array, total: number, q: number): number | undefined {
  if (total === 0) return undefined;
  const rank = Math.max(1, Math.ceil(q * total));
  let seen = 0;
  for (let bucket = 0; bucket < counts.length; bucket++) {
    seen += counts[bucket] as number;
    if (seen >= rank) return bucketMiddle(bucket);
  }
  return undefined;
}
