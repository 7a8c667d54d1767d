import { expect, test } from 'vitest';
import { kpa } from '../../../src/simulate/rivals/kpa.ts';

/** Asks it every 2 s; each replica is ready at once. Target: 10 × 0.7 = 7 requests a replica. */
function run(concurrency: readonly number[], ready = 1): number[] {
  const decider = kpa(10).create();
  const rest = { starting: 0, arrivalsPerSecond: 0, quantileMs: undefined, aboveMs: 500, min: 0, max: 1000 };
  let now = ready;
  return concurrency.map((value, index) => {
    now = decider.decide({ ...rest, nowMs: index * 2000, ready: now, concurrency: value });
    return now;
  });
}

const times = (count: number, value: number) => Array.from({ length: count }, () => value);

test('divides the average by 70 % of what a replica takes, and rounds up', () => {
  expect(run([7], 1)).toEqual([1]);
  expect(run([7.1], 2)).toEqual([2]);
  expect(run([28], 3)).toEqual([4]);
});

test('panics where 6 s ask for twice what is ready: the 60 s average alone would be late', () => {
  // After 29 quiet ticks: 60 s average (29 × 7 + 70) / 30 = 9.1 → 2; 6 s average (7 + 7 + 70) / 3 = 28 → 4.
  const decided = run([...times(29, 7), 70]);
  expect(decided.slice(-2)).toEqual([1, 4]);
});

test('does not go down while it panics, and leaves after a calm stable window', () => {
  const decided = run([...times(29, 7), 70, ...times(40, 0)]);
  // The panic began at 58 s and ends at the first tick more than 60 s later: 120 s, where 60 s of nothing want 0.
  expect(decided[59]).toBe(4);
  // Halved at most at a tick: 4 → 2 → 1 → 0.
  expect(decided.slice(60, 63)).toEqual([2, 1, 0]);
});

test('halves what is ready at most', () => {
  expect(run([0], 9)).toEqual([4]);
});

test('does not dilute its first samples with a window that it has not seen', () => {
  expect(run([14, 14], 2)).toEqual([2, 2]);
});
