import type { ServiceReport } from '../../model/link.ts';
import type { RefusalCode } from '../../model/refusals.ts';
import { Histogram, type SparseCounts } from '../../util/histogram.ts';
import { CompressionCounts } from '../compress/compression-counts.ts';
import { Load } from './load.ts';
import { SessionCounts } from './session-counts.ts';

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

/** Refusals that turn load away. Those by bounds per client do not: one client is no overload. */
const SHED: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  'HOLD_FULL',
  'HOLD_BYTES',
  'HOLD_TIMEOUT',
  'CONNECT_TIMEOUT',
  'FIRST_BYTE_TIMEOUT',
]);

/**
 * What an answer says of its service. `shed`: it has too much to do. `error`: something is wrong with it. `refusal`: its
 * client asks too much, which is neither good nor bad.
 */
export type Grade = 'good' | 'shed' | 'error' | 'refusal';

const noRejections = (): HoldRejections => ({ full: 0, bytes: 0, client: 0, deadline: 0, failed: 0, denied: 0 });

/**
 * Counts what one service did since the last report. A silent service has no histograms: they are made at the first
 * value.
 */
export class Statistics {
  requests = 0;
  arrivals = 0;
  completions = 0;
  errors = 0;
  resets = 0;
  shed = 0;
  good = 0;
  retries = 0;
  /** Requests in flight, and those that wait for a slot. */
  readonly load = new Load();
  #holdRejected = noRejections();
  readonly #codes = new Map<number, number>();
  #ttfb: Histogram | undefined;
  #total: Histogram | undefined;
  #sessions: SessionCounts | undefined;
  #compression: CompressionCounts | undefined;

  /** TCP sessions. */
  get sessions(): SessionCounts {
    this.#sessions ??= new SessionCounts();
    return this.#sessions;
  }

  /** Answers that are compressed. */
  get compression(): CompressionCounts {
    this.#compression ??= new CompressionCounts();
    return this.#compression;
  }

  /** Somebody may not wait, or not any longer. */
  holdRefused(code: keyof typeof HOLD_REFUSALS): void {
    this.#holdRejected[HOLD_REFUSALS[code]]++;
  }

  /** A request that counts as load got a refusal in place of an answer. */
  refused(code: RefusalCode): void {
    if (SHED.has(code)) this.shed++;
  }

  /** An answer ended, whole or broken off. */
  ended(status: number, ms: number): void {
    this.#codes.set(status, (this.#codes.get(status) ?? 0) + 1);
    this.#total ??= new Histogram();
    this.#total.add(ms);
  }

  /** An answer to a request that counts as load has shown what it is worth. */
  graded(grade: Grade): void {
    if (grade === 'shed') this.shed++;
    else if (grade === 'error') this.errors++;
    else if (grade === 'good') this.good++;
  }

  /**
   * An answer to a request that counts as load began.
   * @param ms time to the first byte; undefined: it says nothing about the service
   */
  firstByte(ms: number | undefined): void {
    this.completions++;
    if (ms === undefined) return;
    this.#ttfb ??= new Histogram();
    this.#ttfb.add(ms);
  }

  /** Whether anything happened since the last report. */
  get quiet(): boolean {
    const hadSessions = this.#sessions?.isQuiet === false;
    return (
      !hadSessions &&
      this.requests === 0 &&
      this.arrivals === 0 &&
      this.completions === 0 &&
      this.resets === 0 &&
      this.#codes.size === 0
    );
  }

  /** Returns the counters since the last call, and starts them anew. @param now the clock's ms */
  take(
    now: number,
  ): Pick<
    ServiceReport,
    | 'requests'
    | 'arrivals'
    | 'codes'
    | 'completions'
    | 'errors'
    | 'resets'
    | 'good'
    | 'shed'
    | 'retries'
    | 'loadMs'
    | 'holdRejected'
    | 'ttfb'
    | 'total'
    | 'sessions'
    | 'compression'
  > {
    const codes: SparseCounts = [];
    for (const [code, count] of this.#codes) codes.push(code, count);
    const taken = {
      requests: this.requests,
      arrivals: this.arrivals,
      codes,
      completions: this.completions,
      errors: this.errors,
      resets: this.resets,
      good: this.good,
      shed: this.shed,
      retries: this.retries,
      loadMs: this.load.take(now),
      holdRejected: this.#holdRejected,
      ttfb: this.#ttfb?.sparse() ?? [],
      total: this.#total?.sparse() ?? [],
      ...(this.#sessions === undefined ? {} : { sessions: this.#sessions.take() }),
      ...(this.#compression === undefined ? {} : { compression: this.#compression.take() }),
    };
    this.requests = 0;
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
