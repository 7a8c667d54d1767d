import type { ServiceStatus } from '../model/status.ts';

/** Seconds that are kept. */
export const KEPT = 300;

/** What is kept of each second. */
const SERIES = [
  'arrivals',
  'good',
  'errors',
  'shed',
  'p50',
  'p95',
  'p99',
  'above',
  'inFlight',
  'held',
  'ready',
  'starting',
] as const;
export type SeriesName = (typeof SERIES)[number];

/** What was seen of one service over the last minutes: numbers in rings, NaN where there is none. */
export class History {
  readonly #rings = SERIES.map(() => new Float32Array(KEPT).fill(Number.NaN));
  readonly #times = new Float64Array(KEPT).fill(Number.NaN);
  #next = 0;

  /** @param at seconds since the epoch */
  add(at: number, service: ServiceStatus): void {
    const values = valuesOf(service);
    this.#times[this.#next] = at;
    for (const [index, name] of SERIES.entries()) (this.#rings[index] as Float32Array)[this.#next] = values[name];
    this.#next = (this.#next + 1) % KEPT;
  }

  /** Times (seconds since the epoch) and the values of some series, oldest first; null where there is none. */
  columns(names: readonly SeriesName[]): [number[], ...(number | null)[][]] {
    const order: number[] = [];
    for (let i = 0; i < KEPT; i++) {
      const at = (this.#next + i) % KEPT;
      if (!Number.isNaN(this.#times[at])) order.push(at);
    }
    const values = names.map((name) => {
      const ring = this.#rings[SERIES.indexOf(name)] as Float32Array;
      return order.map((at) => (Number.isNaN(ring[at]) ? null : (ring[at] as number)));
    });
    return [order.map((at) => this.#times[at] as number), ...values];
  }
}

function valuesOf(service: ServiceStatus): Record<SeriesName, number> {
  const { perSecond, latencyMs, threshold, inFlight, held, replicas } = service;
  const count = (state: string) => replicas.filter((replica) => replica.state === state).length;
  return {
    ...perSecond,
    p50: latencyMs.p50 ?? Number.NaN,
    p95: latencyMs.p95 ?? Number.NaN,
    p99: latencyMs.p99 ?? Number.NaN,
    above: threshold?.aboveMs ?? Number.NaN,
    inFlight,
    held,
    ready: count('ready'),
    starting: count('starting'),
  };
}
