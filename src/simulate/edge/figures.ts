import type { ServiceReport } from '../../model/link.ts';
import { Histogram, type SparseCounts } from '../../util/histogram.ts';

type Counted = Pick<
  ServiceReport,
  | 'arrivals'
  | 'codes'
  | 'completions'
  | 'good'
  | 'errors'
  | 'resets'
  | 'shed'
  | 'retries'
  | 'holdRejected'
  | 'ttfb'
  | 'total'
>;

/** What an upstream's answer is, by its status. */
export function kindOf(status: number, shed: readonly number[]): 'good' | 'shed' | 'error' | 'throttled' {
  if (shed.includes(status)) return 'shed';
  if (status >= 500) return 'error';
  return status === 429 ? 'throttled' : 'good';
}

/** Counts what one service did since the last report. */
export class Figures {
  arrivals = 0;
  resets = 0;
  shed = 0;
  retries = 0;
  #completions = 0;
  #good = 0;
  #errors = 0;
  #holdRejected = noRejections();
  readonly #codes = new Map<number, number>();
  readonly #ttfb = new Histogram();
  readonly #total = new Histogram();

  /** An upstream's answer began. */
  firstByte(status: number, ms: number, shed: readonly number[]): void {
    this.#completions++;
    const kind = kindOf(status, shed);
    if (kind === 'good') this.#good++;
    else if (kind === 'shed') this.shed++;
    else if (kind === 'error') this.#errors++;
    this.#ttfb.add(ms);
  }

  /** An answer ended, the proxy's own ones included. */
  ended(status: number, ms: number): void {
    this.#codes.set(status, (this.#codes.get(status) ?? 0) + 1);
    this.#total.add(ms);
  }

  holdRejected(why: keyof ServiceReport['holdRejected']): void {
    this.#holdRejected[why]++;
    if (why === 'full' || why === 'bytes' || why === 'deadline') this.shed++;
  }

  get isQuiet(): boolean {
    return this.arrivals === 0 && this.#completions === 0 && this.resets === 0 && this.#codes.size === 0;
  }

  /** The counts since the last call. */
  take(): Counted {
    const codes: SparseCounts = [...this.#codes].flat();
    const { arrivals, resets, shed, retries } = this;
    const taken = {
      arrivals,
      codes,
      completions: this.#completions,
      good: this.#good,
      errors: this.#errors,
      resets,
      shed,
      retries,
      holdRejected: this.#holdRejected,
      ttfb: this.#ttfb.sparse(),
      total: this.#total.sparse(),
    };
    this.arrivals = 0;
    this.resets = 0;
    this.shed = 0;
    this.retries = 0;
    this.#completions = 0;
    this.#good = 0;
    this.#errors = 0;
    this.#holdRejected = noRejections();
    this.#codes.clear();
    this.#ttfb.reset();
    this.#total.reset();
    return taken;
  }
}

function noRejections(): ServiceReport['holdRejected'] {
  return { full: 0, bytes: 0, client: 0, deadline: 0, failed: 0, denied: 0 };
}
