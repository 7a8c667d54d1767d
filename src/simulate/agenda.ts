import { Heap, type HeapEntry } from '../util/heap.ts';
import type { VirtualClock } from '../util/virtual-clock.ts';

/** Something that will happen at a moment. One that recurs is the same object, entered anew. */
export interface Happening extends HeapEntry {
  happen(): void;
}

/**
 * What happens to requests: plain calls, in order of time, with no timer and no promise for each. Time is that of the
 * clock, whose own timers are the control plane's; of one moment, those come first.
 */
export class Agenda {
  readonly #clock: VirtualClock;
  readonly #heap = new Heap<Happening>();
  #order = 0;
  #isStirred = false;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /** The clock's ms. */
  get now(): number {
    return this.#clock.now();
  }

  /** Enters what is to happen, in place of when it was to happen before. */
  enter(happening: Happening, at: number): void {
    this.#heap.remove(happening);
    happening.at = Math.max(at, this.now);
    happening.order = this.#order++;
    this.#heap.add(happening);
  }

  strike(happening: Happening): void {
    this.#heap.remove(happening);
  }

  /** Something happened that the control plane is about to hear of: its promises are to run before time goes on. */
  stir(): void {
    this.#isStirred = true;
  }

  /** Lets time pass until a moment of the clock. */
  async run(until: number): Promise<void> {
    await this.#settle();
    for (;;) {
      const timerAt = this.#clock.nextAt;
      const next = this.#heap.first;
      const at = next === undefined ? Number.POSITIVE_INFINITY : next.at;
      if (Math.min(at, timerAt) > until) break;
      if (timerAt <= at) {
        this.#clock.step();
        await this.#settle();
      } else {
        this.#clock.advanceTo(at);
        (this.#heap.take() as Happening).happen();
        if (this.#isStirred) await this.#settle();
      }
    }
    this.#clock.advanceTo(until);
  }

  /** Lets every promise run that waits for no time. */
  #settle(): Promise<void> {
    this.#isStirred = false;
    return new Promise((resolve) => setImmediate(resolve));
  }
}

/** A happening that calls a function. */
export class Call implements Happening {
  at = 0;
  order = 0;
  place = -1;
  readonly happen: () => void;

  constructor(happen: () => void) {
    this.happen = happen;
  }
}
