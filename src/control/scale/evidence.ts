import type { GuardSettings } from '../../model/settings.ts';

/** A rate, and when it was seen, the clock's ms. */
export interface Seen {
  perSecond: number;
  at: number;
}

/**
 * What one replica can do, and of how many answers that is known: of few it may be luck. Sizes go by what was seen; what
 * has faded of it since takes less to replace.
 */
export interface Capacity extends Seen {
  answers: number;
}

/** Arrivals at which so many were not enough, and for how long that is believed, ms. */
export interface Failed extends Seen {
  forMs: number;
}

/** What so many replicas that were busy answered together. */
export interface Done {
  replicas: number;
  goodPerSecond: number;
  overMs: number;
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
  capacity: Capacity | undefined;
  /** By number of replicas: the most arrivals that so many answered with low latency. */
  carried: readonly (Seen | undefined)[];
  /** By number of replicas: the least arrivals at which so many were not enough, and one more helped. */
  failed: readonly (Failed | undefined)[];
  /** An increase has proved that replicas help. */
  helps: boolean;
}

export const noEvidence: Evidence = { capacity: undefined, carried: [], failed: [], helps: false };

/**
 * Answers per second that one replica is known to manage: its capacity, or what each of several carried with ease.
 * Undefined while nothing is known.
 */
export function eachManages(evidence: Evidence, guards: GuardSettings, now: number): number | undefined {
  const carried = evidence.carried.map((seen, n) => (seen === undefined ? 0 : faded(seen, guards, now) / n));
  const most = Math.max(evidence.capacity?.perSecond ?? 0, ...carried);
  return most > 0 ? most : undefined;
}

/** A rate less so many standard errors: the most of many short counts is more than what is true. */
export function surely(perSecond: number, overMs: number, errors = 1): number {
  const seconds = overMs / 1000;
  const count = perSecond * seconds;
  return Math.max(0, count - errors * Math.sqrt(count)) / seconds;
}

/** So many times as many answers say more than those before. */
const SAYS_MORE = 4;
/** What was done in less time than this may be the work of a moment, or of a part of the replicas, ms. */
const LASTING_MS = 5000;
/** What so few answers said may be too much by so many standard errors: the luckiest of several looks. */
const LUCK = 3;

/**
 * Takes in what replicas did while they had more to do than they could begin. What is more by more than chance is news; so
 * is less, where it was seen of many more answers, but only as far as luck may have made it more before.
 */
export function withCapacity(evidence: Evidence, done: Done, guards: GuardSettings, now: number): Evidence {
  const { capacity } = evidence;
  const answers = (done.goodPerSecond * done.overMs) / 1000;
  const errors = (capacity?.answers ?? 0) < SAYS_MORE * answers ? 1 : LUCK;
  const each = (less: number) => surely(done.goodPerSecond, done.overMs, less) / done.replicas;
  if (each(errors) > (capacity === undefined ? 0 : faded(capacity, guards, now)))
    return { ...evidence, capacity: { perSecond: each(errors), answers, at: now } };
  if (capacity === undefined) return evidence;
  if (done.overMs < LASTING_MS || answers < SAYS_MORE * capacity.answers) return evidence;
  const least = capacity.perSecond * (1 - LUCK / Math.sqrt(capacity.answers));
  return { ...evidence, capacity: { perSecond: Math.max(least, each(1)), answers, at: now } };
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

/**
 * So many replicas were not enough for so many arrivals: one more helped, or one fewer did not do. Where they should have
 * been, by what each is known to do, that may have been a moment of bad luck: it is believed for as long as until a
 * decrease is tried again, and for twice as long where it was so before.
 * @param each answers per second that each is known to do; undefined where more have not helped yet
 */
export function withFailed(
  evidence: Evidence,
  replicas: number,
  arrivals: number,
  each: number | undefined,
  guards: GuardSettings,
  now: number,
): Evidence {
  if ((failedAt(evidence, replicas, now) ?? Number.POSITIVE_INFINITY) <= arrivals) return evidence;
  const { failed } = evidence;
  const before = failed[replicas];
  const isAgain = before !== undefined && now - before.at < guards.failedForMs;
  const isSurprise = each !== undefined && arrivals <= replicas * each;
  const forMs = !isSurprise ? guards.failedForMs : isAgain ? 2 * before.forMs : guards.downRetryMs;
  const seen = { perSecond: arrivals, at: now, forMs: Math.min(guards.failedForMs, forMs) };
  return { ...evidence, failed: put(failed, replicas, seen) };
}

/** The least arrivals per second at which so many replicas were not enough; undefined while none is known. */
export function failedAt({ failed }: Evidence, replicas: number, now: number): number | undefined {
  const seen = failed[replicas];
  return seen === undefined || now - seen.at >= seen.forMs ? undefined : seen.perSecond;
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
    const failed = failedAt(evidence, n, now);
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

function put<T extends Seen>(list: readonly (T | undefined)[], index: number, seen: T): readonly (T | undefined)[] {
  return Array.from({ length: Math.max(list.length, index + 1) }, (_, n) => (n === index ? seen : list[n]));
}
