import { expect, test } from 'vitest';
import { hpa } from '../../../src/simulate/rivals/hpa.ts';

interface Tick {
  quantileMs: number | undefined;
  ready?: number;
}

/** Asks it every 15 s with a threshold of 500 ms; replicas are ready at the next sync unless it is said otherwise. */
function run(ticks: readonly Tick[], first: number, max = 100): number[] {
  const decider = hpa().create();
  const rest = { starting: 0, concurrency: 0, arrivalsPerSecond: 0, aboveMs: 500, min: 1, max };
  let ready = first;
  return ticks.map((tick, index) => {
    ready = decider.decide({ ...rest, nowMs: index * 15_000, ready: tick.ready ?? ready, quantileMs: tick.quantileMs });
    return ready;
  });
}

test('multiplies what is ready by the ratio and rounds up', () => {
  expect(run([{ quantileMs: 600 }], 3)).toEqual([4]);
  expect(run([{ quantileMs: 800 }], 5)).toEqual([8]);
});

test('leaves a ratio within a tenth alone', () => {
  expect(run([{ quantileMs: 549 }, { quantileMs: 451 }], 5)).toEqual([5, 5]);
});

test('adds 4 or doubles in 15 s, whichever is more', () => {
  expect(run([{ quantileMs: 50_000 }, { quantileMs: 50_000 }, { quantileMs: 50_000 }], 2)).toEqual([6, 12, 24]);
  expect(run([{ quantileMs: 50_000 }], 1)).toEqual([5]);
});

test('goes down to the highest that was recommended in 300 s', () => {
  const decided = run(
    Array.from({ length: 22 }, () => ({ quantileMs: 100 })),
    10,
  );
  // 10 is recorded at the beginning (0 s) and counts until 300 s; from then on ⌈0.2 × 10⌉ = 2.
  expect(decided[19]).toBe(10);
  expect(decided[20]).toBe(2);
});

test('does nothing without the metric', () => {
  expect(run([{ quantileMs: undefined }], 4)).toEqual([4]);
});

test('keeps to the bounds, and has one replica at least', () => {
  expect(run([{ quantileMs: 5000 }], 4, 6)).toEqual([6]);
  expect(run([{ quantileMs: undefined }], 0)).toEqual([1]);
});
