import { type Clock, systemClock, type Timer } from '../../../src/util/clock.ts';

/** Real time, with a count of the timers that wait. */
export class CountingClock implements Clock {
  #timers = 0;

  /** Timers that have neither fired (for good) nor been cancelled. */
  get pending(): number {
    return this.#timers;
  }

  now(): number {
    return systemClock.now();
  }

  wall(): number {
    return systemClock.wall();
  }

  after(ms: number, fn: () => void): Timer {
    let live = true;
    const release = () => {
      if (live) this.#timers--;
      live = false;
    };
    this.#timers++;
    const timer = systemClock.after(ms, () => {
      release();
      fn();
    });
    return this.#cancelling(timer, release);
  }

  every(ms: number, fn: () => void): Timer {
    let live = true;
    this.#timers++;
    return this.#cancelling(systemClock.every(ms, fn), () => {
      if (live) this.#timers--;
      live = false;
    });
  }

  #cancelling(timer: Timer, release: () => void): Timer {
    return {
      cancel: () => {
        release();
        timer.cancel();
      },
    };
  }
}
