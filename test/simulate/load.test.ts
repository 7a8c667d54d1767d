import { expect, test } from 'vitest';
import {
  constantRate,
  givenArrivals,
  linearRates,
  type OpenLoad,
  openLoad,
  sineRate,
  stepRates,
} from '../../src/simulate/load.ts';
import { createRandom } from '../../src/simulate/random.ts';

function arrivals(load: OpenLoad, untilMs: number, seed = 1): number[] {
  const random = createRandom(seed);
  const times: number[] = [];
  for (let at = load.next(0, random); at !== undefined && at <= untilMs; at = load.next(at, random)) times.push(at);
  return times;
}

const within = (times: number[], from: number, to: number) => times.filter((at) => at > from && at <= to).length;

test('evenly spaced arrivals keep their distance', () => {
  const times = arrivals(openLoad(constantRate(4), 'even'), 2001);
  expect(times.map(Math.round)).toEqual([250, 500, 750, 1000, 1250, 1500, 1750, 2000]);
});

test('Poisson arrivals have the rate, and gaps that vary as much as they are long', () => {
  const times = arrivals(openLoad(constantRate(50)), 400_000);
  const gaps = times.slice(1).map((at, index) => at - (times[index] as number));
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
  expect(mean).toBeGreaterThan(19);
  expect(mean).toBeLessThan(21);
  expect(Math.sqrt(variance) / mean).toBeCloseTo(1, 1);
});

test('the same seed gives the same arrivals, another one others', () => {
  const load = openLoad(constantRate(10));
  expect(arrivals(load, 5000, 3)).toEqual(arrivals(load, 5000, 3));
  expect(arrivals(load, 5000, 3)).not.toEqual(arrivals(load, 5000, 4));
});

test('a step changes the rate at once, and nothing comes after a step to nothing', () => {
  const load = openLoad(
    stepRates([
      { atMs: 0, perSecond: 10 },
      { atMs: 10_000, perSecond: 100 },
      { atMs: 20_000, perSecond: 0 },
    ]),
    'even',
  );
  const times = arrivals(load, 60_000);
  expect([within(times, 0, 10_000), within(times, 10_000, 20_000), within(times, 20_000, 60_000)]).toEqual([
    100, 1000, 0,
  ]);
});

test('a ramp goes evenly from one rate to the other and stays there', () => {
  const times = arrivals(
    openLoad(
      linearRates([
        { atMs: 0, perSecond: 0 },
        { atMs: 10_000, perSecond: 20 },
      ]),
      'even',
    ),
    20_000.5,
  );
  expect([within(times, 0, 5000), within(times, 0, 10_000.5), within(times, 10_000.5, 20_000.5)]).toEqual([
    25, 100, 200,
  ]);
});

test('a sine begins at the least rate and has the mean over a period', () => {
  const { expected } = sineRate(10, 110, 60_000);
  expect(expected(60_000)).toBeCloseTo(3600);
  expect(expected(1000)).toBeLessThan(10.5);
  expect(expected(30_500) - expected(29_500)).toBeGreaterThan(109);
});

test('arrivals are those that halving finds, to the last bit, at any time and with any form of load', () => {
  const steps = [0, 40_000, 40_500, 90_000].map((atMs, index) => ({
    atMs,
    perSecond: [30, 400, 0, 5][index] as number,
  }));
  for (const profile of [constantRate(130), sineRate(7, 117, 60_000), stepRates(steps), linearRates(steps)]) {
    const load = openLoad(profile);
    for (const from of [0, 1e6, 3e7]) {
      const moved = { expected: (ms: number) => profile.expected(Math.max(0, ms - from)) };
      const [random, again] = [createRandom(9), createRandom(9)];
      let at = from;
      for (let count = 0; count < 500; count++) {
        const next = (from === 0 ? load : openLoad(moved)).next(at, random);
        expect(next).toBe(halved(moved.expected, at, again()));
        if (next === undefined) break;
        at = next;
      }
    }
  }
});

/** The first moment, to a microsecond of a ms, at which one more than at `afterMs` is expected, by a chance in [0, 1). */
function halved(expected: (ms: number) => number, afterMs: number, chance: number): number | undefined {
  const wanted = expected(afterMs) - Math.log(1 - chance);
  let [low, step] = [afterMs, 1];
  for (; expected(low + step) < wanted; step *= 2) {
    low += step;
    if (low > afterMs + 864_000_000) return undefined;
  }
  let high = low + step;
  while (high - low > 1e-6) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) break;
    if (expected(middle) < wanted) low = middle;
    else high = middle;
  }
  return high;
}

test('given arrivals come in order, those at the same time too', () => {
  expect(arrivals(givenArrivals([30, 0, 10, 10, 20]), 100).map(Math.round)).toEqual([0, 10, 10, 20, 30]);
});
