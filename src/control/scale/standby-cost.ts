import { type IdleChoice, type IdleCosts, idleBeyond, skiRentalMs, wakeCostMs } from './idle-cost.ts';
import { GAP_BUCKETS, gapEdge, gapMiddle, type IdleGaps } from './idle-gaps.ts';

/** What it costs to put a service to sleep that can be paused; times in ms. */
export interface StandbyCosts extends IdleCosts {
  /** From the permit until a paused replica is ready again. */
  resumeMs: number;
  /** What all that wait for that wait together. */
  resumeWaitMs: number;
  /** What a second of a paused replica costs, as a part of one that is ready; from 0 to 1. */
  pausedCost: number;
}

/** How long an idle service is kept ready, and how long paused after that, ms; paused for 0 ms: it is stopped at once. */
export interface StandbyTimes {
  keepMs: number;
  /** Infinite: it is never stopped. */
  pausedMs: number;
}

/** What is not to be chosen. */
interface StandbyBounds {
  /** How long it is kept ready, ms. */
  fixedKeepMs?: number | undefined;
  /** What is paused is never stopped. */
  neverStops?: boolean;
}

/**
 * The times for which an idle service costs least that is ready until `T1`, paused until `T2 ≥ T1`, and stopped then:
 *
 *     E[min(gap, T1)] + part × E[min(gap, T2) − min(gap, T1)] + E[min(gap, T2 + stop) − min(gap, T2)]
 *       + resume × P(T1 < gap ≤ T2) + wake × P(gap > T2)
 *
 * where `part` is the cost of a paused second, `resume` and `wake` that of the two kinds of wakes. It is the sum of a
 * function of T1 and one of T2, so that one walk through the gaps finds the best of all pairs.
 * @param counts gaps per bucket of `IdleGaps`
 */
export function cheapestStandby(
  counts: Float64Array,
  costs: StandbyCosts,
  { fixedKeepMs, neverStops = false }: StandbyBounds = {},
): StandbyTimes {
  const { stopMs, pausedCost } = costs;
  const wake = wakeCostMs(costs);
  const resume = Math.min(wake, resumeCostMs(costs));
  let over = 0;
  for (const count of counts) over += count;
  let within = 0;
  const isGiven = fixedKeepMs !== undefined;
  let keep = { ms: 0, cost: isGiven ? 0 : Number.POSITIVE_INFINITY };
  let best = { keepMs: keep.ms, untilMs: keep.ms, cost: Number.POSITIVE_INFINITY };
  for (let i = -1; i < GAP_BUCKETS - 1; i++) {
    const ms = i < 0 ? 0 : gapEdge(i);
    const count = i < 0 ? 0 : (counts[i] as number);
    within += count * (i < 0 ? 0 : gapMiddle(i));
    over -= count;
    // Nothing more ends until the end of this one.
    if (i >= 0 && count === 0) continue;
    const idle = within + over * ms;
    const keepCost = (1 - pausedCost) * idle + over * resume;
    if (!isGiven && keepCost < keep.cost * (1 - 1e-9)) keep = { ms, cost: keepCost };
    const stopping = idleBeyond(counts, i + 1, ms + stopMs, over) - over * ms;
    const cost = keep.cost + pausedCost * idle + stopping + over * (wake - resume);
    if (cost < best.cost * (1 - 1e-9)) best = { keepMs: keep.ms, untilMs: ms, cost };
  }
  if (neverStops) return { keepMs: fixedKeepMs ?? keep.ms, pausedMs: Number.POSITIVE_INFINITY };
  const keepMs = fixedKeepMs ?? best.keepMs;
  return { keepMs, pausedMs: Math.max(0, best.untilMs - keepMs) };
}

/**
 * The same where nothing is known of the gaps: each of the two is kept until it has cost as much as what would have been
 * saved without it (ski rental).
 */
export function skiRentalStandby(
  costs: StandbyCosts,
  { fixedKeepMs, neverStops = false }: StandbyBounds = {},
): StandbyTimes {
  const wake = skiRentalMs(costs);
  const resume = Math.min(wake, resumeCostMs(costs));
  const keepMs = fixedKeepMs ?? resume / Math.max(Number.MIN_VALUE, 1 - costs.pausedCost);
  if (neverStops) return { keepMs, pausedMs: Number.POSITIVE_INFINITY };
  const untilMs = (wake - resume) / Math.max(Number.MIN_VALUE, costs.pausedCost);
  if (fixedKeepMs === undefined && untilMs <= keepMs) return { keepMs: wake, pausedMs: 0 };
  return { keepMs, pausedMs: Math.max(0, untilMs - keepMs) };
}

/** What such times would have cost with the gaps that were seen, in ms of an idle replica per gap. */
export function costOfStandby(
  { counts, total }: IdleGaps,
  costs: StandbyCosts,
  { keepMs, pausedMs }: StandbyTimes,
): Omit<IdleChoice, 'keepMs'> {
  const { stopMs, pausedCost } = costs;
  const untilMs = keepMs + pausedMs;
  const wake = wakeCostMs(costs);
  const resume = Math.min(wake, resumeCostMs(costs));
  const sums = { wakes: 0, idleCostMs: 0, wakeCostMs: 0 };
  for (let i = 0; i < GAP_BUCKETS; i++) {
    const count = counts[i] as number;
    const gap = gapMiddle(i);
    const isPaused = gapEdge(i) > keepMs;
    const isStopped = gapEdge(i) > untilMs;
    const ready = isPaused ? Math.min(gap, keepMs) : gap;
    const paused = isPaused ? (isStopped ? Math.min(gap, untilMs) : gap) - ready : 0;
    const stopping = isStopped ? Math.min(gap, untilMs + stopMs) - Math.min(gap, untilMs) : 0;
    sums.idleCostMs += count * (ready + pausedCost * paused + stopping);
    sums.wakeCostMs += count * (isStopped ? wake : isPaused ? resume : 0);
    if (isPaused) sums.wakes += count;
  }
  const of = Math.max(total, Number.MIN_VALUE);
  return { wakes: sums.wakes / of, idleCostMs: sums.idleCostMs / of, wakeCostMs: sums.wakeCostMs / of };
}

/** What a wake of a paused replica costs, in ms of one that is ready. */
function resumeCostMs({ resumeMs, resumeWaitMs, weight }: StandbyCosts): number {
  return resumeMs + weight * resumeWaitMs;
}
