import { GAP_BUCKETS, gapBucket, gapEdge, gapMiddle, type IdleGaps } from './idle-gaps.ts';

/** What it costs to put a service to sleep; times in ms. */
export interface IdleCosts {
  /** From the permit to ready. */
  startMs: number;
  /** A replica that is stopped is there for so long yet. */
  stopMs: number;
  /** What all that wait for one wake wait together. */
  waitMs: number;
  /** Seconds of an idle replica that one second of a waiting user is worth. */
  weight: number;
}

/** How long to keep an idle service, and what that is expected to cost, in ms of an idle replica per gap. */
export interface IdleChoice {
  keepMs: number;
  /** Share of the gaps that are longer: each of them ends with a wake. */
  wakes: number;
  /** Idle replicas … */
  idleCostMs: number;
  /** … and starts, with those who wait for them. */
  wakeCostMs: number;
}

/** Fewer gaps than these say nothing. */
export const LEAST_GAPS = 20;
/**
 * Beyond what was seen there may be gaps of every length up to what a wake costs: so many are assumed. Without them a
 * service would sleep between two bursts of which it has seen the first alone.
 */
const DOUBT_GAPS = 2;
/** The shortest of them, as a part of what a wake costs. */
const DOUBT_FROM = 1 / 64;

/** What one wake costs, in ms of an idle replica. */
export function wakeCostMs({ startMs, waitMs, weight }: IdleCosts): number {
  return startMs + weight * waitMs;
}

/**
 * What one gap costs, in ms of an idle replica.
 * @param window when there is a replica again, ms since the gap began, where that is after `keepMs`
 */
export function costOfGap(
  gapMs: number,
  costs: IdleCosts,
  keepMs: number,
  window = { fromMs: Number.POSITIVE_INFINITY, untilMs: Number.POSITIVE_INFINITY },
): number {
  const { startMs, stopMs, weight } = costs;
  const { fromMs, untilMs } = window;
  if (gapMs <= keepMs) return gapMs;
  if (gapMs <= fromMs) return Math.min(gapMs, keepMs + stopMs) + wakeCostMs(costs);
  const before = keepMs + stopMs;
  // It is waited for what is left of the start.
  if (gapMs <= untilMs) return before + gapMs - fromMs + weight * Math.max(0, fromMs + startMs - gapMs);
  return before + untilMs - fromMs + stopMs + wakeCostMs(costs);
}

/**
 * Keeps an idle service for as long as a wake costs: whatever gaps come, that is at most about twice what it would cost
 * if they were known (ski rental).
 */
export function skiRentalMs({ startMs, weight }: Pick<IdleCosts, 'startMs' | 'weight'>): number {
  return startMs + weight * startMs;
}

/**
 * The shortest time to keep an idle service, ms, for which
 * E[min(gap, keep + stop)] + (start + weight × wait) × P(gap > keep) is least.
 * @param counts gaps per bucket of `IdleGaps`
 * @param foreseen further ones that end with no wake, whenever it is put to sleep before
 */
export function cheapestKeep(counts: Float64Array, costs: IdleCosts, foreseen = 0): number {
  const { stopMs } = costs;
  const perWake = wakeCostMs(costs);
  let over = 0;
  for (let i = 0; i < GAP_BUCKETS; i++) over += counts[i] as number;
  /** Of gaps that end within the time to keep. */
  let within = 0;
  let keepMs = 0;
  let best = 0;
  let least = over * perWake + idleBeyond(counts, 0, stopMs, over);
  for (let i = 0; i < GAP_BUCKETS - 1 && within < least; i++) {
    const count = counts[i] as number;
    // Nothing more ends until the end of this one.
    if (count === 0) continue;
    keepMs = gapEdge(i);
    within += count * gapMiddle(i);
    over -= count;
    const cost = within + over * perWake + idleBeyond(counts, i + 1, keepMs + stopMs, over) + foreseen * keepMs;
    if (cost >= least * (1 - 1e-9)) continue;
    least = cost;
    best = keepMs;
  }
  return best;
}

/** What keeping for so long would have cost with the gaps that were seen. @param keepMs may be infinite */
export function costOfKeep({ counts, total }: IdleGaps, costs: IdleCosts, keepMs: number): IdleChoice {
  let idle = 0;
  let wakes = 0;
  for (let i = 0; i < GAP_BUCKETS; i++) {
    const count = counts[i] as number;
    if (count === 0) continue;
    const gap = gapMiddle(i);
    // Only a bucket that the time ends in is divided: it is as long as its edge or as the gap.
    const isLonger = gapEdge(i) > keepMs;
    idle += count * (isLonger ? Math.min(gap, keepMs + costs.stopMs) : gap);
    if (isLonger) wakes += count;
  }
  const of = Math.max(total, Number.MIN_VALUE);
  return { keepMs, wakes: wakes / of, idleCostMs: idle / of, wakeCostMs: (wakeCostMs(costs) * wakes) / of };
}

/** The shortest time not under `keepMs` after which at most this share of the gaps goes on. */
export function leastKeepFor({ counts, total }: IdleGaps, share: number, keepMs: number): number {
  let longer = total;
  for (let i = 0; i < GAP_BUCKETS - 1; i++) {
    longer -= counts[i] as number;
    if (gapEdge(i) >= keepMs && longer <= share * total) return gapEdge(i);
  }
  return gapEdge(GAP_BUCKETS - 1);
}

/** Idle time of the gaps from a bucket on, each as long as the gap, and at most `until`. */
export function idleBeyond(counts: Float64Array, from: number, until: number, over: number): number {
  let idle = 0;
  let rest = over;
  for (let i = from; i < GAP_BUCKETS && gapMiddle(i) < until; i++) {
    idle += (counts[i] as number) * gapMiddle(i);
    rest -= counts[i] as number;
  }
  return idle + Math.max(0, rest) * until;
}

/** The gaps that were seen, and those that are assumed beside them. @param all is written over, and returned */
export function withDoubt(
  counts: Float32Array,
  perWake: number,
  doubt = DOUBT_GAPS,
  all = new Float64Array(GAP_BUCKETS),
): Float64Array {
  for (let i = 0; i < GAP_BUCKETS; i++) all[i] = counts[i] as number;
  const to = gapBucket(perWake);
  const from = Math.min(to, gapBucket(perWake * DOUBT_FROM));
  for (let i = from; i <= to; i++) all[i] = (all[i] as number) + doubt / (to - from + 1);
  return all;
}
