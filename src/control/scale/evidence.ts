import type { GuardSettings } from '../../model/settings.ts';

/** A rate, and when it was seen, the clock's ms. */
export interface Seen {
  perSecond: number;
  at: number;
}

/**
 * What was learnt of one service under its present `run`. Plain data. Evidence that is contradicted is dropped, and all
 * of it fades.
 */
export interface Evidence {
  /**
   * The most good answers per second and replica, seen while the service was saturated: the only figure that sizes an
   * increase. What a replica does that is not saturated says nothing about what it could do.
   */
  capacity: Seen | undefined;
  /** By number of replicas: the most arrivals that so many answered with low latency. */
  carried: readonly (Seen | undefined)[];
  /** By number of replicas: the least arrivals at which so many were not enough, and one more helped. */
  failed: readonly (Seen | undefined)[];
  /** An increase has proved that replicas help. */
  helps: boolean;
}

export const noEvidence: Evidence = { capacity: undefined, carried: [], failed: [], helps: false };

/**
 * What it takes to replace the capacity that is known: faded since it was seen, good answers per second; undefined while
 * unknown. Sizes go by what was seen.
 */
export function capacityAt({ capacity }: Evidence, guards: GuardSettings, now: number): number | undefined {
  return capacity === undefined ? undefined : faded(capacity, guards, now);
}

/**
 * Answers per second that one replica is known to manage: its capacity, or what each of several carried with ease.
 * Undefined while nothing is known.
 */
export function eachManages(evidence: Evidence, guards: GuardSettings, now: number): number | undefined {
  const carried = evidence.carried.map((seen, n) => (seen === undefined ? 0 : faded(seen, guards, now) / n));
  const most = Math.max(evidence.capacity?.perSecond ?? 0, ...carried);
  return most > 0 ? most : undefined;
}

/** A rate less its standard error: the most of many short counts is more than what is true. */
export function surely(perSecond: number, overMs: number): number {
  const seconds = overMs / 1000;
  const count = perSecond * seconds;
  return Math.max(0, count - Math.sqrt(count)) / seconds;
}

/** Takes in what each replica did while the service was saturated. */
export function withCapacity(evidence: Evidence, perSecond: number, guards: GuardSettings, now: number): Evidence {
  if (perSecond <= (capacityAt(evidence, guards, now) ?? 0)) return evidence;
  return { ...evidence, capacity: { perSecond, at: now } };
}

/** `replicas` answered so many arrivals with low latency. */
export function withCarried(
  evidence: Evidence,
  replicas: number,
  arrivals: number,
  guards: GuardSettings,
  now: number,
): Evidence {
  const { carried, failed } = evidence;
  const before = carried[replicas];
  const isMore = before === undefined || arrivals > faded(before, guards, now);
  // What they were too few for once they carry now.
  const isContradicted = failed.some((seen, n) => seen !== undefined && n >= replicas && arrivals >= seen.perSecond);
  if (!isMore && !isContradicted) return evidence;
  return {
    ...evidence,
    carried: isMore ? put(carried, replicas, { perSecond: arrivals, at: now }) : carried,
    failed: isContradicted
      ? failed.map((seen, n) => (seen !== undefined && n >= replicas && arrivals >= seen.perSecond ? undefined : seen))
      : failed,
  };
}

/** So many replicas are slow at so many arrivals: neither they nor fewer carry more than that now. */
export function withTooFew(evidence: Evidence, replicas: number, arrivals: number): Evidence {
  const { carried } = evidence;
  if (!carried.some((seen, n) => seen !== undefined && n <= replicas && seen.perSecond > arrivals)) return evidence;
  return {
    ...evidence,
    carried: carried.map((seen, n) =>
      seen !== undefined && n <= replicas && seen.perSecond > arrivals ? { ...seen, perSecond: arrivals } : seen,
    ),
  };
}

/** So many replicas were not enough for so many arrivals: one more helped, or one fewer did not do. */
export function withFailed(
  evidence: Evidence,
  replicas: number,
  arrivals: number,
  guards: GuardSettings,
  now: number,
): Evidence {
  if ((failedAt(evidence, replicas, guards, now) ?? Number.POSITIVE_INFINITY) <= arrivals) return evidence;
  return { ...evidence, failed: put(evidence.failed, replicas, { perSecond: arrivals, at: now }) };
}

/** The least arrivals per second at which so many replicas were not enough; undefined while none is known. */
export function failedAt({ failed }: Evidence, replicas: number, guards: GuardSettings, now: number) {
  const seen = failed[replicas];
  return seen === undefined || now - seen.at >= guards.failedForMs ? undefined : seen.perSecond;
}

/** At this share of the arrivals at which so many were too slow they are about to be. */
const BEFORE_SLOW = 0.95;

/**
 * Arrivals per second of each of so many at which they are about to be too few, by what is known of as many or fewer: a
 * little less than their capacity, and where they were too slow. Undefined where more have not helped yet.
 */
export function eachTakes(evidence: Evidence, replicas: number, guards: GuardSettings, now: number) {
  const { helps, capacity } = evidence;
  let each = helps && capacity !== undefined ? guards.downPeak * capacity.perSecond : undefined;
  for (let n = replicas; n > 0; n--) {
    const failed = failedAt(evidence, n, guards, now);
    if (failed === undefined) continue;
    each = Math.min(each ?? Number.POSITIVE_INFINITY, (BEFORE_SLOW * failed) / n);
    break;
  }
  return each;
}

/** The fewest replicas that are known to carry so many arrivals, more than `over`; undefined where none are. */
export function carriersOf(
  { carried }: Evidence,
  arrivals: number,
  over: number,
  guards: GuardSettings,
  now: number,
): number | undefined {
  for (let n = over + 1; n < carried.length; n++) {
    const seen = carried[n];
    if (seen !== undefined && faded(seen, guards, now) >= arrivals) return n;
  }
  return undefined;
}

/** What is left of a rate as evidence, per second. */
export function faded({ perSecond, at }: Seen, { evidenceHalfLifeMs }: GuardSettings, now: number): number {
  return perSecond * 2 ** (-(now - at) / evidenceHalfLifeMs);
}

function put(list: readonly (Seen | undefined)[], index: number, seen: Seen): readonly (Seen | undefined)[] {
  return Array.from({ length: Math.max(list.length, index + 1) }, (_, n) => (n === index ? seen : list[n]));
}
