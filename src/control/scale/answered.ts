import type { Seen } from './evidence.ts';

/**
 * By number of replicas: what so many answered together, good answers per second, when they last had more to do than they
 * could. Plain data.
 */
export type Answered = readonly (Seen | undefined)[];

/** The overload that goes on: the mean of what is answered, over so many looks at the same replicas. */
export interface Overload {
  replicas: number;
  perSecond: number;
  looks: number;
  /** Squares of how far each look was from the mean, together. */
  squares: number;
}

/** Before it is judged how much so many answer, there are so many looks: of fewer it may be chance. */
const LOOKS = 2;
/** Requests of longer ago may have been others, ms. */
const SAME_REQUESTS_MS = 600_000;

/**
 * The overload with one more look at it; undefined where there is none.
 * @param ticks for how many ticks the replicas have had more to do than they can begin
 */
export function withLook(
  before: Overload | undefined,
  replicas: number,
  perSecond: number,
  ticks: number,
): Overload | undefined {
  // What is seen first is in part of the time before it.
  if (ticks < 2) return undefined;
  if (before === undefined || before.replicas !== replicas) return { replicas, perSecond, looks: 1, squares: 0 };
  const looks = before.looks + 1;
  const mean = before.perSecond + (perSecond - before.perSecond) / looks;
  const squares = before.squares + (perSecond - before.perSecond) * (perSecond - mean);
  return { replicas, perSecond: mean, looks, squares };
}

/** What is looked at, s. */
const LOOK_SECONDS = 2;

/**
 * How many times as much as by chance alone what is answered differs from look to look, as a variance; 1 at least. Where
 * some requests hold up all others, answers come in bursts.
 */
export function burstsIn({ perSecond, looks, squares }: Overload): number {
  return looks < LOOKS || perSecond === 0 ? 1 : Math.max(1, (LOOK_SECONDS * squares) / (looks - 1) / perSecond);
}

/** Takes in what so many answer in an overload. */
export function withAnswered(answered: Answered, overload: Overload | undefined, now: number): Answered {
  if (overload === undefined || overload.looks < LOOKS) return answered;
  const next = [...answered];
  next[overload.replicas] = { perSecond: overload.perSecond, at: now };
  return next;
}

/**
 * The fewest replicas that answered as much a while ago as so many do now; `replicas` where none did.
 * @param least by this share more is more
 */
export function fewestThatAnswered(
  answered: Answered,
  replicas: number,
  perSecond: number,
  least: number,
  now: number,
): number {
  const isAsMuch = (seen: Seen | undefined) =>
    seen !== undefined && now - seen.at < SAME_REQUESTS_MS && seen.perSecond * (1 + least) >= perSecond;
  const fewest = answered.slice(0, replicas).findIndex(isAsMuch);
  return fewest === -1 ? replicas : fewest;
}
