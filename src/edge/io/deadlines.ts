import type { Clock, Timer } from '../../util/clock.ts';

/** Something that is due at some time. It sits in at most one place of the wheel. */
export interface DeadlineEntry {
  /** When it is due, in the clock's ms; 0 = not waiting. Owned by {@link Deadlines}. */
  deadline: number;
  /** The tick it is filed under; 0 = none, -1 = its tick has come, and it is overdue. Owned by {@link Deadlines}. */
  filed: number;
  onDeadline(): void;
}

const TICK_MS = 50;
/** Value of `filed` of an entry whose tick has come. */
const OVERDUE = -1;
/** At most so many come due in one go; the others follow after whatever else has its turn. */
const DUE_AT_ONCE = 128;

/**
 * Coarse deadlines for tens of thousands of connections with one timer: due −0/+100 ms. To move a deadline to later,
 * which every request does, takes two writes; the entry is filed anew only when its old tick comes. When thousands are
 * due at once, such as slow clients that came together, requests get their turn in between: 2,000 would hold them up
 * for 200 ms.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #ticks = new Map<number, Set<DeadlineEntry>>();
  /** Entries whose tick has come, in that order; those before `#next` are done. */
  readonly #overdue: DeadlineEntry[] = [];
  #next = 0;
  #timer: Timer | undefined;
  /** Continues with the overdue entries. */
  #rest: Timer | undefined;
  #lastTick: number;
  /** Number of looks for what is due: one every 50 ms while something waits, fewer when the machine is behind. */
  turns = 0;
  #isClosed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lastTick = Math.floor(clock.now() / TICK_MS);
  }

  /**
   * Makes the entry due in `ms` milliseconds, and forgets an earlier deadline of it.
   * @param now the clock's ms, if the caller has just asked it
   */
  arm(entry: DeadlineEntry, ms: number, now: number = this.#clock.now()): void {
    // A 0 would mean that the entry does not wait.
    entry.deadline = Math.max(now + ms, Number.MIN_VALUE);
    // The first tick at or after the deadline. A tick that was or is being visited does not come again.
    const tick = Math.max(Math.ceil(entry.deadline / TICK_MS), Math.floor(now / TICK_MS) + 1);
    if (entry.filed !== 0 && entry.filed <= tick) return;
    this.#unfile(entry);
    this.#file(entry, tick);
  }

  /** Disarms the entry until it is armed again. It keeps its place, because mostly that is soon. */
  disarm(entry: DeadlineEntry): void {
    entry.deadline = 0;
  }

  /** Forgets an entry that will not be armed again. */
  forget(entry: DeadlineEntry): void {
    entry.deadline = 0;
    this.#unfile(entry);
  }

  /** Whether anything may come due; only then there are turns. */
  get isTurning(): boolean {
    return this.#timer !== undefined;
  }

  /** Number of entries filed, due or not. */
  get size(): number {
    let size = this.#overdue.length - this.#next;
    for (const entries of this.#ticks.values()) size += entries.size;
    return size;
  }

  /** Stops: nothing comes due any more. */
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
      // An entry that is not overdue any more was forgotten since, and may be filed anew.
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
