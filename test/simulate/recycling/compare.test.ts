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

test('over all services no rival waits less for as much memory, or takes less for as much waiting', () => {
  const rivals = [1, 5, 10, 20].map((minutes) => fixedKeep(`fixed ${minutes}m`, minutes * 60_000));
  const ours = [20, 80, 300, 1200, 5000, 20_000].map(ownPolicy);
  const services = [...generateServices({ services: 200, days: 3, seed: 2 })];
  const outcomes = compare(services, [...rivals, hybridHistogram, ...ours], 3 * DAY_MS);
  const comparison = { rivals: outcomes.slice(0, 5), ours: outcomes.slice(5) };
  const parts = partsOf(comparison);
  expect(parts.map(({ part }) => part)).toEqual(['all services', 'periodic', 'poisson', 'bursty', 'rare', 'day-night']);
  for (const standing of standingsOf(parts[0]?.comparison as Totals))
    expect(standing).toMatchObject({ rival: standing.rival, isBetter: true });
  // Timers are what a forecast is for.
  for (const { standing } of standingsOf(parts[1]?.comparison as Totals))
    expect(standing.memoryAtEqualWaiting).toBeLessThan(0.5);
  const page = frontPage(frontReport('</script>', ['a & b'], comparison));
  expect(page).toContain('&lt;/script&gt;');
  expect(page.match(/<table/g)).toHaveLength(6);
}, 600_000);
