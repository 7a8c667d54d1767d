import { createRandom, type Random, streamSeed } from '../random.ts';
import type { CallerClass, ServiceCalls } from './workload.ts';

export interface WeekSpec {
  services: number;
  days: number;
  seed: number;
}

export const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/**
 * Calls a day by the share of services that get at most so many: 45 % at most one an hour, 81 % at most one a minute.
 * Those above one in four seconds are cut there: no policy puts them to sleep.
 */
const RATES: readonly (readonly [share: number, perDay: number])[] = [
  [0, 0.3],
  [0.45, 24],
  [0.81, 1440],
  [1, 21_600],
];

/** How often each kind of caller is met; the rest is bursty. */
const PERIODIC = 0.2;
const POISSON = 0.15;
const DAY_NIGHT = 0.2;
const RARE = 0.1;
/** So many change their rate tenfold at half time. */
const CHANGING = 0.1;
/** Periods of timers, minutes. */
const PERIODS = [1, 2, 5, 10, 15, 30, 60, 120, 240, 360, 720, 1440];

/** Services as published facts have them, one after the other; the seed decides all of it. */
export function* generateServices({ services, days, seed }: WeekSpec): Generator<ServiceCalls> {
  for (let index = 0; index < services; index++) {
    const random = createRandom(streamSeed(seed, `service ${index}`));
    yield generateService(random, days * DAY_MS);
  }
}

function generateService(random: Random, endMs: number): ServiceCalls {
  const caller = callerOf(random());
  // The rare ones are among those that get at most one call an hour, and the others fill up the rest.
  const share = caller === 'rare' ? 0.45 * random() : withoutRare(random());
  const perMs = perDayAt(share) / DAY_MS;
  const changesAt = random() < CHANGING ? endMs / 2 : Number.POSITIVE_INFINITY;
  const factor = random() < 0.5 ? 10 : 0.1;
  const at: number[] = [];
  const next = arrivals[caller](random, perMs);
  for (let now = random() / perMs; now < endMs && at.length < 1_000_000; ) {
    at.push(now);
    const gap = next(now);
    now += now < changesAt ? gap : gap / factor;
  }
  // Half of the functions run for under a second on average, 90 % of the applications use under 400 MB, half under 170.
  const typicalMs = 700 * Math.exp(normal(random) * 1.2);
  return {
    caller,
    startMs: Math.min(15_000, 1000 * Math.exp(normal(random) * 0.7)),
    stopMs: 200,
    memoryMiB: 162 * Math.exp(normal(random) * 0.67),
    at: Float64Array.from(at),
    durationMs: Float64Array.from(at, () => Math.min(60_000, typicalMs * Math.exp(normal(random) * 0.5))),
  };
}

type Generated = Exclude<CallerClass, 'recorded'>;

function callerOf(draw: number): Generated {
  if (draw < PERIODIC) return 'periodic';
  if (draw < PERIODIC + POISSON) return 'poisson';
  if (draw < PERIODIC + POISSON + DAY_NIGHT) return 'day-night';
  return draw < PERIODIC + POISSON + DAY_NIGHT + RARE ? 'rare' : 'bursty';
}

function withoutRare(draw: number): number {
  const low = (0.45 - RARE) / (1 - RARE);
  return draw < low ? (draw / low) * 0.45 : 0.45 + ((draw - low) / (1 - low)) * 0.55;
}

function perDayAt(share: number): number {
  for (let i = 1; i < RATES.length; i++) {
    const [to, more] = RATES[i] as (typeof RATES)[number];
    const [from, less] = RATES[i - 1] as (typeof RATES)[number];
    if (share <= to) return less * (more / less) ** ((share - from) / (to - from));
  }
  return 0;
}

/** What comes after a call, by the kind of caller: ms until the next one. */
const arrivals: Record<Generated, (random: Random, perMs: number) => (now: number) => number> = {
  /** Timers with a little delay. */
  periodic: (random, perMs) => {
    const asked = 1 / perMs / MINUTE_MS;
    const period = PERIODS.reduce((best, each) =>
      Math.abs(Math.log(each / asked)) < Math.abs(Math.log(best / asked)) ? each : best,
    );
    let due = 0;
    return (now) => {
      due = Math.max(due, now) + period * MINUTE_MS;
      return Math.max(1, due - now + random() * Math.min(2000, period * MINUTE_MS * 0.01));
    };
  },
  poisson: (random, perMs) => () => exponential(random) / perMs,
  /** Bursts of some calls that follow each other, after pauses that are much longer for some than for others. */
  bursty: (random, perMs) => {
    const size = 2 + 30 * random() ** 2;
    const within = (1000 + 20_000 * random() ** 2) * exponential(random);
    const spread = 1 + random();
    const pause = Math.max(within, size / perMs - (size - 1) * within);
    return () =>
      random() < 1 / size
        ? pause * Math.exp(normal(random) * spread - (spread * spread) / 2)
        : within * exponential(random);
  },
  /** Heavy tails: most calls follow another one, the rest come after hours or days. */
  rare: (random, perMs) => {
    // What somebody takes from one click to the next: from a second to five minutes.
    const within = 1000 * 300 ** random();
    return () => (random() < 0.6 ? within * exponential(random) : (2.5 / perMs) * exponential(random));
  },
  /** Office hours: five times the rate by day, almost nothing at night. */
  'day-night': (random, perMs) => (now) => {
    for (let at = now; ; ) {
      const rate = perMs * 2.4;
      at += exponential(random) / rate;
      const hour = (at % DAY_MS) / HOUR_MS;
      if (random() < (hour >= 8 && hour < 18 ? 1 : 0.01)) return at - now;
    }
  },
};

function exponential(random: Random): number {
  return -Math.log(1 - random());
}

/** Standard normal (Box and Muller). */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
