import type { Clock, Timer } from './clock.ts';

interface Entry {
  at: number;
  order: number;
  every: number | undefined;
  fn: () => void;
  cancelled: boolean;
}

/** Time that passes only when told to: timers fire in order of their due time, ties in order of their creation. */
export class VirtualClock implements Clock {
  #now = 0;
  #order = 0;
  #entries: Entry[] = [];
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
    const end = this.#now + ms;
    for (let entry = this.#next(end); entry !== undefined; entry = this.#next(end)) {
      this.#fire(entry);
    }
    this.#now = end;
  }

  /** As `advance`, and lets pending promise callbacks run after every timer. */
  async advanceAsync(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let entry = this.#next(end); entry !== undefined; entry = this.#next(end)) {
      this.#fire(entry);
      await settle();
    }
    this.#now = end;
  }

  /** How many timers are pending: 0 proves that nothing was leaked. */
  get pending(): number {
    return this.#entries.length;
  }

  #add(ms: number, every: number | undefined, fn: () => void): Timer {
    const entry: Entry = { at: this.#now + Math.max(0, ms), order: this.#order++, every, fn, cancelled: false };
    this.#entries.push(entry);
    return {
      cancel: () => {
        entry.cancelled = true;
        this.#entries = this.#entries.filter((other) => other !== entry);
      },
    };
  }

  #next(end: number): Entry | undefined {
    let best: Entry | undefined;
    for (const entry of this.#entries) {
      if (entry.at > end) continue;
      if (best === undefined || entry.at < best.at || (entry.at === best.at && entry.order < best.order)) best = entry;
    }
    return best;
  }

  #fire(entry: Entry): void {
    this.#now = Math.max(this.#now, entry.at);
    if (entry.every === undefined) {
      this.#entries = this.#entries.filter((other) => other !== entry);
    } else {
      entry.at = this.#now + entry.every;
      entry.order = this.#order++;
    }
    if (!entry.cancelled) entry.fn();
  }
}

async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}
