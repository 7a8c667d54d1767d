import { expect, test } from 'vitest';
import { gapBucket, IdleGaps } from '../../../src/control/scale/idle-gaps.ts';
import { type ActivitySeen, IdleWatch } from '../../../src/control/scale/idle-watch.ts';

/** Gaps that the reports show: ms and how many. */
function gapsOf(...reports: Partial<ActivitySeen>[]): IdleGaps {
  const watch = new IdleWatch();
  const gaps = new IdleGaps();
  const silent = {
    isBusy: false,
    isHeld: false,
    lastActivityAt: Number.NEGATIVE_INFINITY,
    arrivals: 0,
    spanMs: 1000,
    loadMs: 0,
  };
  for (const report of reports) watch.see({ now: 0, ...silent, ...report }, (ms, count) => gaps.add(ms, count));
  return gaps;
}

const countAt = (gaps: IdleGaps, ms: number) => gaps.counts[gapBucket(ms)];

test('a gap runs from the end of the last activity to the next request', () => {
  const gaps = gapsOf(
    { now: 1000, lastActivityAt: 500, arrivals: 1, loadMs: 5 },
    { now: 2000, lastActivityAt: 500 },
    // It was held: it came at this moment.
    { now: 61_500, lastActivityAt: 61_500, isBusy: true, arrivals: 1, spanMs: 0 },
  );
  expect(gaps.total).toBe(1);
  expect(countAt(gaps, 61_000)).toBe(1);
});

test('before the first request there is no gap', () => {
  expect(gapsOf({ now: 9000 }, { now: 10_000, lastActivityAt: 9500, arrivals: 1 }).total).toBe(0);
});

test('requests within one report share its idle time', () => {
  const gaps = gapsOf(
    { now: 1000, lastActivityAt: 1000, arrivals: 1 },
    { now: 2000, lastActivityAt: 2000, arrivals: 10, loadMs: 200 },
  );
  expect(gaps.total).toBe(10);
  expect(countAt(gaps, 80)).toBe(10);
});

test('of those after a long gap, the first alone ended it', () => {
  const gaps = gapsOf(
    { now: 1000, lastActivityAt: 1000, arrivals: 1 },
    { now: 31_000, lastActivityAt: 31_000, arrivals: 2, loadMs: 0 },
  );
  expect(gaps.total).toBe(2);
  expect(countAt(gaps, 29_500)).toBe(1);
  expect(countAt(gaps, 500)).toBe(1);
});

test('while anything is in flight there is no gap, however long it takes', () => {
  const busy = { isBusy: true, arrivals: 0, loadMs: 1000 };
  const gaps = gapsOf(
    { now: 1000, lastActivityAt: 1000, isBusy: true, arrivals: 1, loadMs: 900 },
    ...Array.from({ length: 60 }, (_, i) => ({ ...busy, now: 2000 + i * 1000, lastActivityAt: 2000 + i * 1000 })),
    { now: 62_000, lastActivityAt: 61_500, loadMs: 500 },
    { now: 72_000, lastActivityAt: 72_000, isBusy: true, arrivals: 1, spanMs: 0 },
  );
  expect(gaps.total).toBe(1);
  expect(countAt(gaps, 10_500)).toBe(1);
});

test('the wait for a start is no gap', () => {
  const gaps = gapsOf(
    { now: 0, lastActivityAt: 0, isBusy: true, isHeld: true, arrivals: 1, spanMs: 0 },
    { now: 1000, lastActivityAt: 990, arrivals: 1, loadMs: 5 },
    { now: 2000, lastActivityAt: 1990, arrivals: 1, loadMs: 5 },
  );
  expect(gaps.total).toBe(1);
});

test('an end that only seems to move, since messages take their time, is no request', () => {
  const gaps = gapsOf(
    { now: 1000, lastActivityAt: 900, arrivals: 1 },
    { now: 2000, lastActivityAt: 903 },
    { now: 3000, lastActivityAt: 907 },
  );
  expect(gaps.total).toBe(0);
});
