import type { Clock, Timer } from '../../util/clock.ts';

/** The number is told at most this often, ms; the first of some at once. */
const EVERY_MS = 10;

/** Tells control how many wait for something, whenever that number changes. */
export class DemandReporter {
  readonly #clock: Clock;
  readonly #waiting: () => number;
  readonly #post: (waiting: number) => void;
  /** What control takes the number to be. */
  #told = 0;
  #toldAt = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;

  /** @param waiting how many wait now */
  constructor(clock: Clock, waiting: () => number, post: (waiting: number) => void) {
    this.#clock = clock;
    this.#waiting = waiting;
    this.#post = post;
  }

  /** The number may have changed. */
  changed(): void {
    const waiting = this.#waiting();
    if (waiting === this.#told || this.#timer !== undefined) return;
    const isFirst = this.#told === 0 && waiting > 0;
    const wait = isFirst ? 0 : this.#toldAt + EVERY_MS - this.#clock.now();
    if (wait <= 0) {
      this.tell();
      return;
    }
    this.#timer = this.#clock.after(wait, () => {
      this.#timer = undefined;
      if (this.#waiting() !== this.#told) this.tell();
    });
  }

  /** Control has met so much of the demand, and subtracts that itself. */
  met(count: number): void {
    this.#told = Math.max(0, this.#told - count);
  }

  /** Tells the number now. */
  tell(): void {
    this.#told = this.#waiting();
    this.#toldAt = this.#clock.now();
    this.#post(this.#told);
  }

  /** Another control plane asks, which was told nothing: tells it if any wait. */
  again(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#told = 0;
    if (this.#waiting() > 0) this.tell();
  }

  close(): void {
    this.#timer?.cancel();
  }
}
