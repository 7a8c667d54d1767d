import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  cheapestKeep,
  costOfKeep,
  type IdleCosts,
  leastKeepFor,
  skiRentalMs,
  wakeCostMs,
  withDoubt,
} from '../../../src/control/scale/idle-cost.ts';
import { GAP_BUCKETS, gapEdge, gapMiddle, IdleGaps } from '../../../src/control/scale/idle-gaps.ts';

/** Gaps of Poisson arrivals, at their quantiles. */
function poisson(perSecond: number, count = 10_000): IdleGaps {
  const counts = new IdleGaps();
  // Added at once, so that none is forgotten.
  const all = Array.from({ length: count }, (_, i) => (-Math.log(1 - (i + 0.5) / count) / perSecond) * 1000);
  for (const ms of all) new IdleGaps(counts.counts).add(ms);
  return new IdleGaps(counts.counts);
}

function of(...gaps: [ms: number, count: number][]): IdleGaps {
  const { counts } = new IdleGaps();
  for (const [ms, count] of gaps) new IdleGaps(counts).add(ms, count);
  return new IdleGaps(counts);
}

const costs = (change: Partial<IdleCosts> = {}): IdleCosts => ({
  startMs: 2000,
  stopMs: 0,
  waitMs: 2000,
  weight: 150,
  ...change,
});

/** The cheapest time to keep it, and what that costs. @param doubt gaps that are assumed; default: as for services */
function best(gaps: IdleGaps, each: IdleCosts, doubt?: number) {
  return costOfKeep(gaps, each, cheapestKeep(withDoubt(gaps.counts, wakeCostMs(each), doubt), each));
}

test('rule of thumb: with a start of 200 ms that only its one waiter pays for, at a weight of 2.5, under two requests a second are put to sleep at once', () => {
  const rule = costs({ startMs: 0, waitMs: 200, weight: 2.5 });
  for (const perSecond of [0.01, 0.1, 0.5, 1, 1.8]) expect(best(poisson(perSecond), rule, 0).keepMs).toBe(0);
  for (const perSecond of [2.2, 3, 10, 20]) {
    const { keepMs, wakes } = best(poisson(perSecond), rule, 0);
    // Kept through all gaps but the longest of ten thousand.
    expect(keepMs * perSecond).toBeGreaterThan(3000);
    expect(wakes).toBeLessThan(0.02);
  }
});

test('no other time to keep it is cheaper, whatever gaps were seen', () => {
  const gap = fc.tuple(fc.integer({ min: 1, max: 2 ** 31 }), fc.integer({ min: 1, max: 50 }));
  const any = fc.record({
    startMs: fc.integer({ min: 0, max: 60_000 }),
    stopMs: fc.integer({ min: 0, max: 30_000 }),
    waitMs: fc.integer({ min: 0, max: 100_000 }),
    weight: fc.double({ min: 0.01, max: 1000, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(gap, { minLength: 1, maxLength: 30 }), any, (seen, each) => {
      const gaps = of(...seen);
      const sum = (keepMs: number) => {
        const { idleCostMs, wakeCostMs: wakes } = costOfKeep(gaps, each, keepMs);
        return idleCostMs + wakes;
      };
      const chosen = best(gaps, each, 0);
      const least = Math.min(sum(0), ...Array.from({ length: GAP_BUCKETS - 1 }, (_, bucket) => sum(gapEdge(bucket))));
      expect(sum(chosen.keepMs)).toBeLessThanOrEqual(least * (1 + 1e-6));
      // None that is shorter costs the same.
      for (let bucket = 0; gapEdge(bucket) < chosen.keepMs; bucket++)
        expect(sum(gapEdge(bucket))).toBeGreaterThan(sum(chosen.keepMs) * (1 - 1e-6));
    }),
  );
});

test('a stop that takes long makes short gaps not worth it', () => {
  const gaps = of([3000, 100]);
  expect(best(gaps, costs({ startMs: 1000, waitMs: 0 }), 0).keepMs).toBe(0);
  expect(best(gaps, costs({ startMs: 1000, waitMs: 0, stopMs: 5000 }), 0).keepMs).toBeGreaterThan(3000);
});

test('two kinds of gaps: kept through the short ones, asleep in the long ones', () => {
  const { keepMs, wakes } = best(of([10_000, 90], [7_200_000, 10]), costs());
  expect(keepMs).toBeGreaterThanOrEqual(10_000);
  expect(keepMs).toBeLessThan(13_000);
  expect(wakes).toBeCloseTo(0.1, 1);
});

test('a service that is called once a day sleeps at once', () => {
  expect(best(of([86_400_000, 20]), costs()).keepMs).toBe(0);
});

test('of a first burst nobody knows that nothing follows it: it is kept for about as long as a wake costs', () => {
  const { keepMs } = best(of([50, 40]), costs());
  expect(keepMs).toBeGreaterThan(wakeCostMs(costs()) / 2);
  expect(keepMs).toBeLessThanOrEqual(wakeCostMs(costs()) * 1.1);
});

test('ski rental costs at most twice what is best, and a start, whatever gaps come', () => {
  const each = costs();
  const keepMs = skiRentalMs(each);
  expect(keepMs).toBe(302_000);
  for (let bucket = 0; bucket < GAP_BUCKETS - 1; bucket++) {
    const gap = gapMiddle(bucket);
    const { idleCostMs, wakeCostMs: wakes } = costOfKeep(of([gap, 1]), each, keepMs);
    expect(idleCostMs + wakes).toBeLessThanOrEqual(2.1 * Math.min(gap, wakeCostMs(each)));
  }
});

test('fewer wakes: the shortest time after which no more of the gaps go on', () => {
  const gaps = of([1000, 50], [60_000, 40], [3_600_000, 10]);
  expect(costOfKeep(gaps, costs(), leastKeepFor(gaps, 0.6, 0)).wakes).toBeCloseTo(0.5, 1);
  expect(costOfKeep(gaps, costs(), leastKeepFor(gaps, 0.2, 0)).wakes).toBeCloseTo(0.1, 1);
  expect(leastKeepFor(gaps, 0.6, 500_000)).toBeGreaterThanOrEqual(500_000);
});
