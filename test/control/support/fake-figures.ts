import type { EndpointReport, ServiceReport } from '../../../src/model/link.ts';
import { Histogram } from '../../../src/util/histogram.ts';

type Counters = Pick<
  ServiceReport,
  'arrivals' | 'codes' | 'completions' | 'good' | 'errors' | 'resets' | 'shed' | 'loadMs' | 'holdRejected' | 'ttfb'
>;

interface EndpointFigures {
  answers: number;
  ttfb: Histogram;
  calm: Histogram;
}

const counters = () => ({ arrivals: 0, good: 0, errors: 0, resets: 0, shed: 0, loadMs: 0, full: 0, deadline: 0 });

/** What a fake edge reports of one service, by the same rules as a real one. Times are the clock's ms. */
export class FakeFigures {
  #counts = counters();
  #codes = new Map<number, number>();
  #ttfb = new Histogram();
  #endpoints = new Map<string, EndpointFigures>();
  /** Only requests that came then or later are timed by endpoint. */
  timedFrom = Number.NEGATIVE_INFINITY;
  #load = 0;
  #loadAt = 0;

  count(what: 'arrivals' | 'resets'): void {
    this.#counts[what]++;
  }

  refused(why: 'full' | 'deadline'): void {
    this.#counts[why]++;
    this.#counts.shed++;
  }

  /** So many requests are in flight, or wait for a slot, from now on. */
  load(count: number, now: number): void {
    this.#counts.loadMs += this.#load * (now - this.#loadAt);
    this.#load = count;
    this.#loadAt = now;
  }

  /** Another endpoint takes requests from now on. */
  timeAnew(now: number): void {
    this.timedFrom = now;
    for (const { ttfb, calm } of this.#endpoints.values()) {
      ttfb.reset();
      calm.reset();
    }
  }

  /**
   * An answer began.
   * @param ms time to its first byte
   * @param isCalm nothing else was in flight on the endpoint when it was dispatched
   */
  answered(endpoint: string, status: number, shedding: readonly number[], ms: number, at: number, isCalm: boolean) {
    const counts = this.#counts;
    this.#codes.set(status, (this.#codes.get(status) ?? 0) + 1);
    if (shedding.includes(status)) counts.shed++;
    else if (status >= 500) counts.errors++;
    else if (status !== 429) counts.good++;
    this.#ttfb.add(ms);
    const figures = this.#of(endpoint);
    figures.answers++;
    if (at < this.timedFrom) return;
    figures.ttfb.add(ms);
    if (isCalm) figures.calm.add(ms);
  }

  /** The part of a report about one endpoint; its figures start anew. */
  takeEndpoint(endpoint: string): Pick<EndpointReport, 'answers' | 'ttfb' | 'calm'> {
    const { answers, ttfb, calm } = this.#of(endpoint);
    this.#endpoints.delete(endpoint);
    return { answers, ttfb: ttfb.sparse(), calm: calm.sparse() };
  }

  /** The part of a report about the service; its figures start anew. */
  take(now: number): Counters {
    this.load(this.#load, now);
    const { full, deadline, ...counts } = this.#counts;
    const codes = [...this.#codes].flat();
    const ttfb = this.#ttfb.sparse();
    const holdRejected = { full, bytes: 0, client: 0, deadline, failed: 0, denied: 0 };
    this.#counts = counters();
    this.#codes = new Map();
    this.#ttfb = new Histogram();
    return { ...counts, codes, completions: codes.reduce((sum, n, i) => sum + (i % 2) * n, 0), holdRejected, ttfb };
  }

  get isSilent(): boolean {
    return this.#counts.arrivals === 0;
  }

  #of(endpoint: string): EndpointFigures {
    let figures = this.#endpoints.get(endpoint);
    if (figures === undefined) {
      figures = { answers: 0, ttfb: new Histogram(), calm: new Histogram() };
      this.#endpoints.set(endpoint, figures);
    }
    return figures;
  }
}
