import { expect, test } from 'vitest';
import { type LatencyQuery, ServiceWindow, type WindowEntry } from '../../../src/control/link/window.ts';
import { Histogram, type SparseCounts } from '../../../src/util/histogram.ts';

const query: LatencyQuery = {
  windowMs: 15_000,
  maxWindowMs: 300_000,
  minSamples: 20,
  quantile: 0.95,
  waiting: [],
  aboveMs: 1000,
};

function times(...values: number[]): SparseCounts {
  const histogram = new Histogram();
  for (const value of values) histogram.add(value);
  return histogram.sparse();
}

function entry(change: Partial<WindowEntry>): WindowEntry {
  const none = { arrivals: 0, completions: 0, ttfb: [], allTtfb: [], requests: 0, ready: 1 };
  return { at: 0, edge: 'edge-1', spanMs: 1000, ...none, ...change };
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

test('rates of several edges add up, however late one of them began to report', () => {
  const window = new ServiceWindow(300_000);
  for (let second = 1; second <= 5; second++) {
    window.add(entry({ at: second * 1000, arrivals: 10, completions: 8 }));
    if (second === 5) window.add(entry({ at: second * 1000, edge: 'edge-2', arrivals: 30, completions: 20, ready: 2 }));
  }
  expect(window.rates(5000)).toEqual({ arrivals: 40, completions: 28, ready: 2 });
  expect(window.peaks(5000, 0).arrivals).toBe(40);
});

test('an edge that reports late reports of all that time: its rate is what it was', () => {
  const window = reported(20, () => ({ arrivals: 10 }));
  window.add(entry({ at: 20_000, edge: 'edge-2', spanMs: 20_000, arrivals: 400 }));
  expect(window.rates(20_000).arrivals).toBe(30);
});

test('what comes between two reports in quick succession is no rate of a second', () => {
  const window = new ServiceWindow(300_000);
  window.add(entry({ at: 1000, spanMs: 5, arrivals: 20, completions: 20 }));
  expect(window.rates(1000)).toMatchObject({ arrivals: 20, completions: 20 });
  window.add(entry({ at: 2000, spanMs: 1000 }));
  expect(window.rates(2000).arrivals).toBeLessThanOrEqual(20);
});

test('the arrival rate just before counts time without a report as time without arrivals', () => {
  const window = reported(3, () => ({ arrivals: 30 }));
  expect(window.arrivalsBefore(3000, 15_000)).toBe(6);
  expect(window.arrivalsBefore(17_500, 15_000)).toBe(2);
  expect(window.arrivalsBefore(100_000, 15_000)).toBe(0);
});
