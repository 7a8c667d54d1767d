import { GAP_BUCKETS, IdleGaps } from './idle-gaps.ts';
import type { LearntForm } from './learnt-store.ts';

/** What is known of how a service sleeps and wakes; times in ms, undefined until one was seen. */
export interface IdleLearnt {
  gaps: IdleGaps;
  startMs: number | undefined;
  stopMs: number | undefined;
  /** What all that wait for one wake wait together. */
  waitMs: number | undefined;
}

/** What another version wrote is not read. */
const VERSION = 1;
/** No time and no count is larger. */
const MOST = 2 ** 40;

export function nothingLearnt(): IdleLearnt {
  return { gaps: new IdleGaps(), startMs: undefined, stopMs: undefined, waitMs: undefined };
}

/** As text that `decodeIdle` reads. */
export function encodeIdle({ gaps, startMs = null, stopMs = null, waitMs = null }: AsWritten): string {
  const counts: number[] = [];
  gaps.counts.forEach((count, bucket) => {
    if (count > 0) counts.push(bucket, Number(count.toPrecision(6)));
  });
  return `${JSON.stringify({ version: VERSION, startMs, stopMs, waitMs, gaps: counts })}\n`;
}

type AsWritten = { [Key in keyof IdleLearnt]: Key extends 'gaps' ? IdleGaps : number | null | undefined };

/** What such a text says. @returns why it is of no use, in words, where it is not whole or of another version */
export function decodeIdle(text: string): IdleLearnt | string {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    return 'it is no JSON';
  }
  if (typeof file !== 'object' || file === null) return 'it is no JSON object';
  const { version, startMs, stopMs, waitMs, gaps } = file as Record<string, unknown>;
  if (version !== VERSION) return `it is of version ${JSON.stringify(version)}, not ${VERSION}`;
  const counts = countsOf(gaps);
  if (counts === undefined) return '"gaps" is not as it was written';
  const times = [startMs, stopMs, waitMs].map((time) => (time === null ? undefined : time));
  if (!times.every((time) => time === undefined || isAmount(time))) return 'its times are not as they were written';
  const [start, stop, wait] = times as (number | undefined)[];
  return { gaps: new IdleGaps(counts), startMs: start, stopMs: stop, waitMs: wait };
}

/** How it is kept over restarts. */
export const idleForm: LearntForm<IdleLearnt> = { whose: 'the idle policy', encode: encodeIdle, decode: decodeIdle };

/** Buckets with their counts, one after the other. */
function countsOf(value: unknown): Float32Array | undefined {
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
