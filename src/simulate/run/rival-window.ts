import type { ServiceReport } from '../../model/link.ts';
import { Histogram } from '../../util/histogram.ts';

/** What a rival is told of a service, from the reports of the edge. Times are the clock's ms. */
export class RivalWindow {
  readonly #windowMs: number;
  #reports: { at: number; report: ServiceReport }[] = [];
  #spanMs = 0;
  #loadMs = 0;
  #arrivals = 0;

  /** @param windowMs what quantiles are taken over */
  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  add(at: number, spanMs: number, report: ServiceReport): void {
    this.#reports = this.#reports.filter((each) => each.at > at - this.#windowMs);
    this.#reports.push({ at, report });
    this.#spanMs += spanMs;
    this.#loadMs += report.loadMs;
    this.#arrivals += report.arrivals;
  }

  /** Requests in flight and waiting, and arrivals a second: on average since the last call. */
  take(): { concurrency: number; arrivalsPerSecond: number } {
    const spanMs = Math.max(1, this.#spanMs);
    const taken = { concurrency: this.#loadMs / spanMs, arrivalsPerSecond: (this.#arrivals * 1000) / spanMs };
    this.#spanMs = 0;
    this.#loadMs = 0;
    this.#arrivals = 0;
    return taken;
  }

  /** Of the time to first byte, ms; undefined without an answer in the window. */
  quantile(now: number, q: number): number | undefined {
    const all = new Histogram();
    for (const { at, report } of this.#reports) if (at > now - this.#windowMs) all.merge(report.ttfb);
    return all.quantile(q);
  }
}
