import type { GuardSettings, ScaleSettings, ServiceSettings } from '../../model/settings.ts';
import type { LatencyThreshold } from '../../model/threshold.ts';
import { bucketOf, countOf, mergeSparse, type SparseCounts, sparseQuantile } from '../../util/histogram.ts';

/**
 * `scale.latency.above: auto`: what one service takes at low load, that is while its replicas had nothing else to do.
 * Plain data of bounded size; times are the wall's ms, so that it can be kept over restarts.
 */
export interface AutoAbove {
  /** Which quantile the values are, 0 to 1. */
  quantile: number;
  /** What the threshold in force is a multiple of, ms; undefined until anything is known. */
  lowLoadMs: number | undefined;
  /** Since when the next value is collected. */
  since: number;
  /** Times of the requests of low load since then. */
  counts: SparseCounts;
  /** The values of the last `autoKeepMs`, oldest first. */
  spans: readonly LowLoadSpan[];
}

/** Values that were taken within a stretch of time. */
export interface LowLoadSpan {
  from: number;
  values: SparseCounts;
}

/**
 * A latency is over a learnt threshold, or under a share of it, by so many standard errors: the p95 of thirty requests is
 * twice that of the service every few minutes, and who writes a duration into the file leaves more room than that.
 */
export const ERRORS_LESS = 2;
/** A value is the upper end of what its samples leave open: the lowest tenth of the values is then what is true. */
const ERRORS_MORE = 1.28;
/** Which of the values counts: nearly the lowest, as load only makes them higher, but not a single lucky one. */
const DECILE = 0.1;
/** So many spans make up `autoKeepMs`; the oldest is forgotten as a whole. */
const SPANS = 24;
/** Of fewer values the lowest tenth is chance: they may lower the threshold, and not raise it. */
const VALUES_TO_RAISE = 10;
/** The threshold stays where it is for a smaller change than this: values are only known to within 6 %. */
const CHANGE = 0.1;

/** Nothing is known. @param now the wall's ms */
export function newAutoAbove(quantile: number, now: number): AutoAbove {
  return { quantile, lowLoadMs: undefined, since: now, counts: [], spans: [] };
}

/** The threshold in force. Where there is nothing to decide, with a `max` of 1, nothing is learnt for it either. */
export function thresholdOf(
  { latency, guards, max }: Pick<ScaleSettings, 'latency' | 'guards' | 'max'>,
  state: AutoAbove | undefined,
): LatencyThreshold {
  const { aboveMs, quantile } = latency;
  if (aboveMs !== 'auto') return { aboveMs, quantile, source: 'configured', lowLoadMs: null, missing: null };
  const { lowLoadMs, counts = [] } = state?.quantile === quantile ? state : {};
  if (max === 1 || lowLoadMs === undefined) {
    const missing = max === 1 ? null : Math.max(0, guards.autoSamples - countOf(counts));
    return { aboveMs: guards.autoFirstMs, quantile, source: 'first', lowLoadMs: null, missing };
  }
  const times = Math.round(guards.autoTimes * lowLoadMs);
  return { aboveMs: Math.max(guards.autoLeastMs, times), quantile, source: 'learnt', lowLoadMs, missing: null };
}

/** Whether there is anything to learn. */
export function isLearning({ scale, run }: Pick<ServiceSettings, 'scale' | 'run'>): boolean {
  return run !== undefined && scale.latency.aboveMs === 'auto' && scale.max > 1;
}

/**
 * Takes in times to first byte of requests that found their replica idle. After the first threshold there is another at
 * most every `autoEveryMs`.
 * @param now the wall's ms
 */
export function withCalm(state: AutoAbove, calm: SparseCounts, guards: GuardSettings, now: number): AutoAbove {
  const isStale = now < state.since || now - state.since > guards.autoKeepMs;
  const since = isStale ? now : state.since;
  const counts = isStale ? calm : mergeSparse(state.counts, calm);
  const isWhole = state.lowLoadMs === undefined || now - since >= guards.autoEveryMs;
  const value = isWhole ? sureQuantile(counts, state.quantile, guards.autoSamples) : undefined;
  if (value === undefined) return { ...state, since, counts };
  const spans = withValue(state.spans, value, guards, now);
  return { ...state, lowLoadMs: following(state.lowLoadMs, spans), since: now, counts: [], spans };
}

/** Another `run`: its own values decide as soon as there are some, and until then the threshold stays. */
export function ofOtherRun(state: AutoAbove, now: number): AutoAbove {
  return { ...state, since: now, counts: [], spans: [] };
}

/** Undefined of too few. */
function sureQuantile(counts: SparseCounts, q: number, least: number): number | undefined {
  const samples = countOf(counts);
  if (samples < least) return undefined;
  return sparseQuantile(counts, Math.min(1, q + ERRORS_MORE * Math.sqrt((q * (1 - q)) / samples)));
}

/** Values age by newer ones alone: a service that nobody used for a week is as fast as before. */
function withValue(
  spans: readonly LowLoadSpan[],
  value: number,
  { autoKeepMs }: GuardSettings,
  now: number,
): LowLoadSpan[] {
  const kept = spans.filter(({ from }) => from <= now && now - from < autoKeepMs);
  const last = kept.at(-1);
  const counts = [bucketOf(value), 1];
  if (last === undefined || now - last.from >= autoKeepMs / SPANS) return [...kept, { from: now, values: counts }];
  return [...kept.slice(0, -1), { from: last.from, values: mergeSparse(last.values, counts) }];
}

function following(before: number | undefined, spans: readonly LowLoadSpan[]): number | undefined {
  const values = spans.reduce<SparseCounts>((all, span) => mergeSparse(all, span.values), []);
  const low = sparseQuantile(values, DECILE);
  if (before === undefined || low === undefined) return low ?? before;
  if (Math.abs(low - before) < CHANGE * before) return before;
  return low > before && countOf(values) < VALUES_TO_RAISE ? before : low;
}
