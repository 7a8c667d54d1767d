import type { Clock, Timer } from '../../util/clock.ts';

/** Something that is due at some time. It sits in at most one place of the wheel. */
export interface DeadlineEntry {
  /** When it is due, in the clock's ms; 0 = not waiting. Owned by {@link Deadlines}. */
  deadline: number;
  /** The tick it is filed under; 0 = none, -1 = its tick has come, and it is overdue. Owned by {@link Deadlines}. */
  filed: number;
  /** Its place among those of the same slot. Owned by {@link Deadlines}. */
  slotPlace: number;
  onDeadline(): void;
}

const TICK_MS = 50;
/** Ticks in one turn of the wheel, a power of two: 205 s. What is due later stays in its slot for more turns. */
const SLOTS = 4096;
/** Value of `filed` of an entry whose tick has come. */
const OVERDUE = -1;
/** At most so many come due in one go; the others follow after whatever else has its turn. */
const DUE_AT_ONCE = 128;

/**
 * Coarse deadlines for tens of thousands of connections with one timer: due −0/+100 ms. To move a deadline to later,
 * which every request does, takes two writes; the entry is filed anew only when its old tick comes. When thousands are
 * due at once, such as slow clients that came together, requests get their turn in between: 2,000 would hold them up
 * for 200 ms. Slots are arrays, not sets, for the same reason as {@link Members}.
 */
export class Deadlines {
  readonly #clock: Clock;
  /** By tick, modulo their number. */
  readonly #slots: (DeadlineEntry[] | undefined)[] = new Array(SLOTS).fill(undefined);
  /** Number of entries in slots. */
  #filed = 0;
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
    return this.#filed + this.#overdue.length - this.#next;
  }

  /** Stops: nothing comes due any more. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#rest?.cancel();
    this.#slots.fill(undefined);
    this.#filed = 0;
    this.#overdue.length = 0;
    this.#next = 0;
  }

  #file(entry: DeadlineEntry, tick: number): void {
    if (this.#isClosed) return;
    entry.filed = tick;
    const slot = tick & (SLOTS - 1);
    const entries = this.#slots[slot] ?? [];
    this.#slots[slot] = entries;
    entry.slotPlace = entries.length;
    entries.push(entry);
    this.#filed++;
    if (this.#timer === undefined) {
      this.#lastTick = Math.min(Math.floor(this.#clock.now() / TICK_MS), tick - 1);
      this.#timer = this.#clock.every(TICK_MS, () => this.#turn());
    }
  }

  #unfile(entry: DeadlineEntry): void {
    const entries = entry.filed > 0 ? this.#slots[entry.filed & (SLOTS - 1)] : undefined;
    entry.filed = 0;
    if (entries?.[entry.slotPlace] !== entry) return;
    this.#filed--;
    const last = entries.pop() as DeadlineEntry;
    if (last === entry) return;
    entries[entry.slotPlace] = last;
    last.slotPlace = entry.slotPlace;
  }

  #turn(): void {
    this.turns++;
    const current = Math.floor(this.#clock.now() / TICK_MS);
    // After a sleep of the machine, one turn of the wheel finds everything.
    const from = Math.max(this.#lastTick + 1, current - SLOTS + 1);
    for (let tick = from; tick <= current; tick++) this.#take(tick & (SLOTS - 1), current);
    this.#lastTick = current;
    if (this.#rest === undefined) this.#visitOverdue();
    if (this.#filed === 0 && this.#overdue.length === 0) {
      this.#timer?.cancel();
      this.#timer = undefined;
    }
  }

  /** Takes what is filed up to the current tick out of a slot. */
  #take(slot: number, current: number): void {
    const entries = this.#slots[slot];
    if (entries === undefined) return;
    this.#slots[slot] = undefined;
    this.#filed -= entries.length;
    for (const entry of entries) {
      if (entry.filed > current) {
        this.#file(entry, entry.filed);
      } else {
        entry.filed = OVERDUE;
        this.#overdue.push(entry);
      }
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
