import type { Counts } from './counters.ts';
import type { Usage } from './process-tree.ts';

/** What the load saw in one round. */
export interface Sample {
  /** Requests answered, or messages echoed. */
  requests: number;
  /** Length of the round as it was, s. */
  seconds: number;
  /** Latency, ms. */
  p50: number;
  p99: number;
  /** Requests that got no answer, or not the right one. */
  failed: number;
}

/** A round of one proxy: what the load saw, and what the proxy used. */
export interface Round extends Sample {
  /** CPU of the proxy's processes per request, µs; NaN where there is no proxy. */
  cpu: number;
  /** Resident memory at the end of the round, MiB; NaN where there is no proxy. */
  resident: number;
  /** What the processor counted of the proxy per request; NaN where it does not count. */
  instructions: number;
  cacheMisses: number;
}

const UNCOUNTED: Counts = { instructions: Number.NaN, cacheMisses: Number.NaN };

/** Puts a sample and the proxy's usage around it together. */
export function roundOf(
  sample: Sample,
  before: Usage | undefined,
  after: Usage | undefined,
  { instructions, cacheMisses }: Counts = UNCOUNTED,
): Round {
  // Where nothing was answered, nothing can be said of a request.
  const requests = sample.requests || Number.NaN;
  const used = (after?.cpuMicros ?? Number.NaN) - (before?.cpuMicros ?? Number.NaN);
  return {
    ...sample,
    cpu: used / requests,
    resident: after?.residentMiB ?? Number.NaN,
    instructions: instructions / requests,
    cacheMisses: cacheMisses / requests,
  };
}
