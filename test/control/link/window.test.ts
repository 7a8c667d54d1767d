import { expect, test } from 'vitest';
import { type LatencyQuery, ServiceWindow, type WindowEntry } from '../../../src/control/link/window.ts';
import { Histogram, type SparseCounts } from '../../../src/util/histogram.ts';

const query: LatencyQuery = {
  windowMs: 15_000,
  maxWindowMs: 300_000,
  minSamples: 20,
  quantile: 0.95,
  waiting: [],
  errorsLess: 0,
  aboveMs: 1000,
  since: 0,
};

function times(...values: number[]): SparseCounts {
  const histogram = new Histogram();
  for (const value of values) histogram.add(value);
  return histogram.sparse();
}

function entry(change: Partial<WindowEntry>): WindowEntry {
  const counts = { arrivals: 0, completions: 0, good: 0, shed: 0, errors: 0, loadMs: 0 };
  return { at: 0, edge: 'edge-1', spanMs: 1000, ...counts, ttfb: [], allTtfb: [], ...change };
}

/** A window with a report a second, the last of them at `now`. */
function reported(seconds: number, change: (second: number) => Partial<WindowEntry>): ServiceWindow {
  const window = new ServiceWindow(300_000);
  for (let second = 1; second <= seconds; second++) window.add(entry({ at: second * 1000, ...change(second) }));
  return window;
}

test('what is older than the window does not count where there are samples enough', () => {
  const window = reported(60, (second) => ({ ttfb: [times(...Array(2).fill(second <= 45 ? 5000 : 100))] }));
  const view = window.latency(60_000, query);
  expect(view).toMatchObject({ samples: 30, spanMs: 15_000 });
  expect(view.quantileMs).toBeCloseTo(100, -1);
  // A moment later the first of them has left.
  expect(window.latency(60_500, query).samples).toBe(30);
  expect(window.latency(61_000, query).samples).toBe(28);
});

test('the window is extended as far as it takes to have samples enough, and no further than it may be', () => {
  const window = reported(300, (second) => (second % 10 === 0 ? { ttfb: [times(100)] } : {}));
  expect(window.latency(300_000, query)).toMatchObject({ samples: 20, spanMs: 190_000 });
  expect(window.latency(300_000, { ...query, minSamples: 100 })).toMatchObject({ samples: 30, spanMs: 299_000 });
  expect(window.latency(300_000, { ...query, maxWindowMs: 60_000 }).samples).toBe(6);
});

test('what is over by chance is not over by more than chance', () => {
  // The p95 of the whole is 100 ms; two of thirty happened to take longer.
  const few = reported(15, (second) => ({ ttfb: [times(100, second % 8 >= 7 ? 5000 : 100)] }));
  expect(few.latency(15_000, query).quantileMs).toBeGreaterThan(4000);
  expect(few.latency(15_000, { ...query, errorsLess: 2 }).quantileMs).toBeLessThan(110);
  // A fifth of many is no chance.
  const many = reported(15, () => ({ ttfb: [times(...Array(40).fill(100), ...Array(10).fill(5000))] }));
  expect(many.latency(15_000, { ...query, errorsLess: 2 }).quantileMs).toBeGreaterThan(4000);
  expect(few.latency(15_000, { ...query, quantile: 0.01, errorsLess: 9 }).quantileMs).toBeCloseTo(100, -1);
});

test('without a sample there is no quantile', () => {
  expect(reported(10, () => ({})).latency(10_000, query)).toMatchObject({ samples: 0, quantileMs: undefined });
});

test('requests that wait count once they are older than the threshold, and then only', () => {
  const window = reported(10, () => ({ ttfb: [times(100)] }));
  const waiting = [times(900, 900, 950), times(1500, 2000, 60_000)];
  const view = window.latency(10_000, { ...query, waiting });
  expect(view.samples).toBe(13);
  expect(view.quantileMs).toBeGreaterThan(50_000);
});

test('what was dispatched before a moment says nothing of the time since: reports count that began no earlier', () => {
  const window = reported(20, (second) => ({ ttfb: [times(...Array(10).fill(second <= 10 ? 5000 : 100))] }));
  const since = window.latency(20_000, { ...query, since: 10_000 });
  expect(since.samples).toBe(100);
  expect(since.quantileMs).toBeCloseTo(100, -1);
  // Reports do not come to the millisecond.
  expect(window.latency(20_000, { ...query, since: 10_200 }).samples).toBe(100);
  expect(window.latency(20_000, { ...query, since: 10_300 }).samples).toBe(90);
  expect(window.latency(20_000, { ...query, since: 20_000 })).toMatchObject({ samples: 0, quantileMs: undefined });
});

test('rates of several edges add up, however late one of them began to report', () => {
  const window = new ServiceWindow(300_000);
  for (let second = 1; second <= 5; second++) {
    window.add(entry({ at: second * 1000, arrivals: 10, completions: 8, good: 6, shed: 1, errors: 1, loadMs: 4000 }));
  }
  window.add(entry({ at: 5000, edge: 'edge-2', arrivals: 30, completions: 20, good: 20, loadMs: 2000 }));
  const rates = { arrivals: 40, completions: 28, good: 26, shed: 1, errors: 1, load: 6 };
  expect(window.rates(0, 5000)).toEqual(rates);
  expect(window.peak(5000, 0, 5000)).toBe(40);
});

test('rates are those between two moments, from after the first to the second', () => {
  const window = reported(20, (second) => ({ arrivals: second <= 10 ? 10 : 30, loadMs: second * 1000 }));
  expect(window.rates(8000, 10_000)).toMatchObject({ arrivals: 10, load: 9.5 });
  expect(window.rates(9000, 11_000)).toMatchObject({ arrivals: 20, load: 10.5 });
  expect(window.rates(17_000, 20_000).arrivals).toBe(30);
  expect(window.rates(20_000, 25_000).arrivals).toBe(0);
});

test('load is an average over time: what is in flight for a moment is no load', () => {
  const window = reported(2, (second) => ({ loadMs: second === 1 ? 0 : 100 }));
  expect(window.rates(0, 2000).load).toBeCloseTo(0.05);
});

test('the peak is the busiest of as many seconds as are asked for, back to a moment', () => {
  const window = reported(60, (second) => ({ arrivals: second <= 30 ? 10 : second <= 40 ? 50 : 20 }));
  expect(window.peak(60_000, 0, 5000)).toBe(50);
  expect(window.peak(60_000, 40_000, 5000)).toBe(20);
  expect(window.peak(60_000, 0, 20_000)).toBe(30);
  expect(window.peak(60_000, 60_000, 5000)).toBe(0);
});

test('an edge that reports late reports of all that time: its rate is what it was', () => {
  const window = reported(20, () => ({ arrivals: 10 }));
  window.add(entry({ at: 20_000, edge: 'edge-2', spanMs: 20_000, arrivals: 400 }));
  expect(window.rates(15_000, 20_000).arrivals).toBe(30);
});

test('what comes between two reports in quick succession is no rate of a second', () => {
  const window = new ServiceWindow(300_000);
  window.add(entry({ at: 1000, spanMs: 5, arrivals: 20, completions: 20 }));
  expect(window.rates(0, 1000)).toMatchObject({ arrivals: 20, completions: 20 });
  window.add(entry({ at: 2000, spanMs: 1000 }));
  expect(window.rates(0, 2000).arrivals).toBeLessThanOrEqual(20);
});

test('the arrival rate just before counts time without a report as time without arrivals', () => {
  const window = reported(3, () => ({ arrivals: 30 }));
  expect(window.arrivalsBefore(3000, 15_000)).toBe(6);
  expect(window.arrivalsBefore(17_500, 15_000)).toBe(2);
  expect(window.arrivalsBefore(100_000, 15_000)).toBe(0);
});
