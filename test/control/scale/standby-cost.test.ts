import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cheapestKeep, wakeCostMs, withDoubt } from '../../../src/control/scale/idle-cost.ts';
import { GAP_BUCKETS, gapBucket, gapEdge, IdleGaps } from '../../../src/control/scale/idle-gaps.ts';
import {
  cheapestStandby,
  costOfStandby,
  type StandbyCosts,
  skiRentalStandby,
} from '../../../src/control/scale/standby-cost.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** @param times how often each gap was seen: so often that the few that are assumed beside them count for little */
function of(...gaps: [ms: number, times: number][]): IdleGaps {
  const { counts } = new IdleGaps();
  for (const [ms, count] of gaps) counts[gapBucket(ms)] = (counts[gapBucket(ms)] as number) + count;
  return new IdleGaps(counts);
}

const costs = (change: Partial<StandbyCosts> = {}): StandbyCosts => ({
  startMs: 2000,
  stopMs: 0,
  waitMs: 2000,
  weight: 150,
  resumeMs: 50,
  resumeWaitMs: 50,
  pausedCost: 0.5,
  ...change,
});

/** The cheapest times, with what is assumed of every service. */
function chosenFor(gaps: IdleGaps, each: StandbyCosts, bounds?: Parameters<typeof cheapestStandby>[2]) {
  return cheapestStandby(withDoubt(gaps.counts, wakeCostMs(each)), each, bounds);
}

test('within a burst it is ready, between bursts paused, and through the night stopped', () => {
  const { keepMs, pausedMs } = chosenFor(of([SECOND, 100_000], [MINUTE, 30_000], [12 * HOUR, 1000]), costs());
  expect(keepMs).toBeGreaterThanOrEqual(SECOND);
  expect(keepMs).toBeLessThan(10 * SECOND);
  expect(keepMs + pausedMs).toBeGreaterThanOrEqual(MINUTE);
  expect(keepMs + pausedMs).toBeLessThan(10 * MINUTE);
});

test('pausing that costs as much as being ready, or saves no time, is not done', () => {
  const gaps = of([SECOND, 100_000], [MINUTE, 30_000], [12 * HOUR, 1000]);
  for (const change of [{ pausedCost: 1 }, { resumeMs: 2000, resumeWaitMs: 2000 }]) {
    const { keepMs, pausedMs } = chosenFor(gaps, costs(change));
    expect(pausedMs).toBe(0);
    expect(keepMs).toBe(cheapestKeep(withDoubt(gaps.counts, wakeCostMs(costs())), costs()));
  }
});

test('what costs nothing while it is paused is never stopped within the gaps that there are', () => {
  const gaps = of([MINUTE, 30_000], [12 * HOUR, 1000]);
  const { keepMs, pausedMs } = chosenFor(gaps, costs({ pausedCost: 0 }));
  expect(keepMs + pausedMs).toBeGreaterThanOrEqual(12 * HOUR);
});

test('a time to keep that is fixed is kept, and what follows is chosen', () => {
  const gaps = of([MINUTE, 30_000], [12 * HOUR, 1000]);
  const kept = chosenFor(gaps, costs(), { fixedKeepMs: 10 * SECOND });
  expect(kept.keepMs).toBe(10 * SECOND);
  expect(kept.keepMs + kept.pausedMs).toBeGreaterThanOrEqual(MINUTE);
  expect(chosenFor(gaps, costs(), { fixedKeepMs: HOUR }).pausedMs).toBe(0);
  expect(chosenFor(gaps, costs(), { neverStops: true }).pausedMs).toBe(Number.POSITIVE_INFINITY);
});

test('before gaps are known each tier is kept for as long as it spares', () => {
  expect(skiRentalStandby(costs())).toEqual({ keepMs: 15_100, pausedMs: (302_000 - 7550) / 0.5 - 15_100 });
  expect(skiRentalStandby(costs({ pausedCost: 1 }))).toEqual({ keepMs: 302_000, pausedMs: 0 });
  expect(skiRentalStandby(costs(), { fixedKeepMs: MINUTE, neverStops: true })).toEqual({
    keepMs: MINUTE,
    pausedMs: Number.POSITIVE_INFINITY,
  });
});

test('no other pair of times is cheaper, whatever gaps were seen', () => {
  const gap = fc.tuple(fc.integer({ min: 1, max: 2 ** 31 }), fc.integer({ min: 1, max: 50 }));
  const any = fc.record({
    startMs: fc.integer({ min: 0, max: 60_000 }),
    stopMs: fc.integer({ min: 0, max: 30_000 }),
    waitMs: fc.integer({ min: 0, max: 100_000 }),
    weight: fc.double({ min: 0.01, max: 1000, noNaN: true }),
    resumeMs: fc.integer({ min: 0, max: 5000 }),
    resumeWaitMs: fc.integer({ min: 0, max: 50_000 }),
    pausedCost: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  const edges = [0, ...Array.from({ length: GAP_BUCKETS - 1 }, (_, i) => gapEdge(i))];
  fc.assert(
    fc.property(fc.array(gap, { minLength: 1, maxLength: 8 }), any, (seen, each) => {
      // So many that those which are assumed beside them are no matter.
      const gaps = of(...seen.map(([ms, count]): [number, number] => [ms, count * 1e6]));
      const sum = (keepMs: number, untilMs: number) => {
        const cost = costOfStandby(gaps, each, { keepMs, pausedMs: untilMs - keepMs });
        return cost.idleCostMs + cost.wakeCostMs;
      };
      const chosen = chosenFor(gaps, each);
      const least = sum(chosen.keepMs, chosen.keepMs + chosen.pausedMs);
      const ends = edges.filter((edge) => edge === 0 || seen.some(([ms]) => ms <= edge && edge <= ms * 1.1));
      for (const keepMs of ends) {
        for (const untilMs of ends) {
          if (untilMs >= keepMs) expect(least).toBeLessThanOrEqual(sum(keepMs, untilMs) * (1 + 1e-4) + 1);
        }
      }
    }),
    { numRuns: 200 },
  );
});
