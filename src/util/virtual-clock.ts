import type { Clock, Timer } from './clock.ts';
import { Heap, type HeapEntry } from './heap.ts';

/** Time that passes only when told to: timers fire in order of their due time, ties in order of their creation. */
export class VirtualClock implements Clock {
  #now = 0;
  #order = 0;
  readonly #timers = new Heap<VirtualTimer>();
  readonly #epoch: number;

  /** @param epoch what `wall()` says at virtual time 0, in milliseconds since the Unix epoch */
  constructor(epoch = Date.UTC(2026, 0, 1)) {
    this.#epoch = epoch;
  }

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#epoch + this.#now;
  }

  after(ms: number, fn: () => void): Timer {
    return this.#add(ms, undefined, fn);
  }

  every(ms: number, fn: () => void): Timer {
    return this.#add(ms, ms, fn);
  }

  /** Lets `ms` milliseconds pass, firing what falls due; promise callbacks do not run in between. */
  advance(ms: number): void {
    this.advanceTo(this.#now + ms);
  }

  /** As `advance`, until a time of the clock. */
  advanceTo(end: number): void {
    while (this.nextAt <= end) this.step();
    this.#now = Math.max(this.#now, end);
  }

  /** As `advance`, and lets pending promise callbacks run after every timer. */
  async advanceAsync(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    while (this.nextAt <= end) {
      this.step();
      await settle();
    }
    this.#now = end;
  }

  /** When the next timer is due, the clock's ms; infinite without one. */
  get nextAt(): number {
    return this.#timers.first?.at ?? Number.POSITIVE_INFINITY;
  }

  /** Lets time pass until the next timer is due, and fires that one alone. */
  step(): void {
    const timer = this.#timers.take();
    if (timer === undefined) return;
    this.#now = Math.max(this.#now, timer.at);
    if (timer.every !== undefined) {
      timer.at = this.#now + timer.every;
      timer.order = this.#order++;
      this.#timers.add(timer);
    }
    timer.fn();
  }

  /** How many timers are pending: 0 proves that nothing was leaked. */
  get pending(): number {
    return this.#timers.size;
  }

  #add(ms: number, every: number | undefined, fn: () => void): Timer {
    const timer = new VirtualTimer(this.#timers, this.#now + Math.max(0, ms), this.#order++, every, fn);
    this.#timers.add(timer);
    return timer;
  }
}

class VirtualTimer implements Timer, HeapEntry {
  place = -1;
  at: number;
  order: number;
  readonly every: number | undefined;
  readonly fn: () => void;
  readonly #heap: Heap<VirtualTimer>;

  constructor(heap: Heap<VirtualTimer>, at: number, order: number, every: number | undefined, fn: () => void) {
    this.#heap = heap;
    this.at = at;
    this.order = order;
    this.every = every;
    this.fn = fn;
  }

  cancel(): void {
    this.#heap.remove(this);
  }
}

async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}
