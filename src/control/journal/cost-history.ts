import type { LearntForm } from '../scale/learnt-store.ts';

/** What is added up of one service, in this order. */
const AMOUNTS = [
  'replicaSeconds',
  /** With any replica. */
  'awakeSeconds',
  /** Of replicas while nothing asks for the service. */
  'idleReplicaSeconds',
  'memoryMiBSeconds',
  'cpuSeconds',
  'coldStarts',
  'waitedSeconds',
  'requests',
  /** Of the replica that an idle time of ten minutes would have kept, while nothing asked for it … */
  'fixedIdleSeconds',
  /** … and the starts that it would not have spared. */
  'fixedWakes',
  /** Of replicas that are paused, which are in none of the above but memory. */
  'pausedSeconds',
  'resumes',
] as const;

export type CostAmount = (typeof AMOUNTS)[number];
export type CostSums = Record<CostAmount, number>;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Hours are kept for so long; then they become a day, which is kept for longer. */
const HOURS_KEPT_MS = 2 * DAY_MS;
const DAYS_KEPT_MS = 90 * DAY_MS;
const VERSION = 2;
/** The version before kept so many of the amounts. */
const AMOUNTS_BEFORE = 10;
/** No sum is larger. */
const MOST = 2 ** 50;
const MOST_SPANS = (HOURS_KEPT_MS / DAY_MS) * 24 + DAYS_KEPT_MS / DAY_MS + 3;

/** What one service took, by the hour for two days and by the day for 90; times are the wall's ms. */
export class CostHistory {
  /** Sums of each span, by when it began. */
  readonly #hours: Map<number, Float64Array>;
  readonly #days: Map<number, Float64Array>;
  /** From when on anything is known. */
  readonly begunAt: number;

  constructor(begunAt: number, hours = new Map<number, Float64Array>(), days = new Map<number, Float64Array>()) {
    this.begunAt = begunAt;
    this.#hours = hours;
    this.#days = days;
  }

  add(now: number, amount: CostAmount, by: number): void {
    const hour = Math.floor(now / HOUR_MS) * HOUR_MS;
    if (!this.#hours.has(hour)) this.#fold(now);
    addTo(this.#hours, hour, AMOUNTS.indexOf(amount), by);
  }

  /** All that was added from the hour, or day, of `since` on. */
  sums(since: number): CostSums {
    const sums = new Float64Array(AMOUNTS.length);
    const spans = [...spansFrom(this.#hours, since - HOUR_MS), ...spansFrom(this.#days, since - DAY_MS)];
    for (const span of spans)
      for (const [index, value] of span.entries()) sums[index] = (sums[index] as number) + value;
    return Object.fromEntries(AMOUNTS.map((amount, index) => [amount, sums[index] as number])) as CostSums;
  }

  /** As text that `decodeCosts` reads. */
  encode(): string {
    const list = (spans: Map<number, Float64Array>) =>
      [...spans].map(([from, sums]) => [from, ...Array.from(sums, (sum) => Number(sum.toPrecision(9)))]);
    const { begunAt } = this;
    return `${JSON.stringify({ version: VERSION, begunAt, hours: list(this.#hours), days: list(this.#days) })}\n`;
  }

  #fold(now: number): void {
    for (const [hour, sums] of this.#hours) {
      if (hour >= now - HOURS_KEPT_MS) continue;
      this.#hours.delete(hour);
      for (const [index, sum] of sums.entries()) addTo(this.#days, Math.floor(hour / DAY_MS) * DAY_MS, index, sum);
    }
    for (const day of this.#days.keys()) if (day < now - DAYS_KEPT_MS) this.#days.delete(day);
  }
}

function addTo(spans: Map<number, Float64Array>, from: number, index: number, by: number): void {
  const sums = spans.get(from) ?? new Float64Array(AMOUNTS.length);
  spans.set(from, sums);
  sums[index] = (sums[index] as number) + by;
}

function* spansFrom(spans: Map<number, Float64Array>, after: number): Generator<Float64Array> {
  for (const [from, sums] of spans) if (from > after) yield sums;
}

/** What such a text says. @returns why it is of no use, in words, where it is not whole or of another version */
function decodeCosts(text: string): CostHistory | string {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    return 'it is no JSON';
  }
  if (typeof file !== 'object' || file === null) return 'it is no JSON object';
  const { version, begunAt, hours, days } = file as Record<string, unknown>;
  if (version !== VERSION && version !== VERSION - 1)
    return `it is of version ${JSON.stringify(version)}, not ${VERSION}`;
  const kept = version === VERSION ? AMOUNTS.length : AMOUNTS_BEFORE;
  const [byHour, byDay] = [spansOf(hours, kept), spansOf(days, kept)];
  if (!isAmount(begunAt) || byHour === undefined || byDay === undefined) return 'its sums are not as they were written';
  return new CostHistory(begunAt, byHour, byDay);
}

/** How it is kept over restarts. */
export const costForm: LearntForm<CostHistory> = {
  whose: 'the account of costs',
  encode: (history) => history.encode(),
  decode: decodeCosts,
};

function spansOf(value: unknown, kept: number): Map<number, Float64Array> | undefined {
  if (!Array.isArray(value) || value.length > MOST_SPANS) return undefined;
  const spans = new Map<number, Float64Array>();
  for (const span of value) {
    if (!Array.isArray(span) || span.length !== kept + 1 || !span.every(isAmount)) return undefined;
    const sums = new Float64Array(AMOUNTS.length);
    sums.set(span.slice(1));
    spans.set(span[0] as number, sums);
  }
  return spans;
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= MOST;
}
