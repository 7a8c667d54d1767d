import type { Clock, Timer } from '../../util/clock.ts';

/** Something that waits for at most so long. It sits in at most one place of the wheel. */
export interface DeadlineEntry {
  /** When it is due, in the clock's ms; 0 = not waiting. Owned by {@link Deadlines}. */
  deadline: number;
  /** The tick it is filed under; 0 = none, -1 = its tick has come, and it is in line. Owned by {@link Deadlines}. */
  filed: number;
  onDeadline(): void;
}

const TICK_MS = 50;
/** In `filed`: its tick has come, and it is in line. */
const OVERDUE = -1;
/** Most that are due in one go; the others go on when whatever else there is had its turn. */
const DUE_AT_ONCE = 128;

/**
 * Coarse deadlines for tens of thousands of connections with one timer: due −0/+100 ms. Moving a deadline to later,
 * which every request does, is two writes; the entry is filed anew only when its old tick comes. Where thousands are due
 * at once, such as slow clients that came together, requests get their turn in between: 2,000 would hold them up for
 * 200 ms.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #ticks = new Map<number, Set<DeadlineEntry>>();
  /** Whose tick has come, in that order; those before `#next` are done. */
  readonly #overdue: DeadlineEntry[] = [];
  #next = 0;
  #timer: Timer | undefined;
  /** Goes on with the overdue. */
  #rest: Timer | undefined;
  #lastTick: number;
  /** How often it was looked for what is due, while something waits: every 50 ms, less often where the machine is behind. */
  turns = 0;
  #isClosed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lastTick = Math.floor(clock.now() / TICK_MS);
  }

  /**
   * Makes the entry due in `ms` milliseconds; an earlier deadline of it is forgotten.
   * @param now the clock's ms, where the caller has just asked it
   */
  arm(entry: DeadlineEntry, ms: number, now: number = this.#clock.now()): void {
    // Never the 0 of an entry that does not wait.
    entry.deadline = Math.max(now + ms, Number.MIN_VALUE);
    // The first tick at or after it; of the ticks that were or are being turned, none comes again.
    const tick = Math.max(Math.ceil(entry.deadline / TICK_MS), Math.floor(now / TICK_MS) + 1);
    if (entry.filed !== 0 && entry.filed <= tick) return;
    this.#unfile(entry);
    this.#file(entry, tick);
  }

  /** Nothing is due of it until it is armed again. Its place stays: mostly that is soon. */
  disarm(entry: DeadlineEntry): void {
    entry.deadline = 0;
  }

  /** It will not be armed again: nothing of it is kept. */
  forget(entry: DeadlineEntry): void {
    entry.deadline = 0;
    this.#unfile(entry);
  }

  /** Whether anything may be due, now or later: only then there are turns. */
  get isTurning(): boolean {
    return this.#timer !== undefined;
  }

  /** Entries filed, due or not. */
  get size(): number {
    let size = this.#overdue.length - this.#next;
    for (const entries of this.#ticks.values()) size += entries.size;
    return size;
  }

  /** Nothing is due any more, now or later. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#rest?.cancel();
    this.#ticks.clear();
    this.#overdue.length = 0;
    this.#next = 0;
  }

  #file(entry: DeadlineEntry, tick: number): void {
    if (this.#isClosed) return;
    entry.filed = tick;
    const entries = this.#ticks.get(tick);
    if (entries === undefined) this.#ticks.set(tick, new Set([entry]));
    else entries.add(entry);
    if (this.#timer === undefined) {
      this.#lastTick = Math.min(Math.floor(this.#clock.now() / TICK_MS), tick - 1);
      this.#timer = this.#clock.every(TICK_MS, () => this.#turn());
    }
  }

  #unfile(entry: DeadlineEntry): void {
    const entries = this.#ticks.get(entry.filed);
    entries?.delete(entry);
    if (entries?.size === 0) this.#ticks.delete(entry.filed);
    entry.filed = 0;
  }

  #turn(): void {
    this.turns++;
    const current = Math.floor(this.#clock.now() / TICK_MS);
    for (let tick = this.#lastTick + 1; tick <= current; tick++) {
      const entries = this.#ticks.get(tick);
      if (entries === undefined) continue;
      this.#ticks.delete(tick);
      for (const entry of entries) {
        entry.filed = OVERDUE;
        this.#overdue.push(entry);
      }
    }
    this.#lastTick = current;
    if (this.#rest === undefined) this.#visitOverdue();
    if (this.#ticks.size === 0 && this.#overdue.length === 0) {
      this.#timer?.cancel();
      this.#timer = undefined;
    }
  }

  #visitOverdue(): void {
    this.#rest = undefined;
    const now = this.#clock.now();
    let left = DUE_AT_ONCE;
    while (this.#next < this.#overdue.length) {
      if (left === 0) {
        this.#rest = this.#clock.after(0, () => this.#visitOverdue());
        return;
      }
      const entry = this.#overdue[this.#next++] as DeadlineEntry;
      // Else it was forgotten, and may be filed anew, since then.
      if (entry.filed === OVERDUE && this.#visit(entry, now)) left--;
    }
    this.#overdue.length = 0;
    this.#next = 0;
  }

  /** @returns whether it was due */
  #visit(entry: DeadlineEntry, now: number): boolean {
    entry.filed = 0;
    if (entry.deadline === 0) return false;
    if (entry.deadline > now) {
      this.#file(entry, Math.max(this.#lastTick + 1, Math.ceil(entry.deadline / TICK_MS)));
      return false;
    }
    entry.deadline = 0;
    entry.onDeadline();
    return true;
  }
}
