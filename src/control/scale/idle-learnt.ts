import { ArrivalForecast, type ForecastRecord, MOST_INTERVALS } from './arrival-forecast.ts';
import { GAP_BUCKETS, IdleGaps } from './idle-gaps.ts';
import type { LearntForm } from './learnt-store.ts';

/** What is known of how a service sleeps and wakes; times in ms, undefined until one was seen. */
export interface IdleLearnt {
  gaps: IdleGaps;
  forecast: ArrivalForecast;
  startMs: number | undefined;
  stopMs: number | undefined;
  /** What all that wait for one wake wait together. */
  waitMs: number | undefined;
  /** The same of a paused replica: until it was ready again, and what all waited for that together. */
  resumeMs: number | undefined;
  resumeWaitMs: number | undefined;
  /** What one replica of it takes of the memory, MiB. */
  memoryMiB: number | undefined;
}

/** What is a single number. */
const FIGURES = ['startMs', 'stopMs', 'waitMs', 'resumeMs', 'resumeWaitMs', 'memoryMiB'] as const;
export type IdleFigure = (typeof FIGURES)[number];

/** What another version wrote is not read. */
const VERSION = 1;
/** No time and no count is larger. */
const MOST = 2 ** 40;

export function nothingLearnt(): IdleLearnt {
  return {
    gaps: new IdleGaps(),
    forecast: new ArrivalForecast(),
    startMs: undefined,
    stopMs: undefined,
    waitMs: undefined,
    resumeMs: undefined,
    resumeWaitMs: undefined,
    memoryMiB: undefined,
  };
}

/** As text that `decodeIdle` reads. */
export function encodeIdle({ gaps, forecast, ...figures }: IdleLearnt): string {
  const { right, wrong, savedMs } = forecast.record;
  const intervals = forecast.intervals.map(Math.round);
  const forecasts = intervals.length === 0 ? {} : { intervals, forecasts: [right, wrong, savedMs].map(short) };
  return `${JSON.stringify({ version: VERSION, ...figures, gaps: sparseCounts(gaps.counts), ...forecasts })}\n`;
}

function short(value: number): number {
  return Number(value.toPrecision(6));
}

/** What such a text says. @returns why it is of no use, in words, where it is not whole or of another version */
export function decodeIdle(text: string): IdleLearnt | string {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    return 'it is no JSON';
  }
  if (typeof file !== 'object' || file === null) return 'it is no JSON object';
  const { version, gaps, intervals = [], forecasts = [0, 0, 0], ...others } = file as Record<string, unknown>;
  if (version !== VERSION) return `it is of version ${JSON.stringify(version)}, not ${VERSION}`;
  const counts = countsOf(gaps);
  if (counts === undefined) return '"gaps" is not as it was written';
  const forecast = forecastOf(intervals, forecasts);
  if (forecast === undefined) return 'its forecasts are not as they were written';
  const figures = FIGURES.map((name) => [name, others[name] ?? undefined] as const);
  if (!figures.every(([, value]) => value === undefined || isAmount(value)))
    return 'its times are not as they were written';
  const known = Object.fromEntries(figures) as Pick<IdleLearnt, IdleFigure>;
  return { gaps: new IdleGaps(counts), forecast, ...known };
}

/** How it is kept over restarts. */
export const idleForm: LearntForm<IdleLearnt> = { whose: 'the idle policy', encode: encodeIdle, decode: decodeIdle };

function forecastOf(intervals: unknown, record: unknown): ArrivalForecast | undefined {
  if (!Array.isArray(intervals) || intervals.length > MOST_INTERVALS || !intervals.every(isAmount)) return undefined;
  if (!Array.isArray(record) || record.length !== 3) return undefined;
  const [right, wrong, savedMs] = record;
  const isRecord = isAmount(right) && isAmount(wrong) && typeof savedMs === 'number' && Math.abs(savedMs) <= MOST;
  return isRecord ? new ArrivalForecast(intervals, { right, wrong, savedMs } satisfies ForecastRecord) : undefined;
}

/** Buckets with their counts, one after the other, of those that are not empty. */
export function sparseCounts(counts: Float32Array): number[] {
  return [...counts].flatMap((count, bucket) => (count > 0 ? [bucket, short(count)] : []));
}

/** The counts of such a list; undefined where it is none. */
export function countsOf(value: unknown): Float32Array | undefined {
  if (!Array.isArray(value) || value.length > 2 * GAP_BUCKETS || value.length % 2 !== 0) return undefined;
  const counts = new Float32Array(GAP_BUCKETS);
  for (let i = 0; i < value.length; i += 2) {
    const [bucket, count] = [value[i], value[i + 1]];
    if (!Number.isInteger(bucket) || bucket < 0 || bucket >= GAP_BUCKETS || !isAmount(count)) return undefined;
    counts[bucket] = count;
  }
  return counts;
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= MOST;
}
