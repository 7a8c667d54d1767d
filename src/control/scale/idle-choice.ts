import type { ForecastWhy, IdleWhy } from '../../model/idle.ts';
import { cheapestKeep, costOfKeep, type IdleCosts, LEAST_GAPS, leastKeepFor, skiRentalMs } from './idle-cost.ts';
import { gapEdge, IdleGaps } from './idle-gaps.ts';
import type { IdleLearnt } from './idle-learnt.ts';

/** A start takes so long before one was seen, ms. */
export const UNKNOWN_START_MS = 2000;
/** The edges speak once a second: a service is not known to be idle for less. */
export const LEAST_KEEP_MS = 1000;
/** Longest time that a timer can wait for, ms. */
export const MOST_KEEP_MS = 2 ** 31 - 1;

/** What `idle: auto` goes by: what was learnt, as far as anything was. */
export function costsOf({ startMs = UNKNOWN_START_MS, stopMs = 0, waitMs }: IdleLearnt, weight: number): IdleCosts {
  return { startMs, stopMs, waitMs: waitMs ?? startMs, weight };
}

/** Whether enough gaps were seen to go by them. */
export function isKnown({ gaps }: IdleLearnt): boolean {
  return gaps.total >= LEAST_GAPS;
}

/**
 * How long an idle service is kept with `idle: auto`, ms.
 * @param raise by how many times its wakes must get fewer: they take more than their share of the starts
 */
export function autoKeepMs(learnt: IdleLearnt, weight: number, raise = 1): number {
  const costs = costsOf(learnt, weight);
  if (!isKnown(learnt)) return bounded(skiRentalMs(costs) * raise);
  const { keepMs, wakes } = cheapestKeep(learnt.gaps, costs);
  return bounded(raise <= 1 ? keepMs : leastKeepFor(learnt.gaps, wakes / raise, keepMs));
}

/**
 * How long it is kept, ms, where gaps of a length are foreseen: those end with no wake.
 * @param from shortest of them, ms
 * @param until longest
 */
export function besideKeepMs(learnt: IdleLearnt, weight: number, from: number, until: number): number {
  let foreseen = 0;
  const others = Float32Array.from(learnt.gaps.counts, (count, bucket) => {
    if (bucket === 0 || gapEdge(bucket) < from || gapEdge(bucket - 1) > until) return count;
    foreseen += count;
    return 0;
  });
  return bounded(cheapestKeep(new IdleGaps(others), costsOf(learnt, weight), undefined, foreseen).keepMs);
}

/** What `why` tells of the idle policy. */
export function explainIdle(
  learnt: IdleLearnt,
  idleMs: number | 'never' | 'auto',
  weight: number,
  raise: number,
  forecast: ForecastWhy | null,
): IdleWhy {
  const costs = costsOf(learnt, weight);
  const keepMs = idleMs === 'auto' ? autoKeepMs(learnt, weight, raise) : idleMs;
  const costOf = (keep: number) => {
    const { idleCostMs, wakeCostMs, wakes } = costOfKeep(learnt.gaps, costs, keep);
    return { idleMs: Math.round(idleCostMs), wakesMs: Math.round(wakeCostMs), wakes };
  };
  const { startMs = null, stopMs = null, waitMs = null } = learnt;
  return {
    mode: idleMs === 'auto' ? (isKnown(learnt) ? 'learnt' : 'learning') : 'fixed',
    keepMs,
    weight,
    gaps: Math.floor(learnt.gaps.total),
    startMs,
    stopMs,
    waitMs,
    raise,
    standby: null,
    forecast,
    expected: isKnown(learnt)
      ? {
          kept: costOf(keepMs === 'never' ? Number.POSITIVE_INFINITY : keepMs),
          atOnce: costOf(0),
          never: costOf(Number.POSITIVE_INFINITY),
        }
      : null,
    byWeight: [weight / 10, weight, weight * 10].map((other) => ({
      weight: other,
      keepMs: autoKeepMs(learnt, other, raise),
    })),
  };
}

function bounded(keepMs: number): number {
  const unit = keepMs < 10_000 ? 10 : 1000;
  return Math.min(MOST_KEEP_MS, Math.max(LEAST_KEEP_MS, Math.ceil(keepMs / unit) * unit));
}
