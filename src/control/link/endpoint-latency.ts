import type { EndpointReport } from '../../model/link.ts';
import { Histogram, type SparseCounts } from '../../util/histogram.ts';

/** How far back it reaches, ms. */
const KEEP_MS = 10_000;

interface Entry {
  at: number;
  endpoint: string;
  ttfb: SparseCounts;
}

/** Time to first byte of each endpoint of a service, over the last seconds. */
export class EndpointLatency {
  /** Oldest first. */
  readonly #entries: Entry[] = [];

  /** @param now the clock's ms */
  add(now: number, reports: readonly EndpointReport[]): void {
    this.#forget(now);
    for (const { endpoint, ttfb } of reports) if (ttfb.length > 0) this.#entries.push({ at: now, endpoint, ttfb });
  }

  /** The value (ms) that the share `q` (0 to 1) of an endpoint's answers does not exceed; undefined without any. */
  quantile(now: number, endpoint: string, q: number): number | undefined {
    this.#forget(now);
    const histogram = new Histogram();
    for (const entry of this.#entries) if (entry.endpoint === endpoint) histogram.merge(entry.ttfb);
    return histogram.quantile(q);
  }

  #forget(now: number): void {
    let old = 0;
    while (old < this.#entries.length && (this.#entries[old] as Entry).at < now - KEEP_MS) old++;
    if (old > 0) this.#entries.splice(0, old);
  }
}
