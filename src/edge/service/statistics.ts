import type { ServiceReport } from '../../model/link.ts';
import type { RefusalCode } from '../../model/refusals.ts';
import { Histogram, type SparseCounts } from '../../util/histogram.ts';

type HoldRejections = ServiceReport['holdRejected'];

/** Refusals of those who would wait, or wait, and what they are counted as. */
const HOLD_REFUSALS = {
  HOLD_FULL: 'full',
  HOLD_BYTES: 'bytes',
  HOLD_CLIENT: 'client',
  HOLD_TIMEOUT: 'deadline',
  START_BLOCKED: 'failed',
  WAKE_DENIED: 'denied',
} as const satisfies Partial<Record<RefusalCode, keyof HoldRejections>>;

const noRejections = (): HoldRejections => ({ full: 0, bytes: 0, client: 0, deadline: 0, failed: 0, denied: 0 });

/**
 * Counts what one service did since the last report. A silent service has no histograms: they are made at the first
 * value.
 */
export class Statistics {
  arrivals = 0;
  completions = 0;
  errors = 0;
  resets = 0;
  shed = 0;
  good = 0;
  retries = 0;
  #holdRejected = noRejections();
  readonly #codes = new Map<number, number>();
  #ttfb: Histogram | undefined;
  #total: Histogram | undefined;

  /** Somebody may not wait, or not any longer. */
  holdRefused(code: keyof typeof HOLD_REFUSALS): void {
    this.#holdRejected[HOLD_REFUSALS[code]]++;
    if (code === 'HOLD_TIMEOUT') this.shed++;
  }

  /** An answer ended, whole or broken off. */
  ended(status: number, ms: number): void {
    this.#codes.set(status, (this.#codes.get(status) ?? 0) + 1);
    this.#total ??= new Histogram();
    this.#total.add(ms);
  }

  /**
   * An answer began.
   * @param ms time to the first byte; undefined: it says nothing about the service
   */
  firstByte(status: number, ms: number | undefined): void {
    this.completions++;
    if (status === 503) this.shed++;
    else if (status >= 500) this.errors++;
    else if (status !== 429) this.good++;
    if (ms === undefined) return;
    this.#ttfb ??= new Histogram();
    this.#ttfb.add(ms);
  }

  /** Whether anything happened since the last report. */
  get quiet(): boolean {
    return this.arrivals === 0 && this.completions === 0 && this.resets === 0 && this.#codes.size === 0;
  }

  /** Returns the counters since the last call, and starts them anew. */
  take(): Pick<
    ServiceReport,
    | 'arrivals'
    | 'codes'
    | 'completions'
    | 'errors'
    | 'resets'
    | 'good'
    | 'shed'
    | 'retries'
    | 'holdRejected'
    | 'ttfb'
    | 'total'
  > {
    const codes: SparseCounts = [];
    for (const [code, count] of this.#codes) codes.push(code, count);
    const taken = {
      arrivals: this.arrivals,
      codes,
      completions: this.completions,
      errors: this.errors,
      resets: this.resets,
      good: this.good,
      shed: this.shed,
      retries: this.retries,
      holdRejected: this.#holdRejected,
      ttfb: this.#ttfb?.sparse() ?? [],
      total: this.#total?.sparse() ?? [],
    };
    this.arrivals = 0;
    this.completions = 0;
    this.errors = 0;
    this.resets = 0;
    this.good = 0;
    this.shed = 0;
    this.retries = 0;
    this.#holdRejected = noRejections();
    this.#codes.clear();
    this.#ttfb?.reset();
    this.#total?.reset();
    return taken;
  }
}
