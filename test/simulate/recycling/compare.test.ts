import { expect, test } from 'vitest';
import { compare, standingOf } from '../../../src/simulate/recycling/compare.ts';
import { DAY_MS, generateServices } from '../../../src/simulate/recycling/generate.ts';
import { hybridHistogram } from '../../../src/simulate/recycling/hybrid-histogram.ts';
import { fixedKeep } from '../../../src/simulate/recycling/keep-policy.ts';
import { ownPolicy } from '../../../src/simulate/recycling/own-policy.ts';
import { noTotals } from '../../../src/simulate/recycling/replay.ts';
import { frontReport, partsOf, standingsOf, type Totals } from '../../../src/simulate/recycling/tables.ts';
import { frontPage } from '../../../src/simulate/report/front-page.ts';

const totals = (memorySeconds: number, waitedSeconds: number) => ({ ...noTotals(), memorySeconds, waitedSeconds });

test('between two weights the front is a line', () => {
  const front = [totals(10, 1000), totals(1000, 10)];
  const { memoryAtEqualWaiting, waitingAtEqualMemory } = standingOf(front, totals(200, 100));
  expect(memoryAtEqualWaiting).toBeCloseTo(0.5);
  expect(waitingAtEqualMemory).toBeCloseTo(0.5);
  expect(standingOf(front, totals(5, 5))).toEqual({
    memoryAtEqualWaiting: Number.POSITIVE_INFINITY,
    waitingAtEqualMemory: Number.POSITIVE_INFINITY,
  });
});

test('no rival waits less for as much memory, or takes less for as much waiting, over all and with each kind of callers', () => {
  const rivals = [1, 5, 10, 20].map((minutes) => fixedKeep(`fixed ${minutes}m`, minutes * 60_000));
  const ours = [15, 40, 100, 250, 600, 1500, 5000, 20_000].map(ownPolicy);
  // What is called more often takes most of the time, and is kept by most policies.
  const services = [...generateServices({ services: 400, days: 7, seed: 1 })].filter(({ at }) => at.length <= 1500);
  const outcomes = compare(services, [...rivals, hybridHistogram, ...ours], 7 * DAY_MS);
  const comparison = { rivals: outcomes.slice(0, 5), ours: outcomes.slice(5) };
  const parts = partsOf(comparison);
  expect(parts.map(({ part }) => part)).toEqual(['all services', 'periodic', 'poisson', 'bursty', 'rare', 'day-night']);
  for (const { part, comparison: totals } of parts) {
    for (const { rival, standing, isBetter } of standingsOf(totals)) {
      // Of the few rare ones less is learnt than of those of a thousand services.
      const isGood = part === 'rare' ? standing.memoryAtEqualWaiting < 1.2 : isBetter;
      expect({ part, rival, standing, isGood }).toMatchObject({ part, rival, isGood: true });
    }
  }
  // Timers are what a forecast is for.
  for (const { standing } of standingsOf(parts[1]?.comparison as Totals))
    expect(standing.memoryAtEqualWaiting).toBeLessThan(0.5);
  const page = frontPage(frontReport('</script>', ['a & b'], comparison));
  expect(page).toContain('&lt;/script&gt;');
  expect(page.match(/<table/g)).toHaveLength(12);
}, 300_000);
