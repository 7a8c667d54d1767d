import type { Random } from './random.ts';
import type { ServiceTime } from './service-time.ts';

/** Clients who send whether or not they are answered: arrivals at times of their own. It keeps no state. */
export interface OpenLoad {
  kind: 'open';
  /** The first arrival after a time, both in ms since the load began; undefined: none any more. */
  next(afterMs: number, random: Random): number | undefined;
}

/** So many clients, each of whom sends the next request a while after its last one was answered. */
export interface ClosedLoad {
  kind: 'closed';
  clients: number;
  think: ServiceTime;
}

export type Load = OpenLoad | ClosedLoad;

/** How much comes when. */
export interface Profile {
  /** Arrivals that are expected from the beginning until a time (ms); it never falls. */
  expected(ms: number): number;
}

/** A rate from a time on, going evenly to that of the next one. */
export interface RatePoint {
  atMs: number;
  perSecond: number;
}

/** Latest arrival that is looked for: ten days, ms. */
const HORIZON_MS = 10 * 86_400_000;

/** Arrivals of a profile, independent of each other (Poisson) or as evenly spaced as the rate allows. */
export function openLoad({ expected }: Profile, spacing: 'poisson' | 'even' = 'poisson'): OpenLoad {
  return {
    kind: 'open',
    next(afterMs, random) {
      const before = expected(afterMs);
      const wanted = spacing === 'even' ? Math.floor(before + 1e-6) + 1 : before - Math.log(1 - random());
      let low = afterMs;
      let lower = before;
      let step = 1;
      let higher = expected(low + step);
      while (higher < wanted) {
        low += step;
        lower = higher;
        step *= 2;
        if (low > afterMs + HORIZON_MS) return undefined;
        higher = expected(low + step);
      }
      return reached(expected, wanted, low, low + step, lower, higher);
    },
  };
}

/** Arrivals are known to so many ms. */
const PRECISION_MS = 1e-6;
/** Nearly straight, as rates are over some ms, it is found at once; else halving finds it. */
const GUESSES = 3;

/**
 * When `expected` reaches what is wanted, between two moments; what it is at these is told, too. Halving finds it, and asks
 * only where straight lines have not told on which side a moment is: a sixth of an hour at 130 requests a second went into it.
 */
function reached(
  expected: Profile['expected'],
  wanted: number,
  from: number,
  to: number,
  lower: number,
  higher: number,
): number {
  // It is after `under`, and `over` at the latest.
  let [under, over] = [from, to];
  for (let guess = 0; guess < GUESSES && over - under > 4 * PRECISION_MS && higher > lower; guess++) {
    const about = under + ((over - under) * (wanted - lower)) / (higher - lower);
    for (const ms of [about - PRECISION_MS, about + PRECISION_MS]) {
      if (ms <= under || ms >= over) continue;
      const there = expected(ms);
      if (there < wanted) [under, lower] = [ms, there];
      else [over, higher] = [ms, there];
    }
  }
  let [low, high] = [from, to];
  while (high - low > PRECISION_MS) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) break;
    if (middle <= under || (middle < over && expected(middle) < wanted)) low = middle;
    else high = middle;
  }
  return high;
}

/** The same rate all the time. */
export function constantRate(perSecond: number): Profile {
  return { expected: (ms) => (perSecond * ms) / 1000 };
}

/**
 * Rates that go evenly from point to point, and stay at the last. Two points at one time are a step.
 * @param points in the order of time; the first is at 0
 */
export function linearRates(points: readonly RatePoint[]): Profile {
  let sum = 0;
  const pieces = points.map((point, index) => {
    const next = points[index + 1];
    const lengthMs = next === undefined ? Number.POSITIVE_INFINITY : next.atMs - point.atMs;
    const before = sum;
    if (next !== undefined) sum += ((point.perSecond + next.perSecond) / 2) * (lengthMs / 1000);
    const slope = next === undefined || lengthMs === 0 ? 0 : (next.perSecond - point.perSecond) / lengthMs;
    return { ...point, before, slope };
  });
  return {
    expected(ms) {
      // A loop, as every arrival asks dozens of times.
      let at = pieces.length - 1;
      while (at >= 0 && (pieces[at] as (typeof pieces)[number]).atMs > ms) at--;
      const piece = pieces[at];
      if (piece === undefined) return 0;
      const since = ms - piece.atMs;
      return piece.before + ((piece.perSecond + (piece.slope * since) / 2) * since) / 1000;
    },
  };
}

/** Another rate from each time on, at once. */
export function stepRates(points: readonly RatePoint[]): Profile {
  return linearRates(
    points.flatMap((point, index) => {
      const before = points[index - 1];
      return before === undefined ? [point] : [{ atMs: point.atMs, perSecond: before.perSecond }, point];
    }),
  );
}

/** One profile after the other, each as if it began then; the last goes on for ever. */
export function inSequence(pieces: readonly { profile: Profile; lengthMs: number }[], last: Profile): Profile {
  let [fromMs, before] = [0, 0];
  const placed = [...pieces, { profile: last, lengthMs: Number.POSITIVE_INFINITY }].map(({ profile, lengthMs }) => {
    const piece = { profile, fromMs, before };
    fromMs += lengthMs;
    if (Number.isFinite(lengthMs)) before += profile.expected(lengthMs);
    return piece;
  });
  return {
    expected(ms) {
      const piece = placed.findLast((each) => each.fromMs <= ms);
      return piece === undefined ? 0 : piece.before + piece.profile.expected(ms - piece.fromMs);
    },
  };
}

/** A rate that swings between two, from the least one on. */
export function sineRate(least: number, most: number, periodMs: number): Profile {
  const swing = (most - least) / 2;
  const turn = (2 * Math.PI) / periodMs;
  return { expected: (ms) => ((least + swing) * ms - (swing / turn) * Math.sin(turn * ms)) / 1000 };
}

/**
 * Arrivals at given times, ms, in any order. Those at the same time come one microsecond after the other, and the first
 * one after 0, so that "after 0" leaves none out.
 */
export function givenArrivals(times: readonly number[]): OpenLoad {
  const sorted = Float64Array.from(times).sort();
  for (let i = 0; i < sorted.length; i++) {
    sorted[i] = Math.max(sorted[i] as number, (sorted[i - 1] ?? 0) + 0.001);
  }
  return {
    kind: 'open',
    next(afterMs) {
      let low = 0;
      let high = sorted.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((sorted[middle] as number) <= afterMs) low = middle + 1;
        else high = middle;
      }
      return sorted[low];
    },
  };
}
