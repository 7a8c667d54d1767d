import { type IdleCosts, wakeCostMs } from './idle-cost.ts';

/** From when until when a sleeping service is to have a replica for a call that is expected; the clock's ms. */
export interface ExpectedCall {
  /** It is started then, and ready when the call comes at its earliest … */
  fromAt: number;
  /** … and goes then, when it has not come. */
  untilAt: number;
}

/** The same in ms since the last activity began. */
interface Window {
  fromMs: number;
  untilMs: number;
}

/**
 * What the forecasts were worth whose time had begun when the call came, those included that were not acted on; what is
 * long ago counts for less.
 */
export interface ForecastRecord {
  /** The call came within its time. */
  right: number;
  /** It came later, or found no replica though there was to be one. */
  wrong: number;
  /** What acting on them saves, against `idle` alone; ms of an idle replica. */
  savedMs: number;
}

/** Intervals that are looked at: the last ones. */
export const MOST_INTERVALS = 16;
/** Fewer that are alike say nothing. */
const LEAST_ALIKE = 4;
/** What follows within this time belongs together, ms: edges report once a second, and a start takes as long. */
export const APART_MS = 10_000;
/** The time is wider than what was seen by this much, ms, and by this part of it, on either side. */
const MARGIN_MS = 1000;
const MARGIN = 0.25;
/** With each further forecast those before count for this much. */
const FADE = 0.9;
/** Fewer that were right are no reason to act on the next one. */
const LEAST_RIGHT = 1.5;

/**
 * When the next call to a service comes, from the times between the beginnings of its last activities: of timers these
 * are alike, however long each call takes. Each forecast is judged by the call that follows it, whether it was acted on or
 * not, and only where they were right, and worth it, the next one is to be acted on.
 */
export class ArrivalForecast {
  /** From the beginning of one activity to that of the next one, ms; the oldest first. */
  readonly intervals: number[];
  readonly record: ForecastRecord;
  /** When the last activity began, the clock's ms; undefined before the first that is known. */
  #beganAt: number | undefined;
  #window: Window | undefined;

  constructor(intervals: number[] = [], record: ForecastRecord = { right: 0, wrong: 0, savedMs: 0 }) {
    this.intervals = intervals;
    this.record = record;
  }

  /** When the next call is expected; undefined where none is, or where it would not pay to go by that. */
  get expected(): ExpectedCall | undefined {
    if (this.#beganAt === undefined || this.#window === undefined) return undefined;
    return { fromAt: this.#beganAt + this.#window.fromMs, untilAt: this.#beganAt + this.#window.untilMs };
  }

  /** Whether the forecasts so far were right, and worth it. */
  get isTrusted(): boolean {
    const { right, wrong, savedMs } = this.record;
    return right >= LEAST_RIGHT && right > wrong && savedMs > 0;
  }

  /** What became of the last forecast. @param savedMs what acting on it saves, ms of an idle replica */
  judge(isRight: boolean, savedMs: number): void {
    const { record } = this;
    record.right = record.right * FADE + Number(isRight);
    record.wrong = record.wrong * FADE + Number(!isRight);
    record.savedMs = record.savedMs * FADE + savedMs;
  }

  /** A call came before its time. @param savedMs what acting on the forecast saved for it, ms of an idle replica; below 0 it cost */
  add(savedMs: number): void {
    this.record.savedMs += savedMs;
  }

  /** An activity began that lies apart from the one before (`APART_MS`). @param at the clock's ms */
  began(at: number, costs: IdleCosts): void {
    if (this.#beganAt !== undefined) {
      this.intervals.push(at - this.#beganAt);
      if (this.intervals.length > MOST_INTERVALS) this.intervals.shift();
    }
    this.#beganAt = at;
    this.#window = windowOf(this.intervals, costs);
  }
}

/** Written over by each that looks for a time: after every activity of every service. */
const SORTED = new Float64Array(MOST_INTERVALS);

/** Puts them into `SORTED`, by insertion: they are few. */
function sort(intervals: readonly number[]): void {
  for (let i = 0; i < intervals.length; i++) {
    const each = intervals[i] as number;
    let to = i;
    for (; to > 0 && (SORTED[to - 1] as number) > each; to--) SORTED[to] = SORTED[to - 1] as number;
    SORTED[to] = each;
  }
}

/** The time that would have cost least for these intervals; undefined where sleeping until the call costs less. */
function windowOf(intervals: readonly number[], costs: IdleCosts): Window | undefined {
  if (intervals.length < LEAST_ALIKE) return undefined;
  sort(intervals);
  const count = intervals.length;
  const perWakeMs = wakeCostMs(costs);
  let bestFrom = 0;
  let bestTo = 0;
  let most = 0;
  for (let first = 0; first + LEAST_ALIKE <= count; first++) {
    const from = SORTED[first] as number;
    // What those within have cost by waiting, and would cost by idling.
    let savedMs = 0;
    for (let last = first; last < count; last++) {
      const to = SORTED[last] as number;
      savedMs += perWakeMs - (to - from);
      const alike = last - first + 1;
      if (alike < LEAST_ALIKE) continue;
      const margin = marginOf(from, to);
      const aheadMs = margin + costs.startMs;
      const inVainMs = to - from + 2 * margin + costs.startMs + costs.stopMs;
      const saved = savedMs - alike * aheadMs - (count - 1 - last) * inVainMs;
      if (saved <= most) continue;
      most = saved;
      bestFrom = from;
      bestTo = to;
    }
  }
  if (most === 0) return undefined;
  const margin = marginOf(bestFrom, bestTo);
  return { fromMs: bestFrom - margin - costs.startMs, untilMs: bestTo + margin };
}

function marginOf(from: number, to: number): number {
  return MARGIN_MS + MARGIN * (to - from);
}
