import type { Clock, Timer } from '../../util/clock.ts';

/** Changes of the number held are told at most this often, ms; the first is told at once. */
const EVERY_MS = 10;

/** Tells control how many requests a service holds, whenever that changes. */
export class DemandReporter {
  readonly #clock: Clock;
  readonly #held: () => number;
  readonly #post: (held: number) => void;
  #told = 0;
  #toldAt = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;

  constructor(clock: Clock, held: () => number, post: (held: number) => void) {
    this.#clock = clock;
    this.#held = held;
    this.#post = post;
  }

  /** The number may have changed. */
  changed(): void {
    if (this.#timer !== undefined || this.#held() === this.#told) return;
    const isFirst = this.#told === 0 && this.#held() > 0;
    const wait = isFirst ? 0 : this.#toldAt + EVERY_MS - this.#clock.now();
    if (wait <= 0) {
      this.#tell();
      return;
    }
    this.#timer = this.#clock.after(wait, () => {
      this.#timer = undefined;
      if (this.#held() !== this.#told) this.#tell();
    });
  }

  close(): void {
    this.#timer?.cancel();
  }

  #tell(): void {
    this.#told = this.#held();
    this.#toldAt = this.#clock.now();
    this.#post(this.#told);
  }
}
