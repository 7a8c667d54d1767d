import type { ForecastWhy, IdleWhy } from '../../model/idle.ts';
import {
  cheapestKeep,
  costOfKeep,
  type IdleCosts,
  LEAST_GAPS,
  leastKeepFor,
  skiRentalMs,
  wakeCostMs,
  withDoubt,
} from './idle-cost.ts';
import { GAP_BUCKETS, gapBucket, gapEdge } from './idle-gaps.ts';
import type { IdleLearnt } from './idle-learnt.ts';
import type { SiblingGaps } from './sibling-gaps.ts';

/** A start takes so long before one was seen, ms. */
export const UNKNOWN_START_MS = 2000;
/** The edges speak once a second: a service is not known to be idle for less. */
export const LEAST_KEEP_MS = 1000;
/** Longest time that a timer can wait for, ms. */
export const MOST_KEEP_MS = 2 ** 31 - 1;

/** Written over by each that works something out: a service does so after many of its gaps. */
const OTHERS = new Float32Array(GAP_BUCKETS);
const WITH_DOUBT = new Float64Array(GAP_BUCKETS);

/** What `idle: auto` goes by: what was learnt, as far as anything was. */
export function costsOf({ startMs = UNKNOWN_START_MS, stopMs = 0, waitMs }: IdleLearnt, weight: number): IdleCosts {
  return { startMs, stopMs, waitMs: waitMs ?? startMs, weight };
}

/** Whether enough gaps were seen to go by them. */
export function isKnown({ gaps }: IdleLearnt): boolean {
  return gaps.total >= LEAST_GAPS;
}

/**
 * The gaps to go by, per bucket of `IdleGaps`: those of the service, with what is assumed beside them. Undefined where
 * neither its own nor those of its siblings are enough.
 * @param counts is written over, and returned
 */
export function gapsToGoBy(
  learnt: IdleLearnt,
  costs: IdleCosts,
  siblings: SiblingGaps | undefined,
  counts = new Float64Array(GAP_BUCKETS),
): Float64Array | undefined {
  const { gaps } = learnt;
  const areSiblingsKnown = siblings !== undefined && siblings.known(gaps) > 0;
  if (!isKnown(learnt) && !areSiblingsKnown) return undefined;
  withDoubt(gaps.counts, wakeCostMs(costs), undefined, counts);
  siblings?.assume(gaps, counts);
  return counts;
}

/**
 * How long an idle service is kept with `idle: auto`, ms.
 * @param siblings what is known of all services of the proxy; undefined: nothing
 * @param raise by how many times its wakes must get fewer: they take more than their share of the starts
 */
export function autoKeepMs(learnt: IdleLearnt, weight: number, siblings: SiblingGaps | undefined, raise = 1): number {
  const costs = costsOf(learnt, weight);
  const counts = gapsToGoBy(learnt, costs, siblings, WITH_DOUBT);
  const keepMs = counts === undefined ? skiRentalMs(costs) : cheapestKeep(counts, costs);
  if (raise <= 1) return bounded(keepMs);
  if (!isKnown(learnt)) return bounded(Math.max(LEAST_KEEP_MS, keepMs) * raise);
  return bounded(leastKeepFor(learnt.gaps, costOfKeep(learnt.gaps, costs, keepMs).wakes / raise, keepMs));
}

/**
 * How long it is kept, ms, where gaps of a length are foreseen: those end with no wake.
 * @param from shortest of them, ms
 * @param until longest
 */
export function besideKeepMs(learnt: IdleLearnt, weight: number, from: number, until: number): number {
  const costs = costsOf(learnt, weight);
  const others = OTHERS;
  others.set(learnt.gaps.counts);
  let foreseen = 0;
  for (let bucket = Math.max(1, gapBucket(from)); bucket < GAP_BUCKETS && gapEdge(bucket - 1) <= until; bucket++) {
    foreseen += others[bucket] as number;
    others[bucket] = 0;
  }
  return bounded(cheapestKeep(withDoubt(others, wakeCostMs(costs), undefined, WITH_DOUBT), costs, foreseen));
}

/** What `why` tells of the idle policy. */
export function explainIdle(
  learnt: IdleLearnt,
  siblings: SiblingGaps | undefined,
  idleMs: number | 'never' | 'auto',
  weight: number,
  raise: number,
  forecast: ForecastWhy | null,
): IdleWhy {
  const costs = costsOf(learnt, weight);
  const keepMs = idleMs === 'auto' ? autoKeepMs(learnt, weight, siblings, raise) : idleMs;
  const costOf = (keep: number) => {
    const { idleCostMs, wakeCostMs, wakes } = costOfKeep(learnt.gaps, costs, keep);
    return { idleMs: Math.round(idleCostMs), wakesMs: Math.round(wakeCostMs), wakes };
  };
  const { startMs = null, stopMs = null, waitMs = null } = learnt;
  return {
    mode: idleMs === 'auto' ? (isKnown(learnt) ? 'learnt' : 'learning') : 'fixed',
    siblingGaps: Math.floor(siblings?.known(learnt.gaps) ?? 0),
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
      keepMs: autoKeepMs(learnt, other, siblings, raise),
    })),
  };
}

function bounded(keepMs: number): number {
  const unit = keepMs < 10_000 ? 10 : 1000;
  return Math.min(MOST_KEEP_MS, Math.max(LEAST_KEEP_MS, Math.ceil(keepMs / unit) * unit));
}
