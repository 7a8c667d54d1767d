import type { HoldSettings } from '../../model/settings.ts';

/** Starts that are remembered. */
const KEPT = 64;
const UNKNOWN_HOLD_MS = 30_000;
const LEAST_HOLD_MS = 10_000;
const MOST_HOLD_MS = 120_000;

/** How long a service's own starts took lately. */
export class StartTimes {
  readonly #times: number[] = [];

  /** @param ms from the permit to ready */
  add(ms: number): void {
    this.#times.push(ms);
    if (this.#times.length > KEPT) this.#times.shift();
  }

  /** Another `run` takes another time. */
  forget(): void {
    this.#times.length = 0;
  }

  /** What a start usually takes, ms; null while unknown. */
  get expectedMs(): number | null {
    return this.#quantile(0.5) ?? null;
  }

  /** Longest hold, ms: as configured, or 3.5 × the 95th percentile of the start times within 10 s and 120 s. */
  holdTimeoutMs(setting: HoldSettings['timeoutMs']): number {
    if (setting !== 'auto') return setting;
    const p95 = this.#quantile(0.95);
    return p95 === undefined ? UNKNOWN_HOLD_MS : Math.min(MOST_HOLD_MS, Math.max(LEAST_HOLD_MS, 3.5 * p95));
  }

  #quantile(q: number): number | undefined {
    const sorted = this.#times.toSorted((a, b) => a - b);
    return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];
  }
}
