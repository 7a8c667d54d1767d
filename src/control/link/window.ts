import { bucketMiddle, Histogram, type SparseCounts } from '../../util/histogram.ts';

/** Rates are taken over this long, ms: long enough for a few hundred requests, short enough to follow a step. */
export const RATE_PERIOD_MS = 5000;
/** What little came in less time than this, between two looks at the status, is no rate of a second, ms. */
const LEAST_SPAN_MS = 1000;

/** A report counts from a moment on when it began so little before, ms. */
const REPORT_SLACK_MS = 250;

/** What one report of one edge adds to what is known of a service. */
export interface WindowEntry {
  /** When the report came, the clock's ms. */
  at: number;
  edge: string;
  /** Time that the report covers, ms. */
  spanMs: number;
  arrivals: number;
  /** Answers begun. */
  completions: number;
  good: number;
  shed: number;
  errors: number;
  /** Requests in flight or waiting for a slot, integrated over the span, request × ms. */
  loadMs: number;
  /** Times to first byte on endpoints past their warm-up. */
  ttfb: SparseCounts[];
  /** Times to first byte on all endpoints. */
  allTtfb: SparseCounts;
}

export interface LatencyQuery {
  windowMs: number;
  /** The window grows up to this while there are fewer than `minSamples`. */
  maxWindowMs: number;
  minSamples: number;
  /** 0 to 1. */
  quantile: number;
  /** By so many standard errors of the samples it is taken lower: what is over a limit then is so by more than chance. */
  errorsLess: number;
  /** Requests that wait longer than `aboveMs` for their first byte count as samples: their ages. */
  waiting: SparseCounts[];
  aboveMs: number;
  /** Nothing before this counts, the clock's ms. */
  since: number;
}

/** Per second, of all edges together; `load` is the average number of requests in flight or waiting for a slot. */
export interface Rates {
  arrivals: number;
  completions: number;
  good: number;
  shed: number;
  errors: number;
  load: number;
}

interface LatencyView {
  samples: number;
  /** Undefined without samples. */
  quantileMs: number | undefined;
  /** How long the window became, ms. */
  spanMs: number;
  /** Requests that arrived, and that the service began to answer, within it. */
  arrivals: number;
  completions: number;
}

/** For one look after the other: none keeps it. */
const scratch = new Histogram();

/** The last minutes of a service, as its edges reported them. */
export class ServiceWindow {
  readonly #entries: WindowEntry[] = [];
  #keepMs: number;

  constructor(keepMs: number) {
    this.#keepMs = keepMs;
  }

  /** How long reports are kept, ms. */
  set keepMs(keepMs: number) {
    this.#keepMs = keepMs;
  }

  add(entry: WindowEntry): void {
    this.#entries.push(entry);
    let old = 0;
    while ((this.#entries[old] as WindowEntry).at < entry.at - this.#keepMs) old++;
    if (old > 0) this.#entries.splice(0, old);
  }

  /** What was seen of endpoints of another configuration says nothing of the new one. */
  clear(): void {
    this.#entries.length = 0;
  }

  /** Latency over the window, which is extended while samples are few. */
  latency(now: number, query: LatencyQuery): LatencyView {
    const histogram = scratch;
    histogram.reset();
    for (const ages of query.waiting) addAbove(histogram, ages, query.aboveMs);
    const view = { spanMs: query.windowMs, arrivals: 0, completions: 0 };
    for (let i = this.#entries.length - 1; i >= 0; i--) {
      const entry = this.#entries[i] as WindowEntry;
      const age = now - entry.at;
      if (
        entry.at - entry.spanMs < query.since - REPORT_SLACK_MS ||
        age >= query.maxWindowMs ||
        (age >= query.windowMs && histogram.total >= query.minSamples)
      )
        break;
      view.spanMs = Math.max(view.spanMs, age);
      view.arrivals += entry.arrivals;
      view.completions += entry.completions;
      for (const counts of entry.ttfb) histogram.merge(counts);
    }
    const samples = histogram.total;
    return { ...view, samples, quantileMs: histogram.quantile(quantileWithin(query, samples)) };
  }

  /** Quantiles (ms) of the time to first byte on all endpoints within the last `periodMs`, in the order asked for. */
  quantiles(now: number, periodMs: number, qs: number[]): (number | undefined)[] {
    const histogram = scratch;
    histogram.reset();
    for (const entry of this.#within(now, periodMs)) histogram.merge(entry.allTtfb);
    return qs.map((q) => histogram.quantile(q));
  }

  /** What happened per second between two moments, the clock's ms: from after `from` to `to`. */
  rates(from: number, to: number): Rates {
    const end = this.#after(to);
    return ratesOf(this.#entries, this.#after(from, end), end);
  }

  /** Arrivals per second over the last `periodMs`, in which time without a report counts as time without arrivals. */
  arrivalsBefore(now: number, periodMs: number): number {
    return this.#within(now, periodMs).reduce((sum, entry) => sum + entry.arrivals, 0) / (periodMs / 1000);
  }

  /** The greatest arrival rate over any `overMs` since `since` (the clock's ms). */
  peak(now: number, since: number, overMs: number): number {
    let peak = 0;
    for (let to = now; to > since; to -= overMs) {
      peak = Math.max(peak, this.rates(Math.max(since, to - overMs), to).arrivals);
    }
    return peak;
  }

  /** The greatest load over any few seconds since `since` (the clock's ms). */
  peakLoad(now: number, since: number): number {
    let peak = 0;
    for (let to = now; to > since; to -= RATE_PERIOD_MS) {
      peak = Math.max(peak, this.rates(Math.max(since, to - RATE_PERIOD_MS), to).load);
    }
    return peak;
  }

  #within(now: number, periodMs: number): WindowEntry[] {
    return this.#between(now - periodMs, now);
  }

  #between(from: number, to: number): WindowEntry[] {
    const end = this.#after(to);
    return this.#entries.slice(this.#after(from, end), end);
  }

  /** The place of the first entry, of those before `end`, that came after a moment. */
  #after(moment: number, end = this.#entries.length): number {
    let low = 0;
    let high = end;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#entries[middle] as WindowEntry).at > moment) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/**
 * What all edges tell of per second: of each over the time that its own reports cover, as one may have begun to report,
 * or report again, later than the others.
 */
function ratesOf(entries: readonly WindowEntry[], first: number, end: number): Rates {
  // A dozen of them are asked for at each tick: no copy is made, and of one edge alone none is looked up.
  const sums = noSums();
  const edge = entries[first]?.edge;
  let index = first;
  for (; index < end; index++) {
    const entry = entries[index] as WindowEntry;
    if (entry.edge !== edge) break;
    addTo(sums, entry);
  }
  const rates: Rates = { arrivals: 0, completions: 0, good: 0, shed: 0, errors: 0, load: 0 };
  if (edge === undefined) return rates;
  if (index === end) return withRates(rates, sums);
  const edges = new Map([[edge, sums]]);
  for (; index < end; index++) {
    const entry = entries[index] as WindowEntry;
    const others = edges.get(entry.edge) ?? noSums();
    edges.set(entry.edge, others);
    addTo(others, entry);
  }
  for (const each of edges.values()) withRates(rates, each);
  return rates;
}

type Sums = Rates & { spanMs: number };

function addTo(sums: Sums, entry: WindowEntry): void {
  sums.spanMs += entry.spanMs;
  sums.arrivals += entry.arrivals;
  sums.completions += entry.completions;
  sums.good += entry.good;
  sums.shed += entry.shed;
  sums.errors += entry.errors;
  sums.load += entry.loadMs / 1000;
}

/** Adds what one edge tells of. */
function withRates(rates: Rates, sums: Sums): Rates {
  const seconds = Math.max(LEAST_SPAN_MS, sums.spanMs) / 1000;
  rates.arrivals += sums.arrivals / seconds;
  rates.completions += sums.completions / seconds;
  rates.good += sums.good / seconds;
  rates.shed += sums.shed / seconds;
  rates.errors += sums.errors / seconds;
  rates.load += sums.load / seconds;
  return rates;
}

function noSums(): Sums {
  return { spanMs: 0, arrivals: 0, completions: 0, good: 0, shed: 0, errors: 0, load: 0 };
}

function quantileWithin({ quantile, errorsLess }: LatencyQuery, samples: number): number {
  return Math.max(0, quantile - errorsLess * Math.sqrt((quantile * (1 - quantile)) / Math.max(1, samples)));
}

function addAbove(histogram: Histogram, ages: SparseCounts, aboveMs: number): void {
  for (let i = 0; i + 1 < ages.length; i += 2) {
    const bucket = ages[i] as number;
    if (bucketMiddle(bucket) > aboveMs) histogram.addBucket(bucket, ages[i + 1] as number);
  }
}
