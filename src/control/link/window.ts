import { bucketMiddle, Histogram, type SparseCounts } from '../../util/histogram.ts';

/** Rates are taken over this long, ms: long enough for a few hundred requests, short enough to follow a step. */
export const RATE_PERIOD_MS = 5000;
/** What little came in less time than this, between two looks at the status, is no rate of a second, ms. */
const LEAST_SPAN_MS = 1000;

/** What one report of one edge adds to what is known of a service. */
export interface WindowEntry {
  /** When the report came, the clock's ms. */
  at: number;
  edge: string;
  /** Time that the report covers, ms. */
  spanMs: number;
  arrivals: number;
  completions: number;
  /** Times to first byte on endpoints past their warm-up. */
  ttfb: SparseCounts[];
  /** Times to first byte on all endpoints. */
  allTtfb: SparseCounts;
  /** Requests in flight or held at the time of the report. */
  requests: number;
  /** Endpoints that could get requests. */
  ready: number;
}

export interface LatencyQuery {
  windowMs: number;
  /** The window grows up to this while there are fewer than `minSamples`. */
  maxWindowMs: number;
  minSamples: number;
  /** 0 to 1. */
  quantile: number;
  /** Requests that wait longer than `aboveMs` for their first byte count as samples: their ages. */
  waiting: SparseCounts[];
  aboveMs: number;
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
    const histogram = new Histogram();
    for (const ages of query.waiting) addAbove(histogram, ages, query.aboveMs);
    const view = { spanMs: query.windowMs, arrivals: 0, completions: 0 };
    for (let i = this.#entries.length - 1; i >= 0; i--) {
      const entry = this.#entries[i] as WindowEntry;
      const age = now - entry.at;
      if (age >= query.maxWindowMs || (age >= query.windowMs && histogram.total >= query.minSamples)) break;
      view.spanMs = Math.max(view.spanMs, age);
      view.arrivals += entry.arrivals;
      view.completions += entry.completions;
      for (const counts of entry.ttfb) histogram.merge(counts);
    }
    return { ...view, samples: histogram.total, quantileMs: histogram.quantile(query.quantile) };
  }

  /** Quantiles (ms) of the time to first byte on all endpoints within the last `periodMs`, in the order asked for. */
  quantiles(now: number, periodMs: number, qs: number[]): (number | undefined)[] {
    const histogram = new Histogram();
    for (const entry of this.#within(now, periodMs)) histogram.merge(entry.allTtfb);
    return qs.map((q) => histogram.quantile(q));
  }

  /** Arrivals and completions per second over the last `periodMs`, and the most endpoints that shared them. */
  rates(now: number, periodMs = RATE_PERIOD_MS): { arrivals: number; completions: number; ready: number } {
    const entries = this.#within(now, periodMs);
    return { ...ratesOf(entries), ready: entries.reduce((most, entry) => Math.max(most, entry.ready), 0) };
  }

  /** Arrivals per second over the last `periodMs`, in which time without a report counts as time without arrivals. */
  arrivalsBefore(now: number, periodMs: number): number {
    return this.#within(now, periodMs).reduce((sum, entry) => sum + entry.arrivals, 0) / (periodMs / 1000);
  }

  /** The greatest arrival rate over any few seconds, and the most requests at once, since `since` (the clock's ms). */
  peaks(now: number, since: number): { arrivals: number; requests: number } {
    const groups = new Map<number, WindowEntry[]>();
    const requests = new Map<string, number>();
    for (const entry of this.#within(now, now - since)) {
      const group = Math.floor((now - entry.at) / RATE_PERIOD_MS);
      groups.set(group, [...(groups.get(group) ?? []), entry]);
      requests.set(entry.edge, Math.max(requests.get(entry.edge) ?? 0, entry.requests));
    }
    let arrivals = 0;
    for (const entries of groups.values()) arrivals = Math.max(arrivals, ratesOf(entries).arrivals);
    return { arrivals, requests: [...requests.values()].reduce((sum, most) => sum + most, 0) };
  }

  #within(now: number, periodMs: number): WindowEntry[] {
    const from = now - periodMs;
    let first = this.#entries.length;
    while (first > 0 && (this.#entries[first - 1] as WindowEntry).at > from) first--;
    return this.#entries.slice(first);
  }
}

/**
 * Arrivals and completions per second of all edges together: of each over the time that its own reports cover, as one
 * may have begun to report, or report again, later than the others.
 */
function ratesOf(entries: readonly WindowEntry[]): { arrivals: number; completions: number } {
  const edges = new Map<string, { spanMs: number; arrivals: number; completions: number }>();
  for (const { edge, spanMs, arrivals, completions } of entries) {
    const sums = edges.get(edge) ?? { spanMs: 0, arrivals: 0, completions: 0 };
    sums.spanMs += spanMs;
    sums.arrivals += arrivals;
    sums.completions += completions;
    edges.set(edge, sums);
  }
  const rates = { arrivals: 0, completions: 0 };
  for (const { spanMs, arrivals, completions } of edges.values()) {
    const seconds = Math.max(LEAST_SPAN_MS, spanMs) / 1000;
    rates.arrivals += arrivals / seconds;
    rates.completions += completions / seconds;
  }
  return rates;
}

function addAbove(histogram: Histogram, ages: SparseCounts, aboveMs: number): void {
  for (let i = 0; i + 1 < ages.length; i += 2) {
    const bucket = ages[i] as number;
    if (bucketMiddle(bucket) > aboveMs) histogram.addBucket(bucket, ages[i + 1] as number);
  }
}
