import { expect, test } from 'vitest';
import { fixedKeep, type KeepPlan, type KeepPolicy } from '../../../src/simulate/recycling/keep-policy.ts';
import { replay } from '../../../src/simulate/recycling/replay.ts';
import type { ServiceCalls } from '../../../src/simulate/recycling/workload.ts';

/** Calls at so many seconds, of a second each; a start takes 2 s, a stop 1 s, and it needs 100 MiB. */
const calls = (...seconds: number[]): ServiceCalls => ({
  caller: 'recorded',
  startMs: 2000,
  stopMs: 1000,
  memoryMiB: 100,
  at: Float64Array.from(seconds, (second) => second * 1000),
  durationMs: Float64Array.from(seconds, () => 1000),
});

function planned(plan: KeepPlan): KeepPolicy & { seen: string[] } {
  const seen: string[] = [];
  return {
    seen,
    plan: () => plan,
    idled: (ms) => seen.push(`idle ${ms}`),
    woken: (start, wait) => seen.push(`woken ${start} ${wait}`),
    stopped: (ms) => seen.push(`stopped ${ms}`),
  };
}

test('a service that is kept takes memory all the time, and lets only the first wait', () => {
  const totals = replay(calls(0, 100), fixedKeep('', 1e9).create(), 200_000);
  expect(totals).toEqual({
    calls: 2,
    starts: 1,
    delayed: 1,
    waitedSeconds: 2,
    replicaSeconds: 200,
    memorySeconds: 20_000,
  });
});

test('one that is put to sleep takes it for the start, the call, the time that it is kept and the stop', () => {
  const totals = replay(calls(0, 100), fixedKeep('', 10_000).create(), 200_000);
  expect(totals).toMatchObject({ starts: 2, delayed: 2, waitedSeconds: 4, replicaSeconds: 2 * (2 + 1 + 10 + 1) });
});

test('what comes during a start waits for its end, and is one wake', () => {
  const policy = planned({ keepMs: 0, prewarmMs: Number.POSITIVE_INFINITY, untilMs: Number.POSITIVE_INFINITY });
  const totals = replay(calls(0, 0.5, 1, 50), policy, 60_000);
  expect(totals).toMatchObject({ starts: 2, delayed: 4, waitedSeconds: 2 + 1.5 + 1 + 2 });
  // The first are done at 3 s.
  expect(policy.seen).toEqual(['woken 2000 4500', 'stopped 1000', 'idle 47000', 'woken 2000 2000']);
});

test('a replica that was started ahead is there without a wait; who comes while it starts waits for the rest', () => {
  const plan = { keepMs: 5000, prewarmMs: 40_000, untilMs: 60_000 };
  // Idle from 3 s on.
  const there = replay(calls(0, 53), planned(plan), 54_000);
  expect(there).toMatchObject({ starts: 2, delayed: 1, replicaSeconds: 3 + 5 + 1 + 10 + 1 });
  const early = replay(calls(0, 44), planned(plan), 46_000);
  expect(early).toMatchObject({ starts: 2, delayed: 2, waitedSeconds: 2 + 1 });
  const late = replay(calls(0, 100), planned(plan), 103_000);
  expect(late).toMatchObject({ starts: 3, delayed: 2, replicaSeconds: 3 + 5 + 1 + 20 + 1 + 3 });
});

test('without calls nothing runs', () => {
  expect(replay(calls(), fixedKeep('', 1000).create(), 1000)).toMatchObject({ calls: 0, replicaSeconds: 0 });
});
