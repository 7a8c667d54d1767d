import type { Trouble } from '../../model/status.ts';
import type { Clock } from '../../util/clock.ts';
import { formatDuration } from '../../util/units.ts';
import type { StartBreaker } from './breaker.ts';

/** What is told of a crash. */
export interface Crash {
  /** `crashed after 15s, 3 times in a row; next start in 4s`. */
  text: string;
  /** The same as fields, ms. */
  facts: { livedMs: number; inARow: number; nextStartMs: number };
}

/** What there is to say of the crashes of one service's replicas. The circuit counts them, and holds starts back. */
export class Crashes {
  readonly #clock: Clock;
  readonly #breaker: Pick<StartBreaker, 'crashes' | 'blockedUntil'>;
  #last: { replica: string; livedMs: number } | undefined;
  /** When the streak began, ms since the epoch. */
  #since = 0;

  constructor(clock: Clock, breaker: Pick<StartBreaker, 'crashes' | 'blockedUntil'>) {
    this.#clock = clock;
    this.#breaker = breaker;
  }

  /** Takes note of one, after the circuit has. */
  add(replica: string, livedMs: number): Crash {
    if (this.#breaker.crashes <= 1) this.#since = this.#clock.wall();
    this.#last = { replica, livedMs };
    const facts = { livedMs: Math.round(livedMs), inARow: this.#breaker.crashes, nextStartMs: this.#nextStartMs };
    return { text: this.#text(livedMs), facts };
  }

  /** Replicas crash again and again; undefined once one has lived for long enough. */
  get trouble(): Trouble | undefined {
    if (this.#last === undefined || this.#breaker.crashes < 2) return undefined;
    const { replica, livedMs } = this.#last;
    const message = `${replica} ${this.#text(livedMs)}`;
    return { code: 'REPLICA_EXITED', message, since: new Date(this.#since).toISOString() };
  }

  #text(livedMs: number): string {
    const { crashes } = this.#breaker;
    const times = crashes < 2 ? '' : `, ${crashes} times in a row`;
    const next = this.#nextStartMs === 0 ? '' : `; next start in ${formatDuration(this.#nextStartMs)}`;
    return `crashed after ${formatDuration(Math.round(livedMs / 1000) * 1000)}${times}${next}`;
  }

  get #nextStartMs(): number {
    const { blockedUntil } = this.#breaker;
    return blockedUntil === undefined ? 0 : Math.max(0, Math.round(blockedUntil - this.#clock.now()));
  }
}
