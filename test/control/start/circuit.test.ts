import { expect, test } from 'vitest';
import {
  allowance,
  blockedUntil,
  type Circuit,
  type CircuitEvent,
  isFailing,
  newCircuit,
  nextCircuit,
  scalingAllowance,
  streakOf,
} from '../../../src/control/start/circuit.ts';

const zero = () => 0;
const failed = (askedAt: number, retrySafe = true): CircuitEvent => ({ type: 'failed', askedAt, retrySafe });
const failedSoon = (askedAt: number): CircuitEvent => ({ type: 'failed', askedAt, retrySafe: true, wasReady: true });
const ready = (askedAt: number): CircuitEvent => ({ type: 'ready', askedAt });
const crashed = (readyAt: number): CircuitEvent => ({ type: 'crashed', readyAt });

/** Crashes again and again, each so long after it was ready; starts as soon as it may. @returns the waits, ms */
function crashLoop(livedMs: number, times: number, ends: (askedAt: number) => CircuitEvent): number[] {
  const waits: number[] = [];
  let now = 0;
  let circuit: Circuit = newCircuit;
  for (let i = 0; i < times; i++) {
    const askedAt = now;
    circuit = after([[now, { type: 'started' }]], circuit);
    circuit = after([[now, ready(askedAt)]], circuit);
    now += livedMs;
    circuit = after([[now, ends(askedAt)]], circuit);
    waits.push((blockedUntil(circuit, now) ?? now) - now);
    now += waits[i] ?? 0;
  }
  return waits;
}

function after(events: [number, CircuitEvent][], circuit: Circuit = newCircuit): Circuit {
  return events.reduce((now, [at, event]) => nextCircuit(now, event, at, zero), circuit);
}

test('one failure backs off, the second in a row opens, success closes', () => {
  const once = after([[100, failed(0)]]);
  expect(once.state).toBe('backing-off');
  expect(isFailing(once)).toBe(true);
  expect(blockedUntil(once, 200)).toBe(1100);
  expect(allowance(once, 200)).toBe(0);
  expect(allowance(once, 1100)).toBe(1);
  const trial = after([[1100, { type: 'started' }]], once);
  expect(trial.state).toBe('half-open');
  expect(allowance(trial, 1200)).toBe(0);
  const twice = after([[1200, failed(1100)]], trial);
  expect(twice.state).toBe('open');
  expect(isFailing(twice)).toBe(true);
  expect(isFailing(after([[1200, { type: 'ready', askedAt: 1100 }]], trial))).toBe(false);
  expect(blockedUntil(twice, 1200)).toBe(3200);
  const closed = after(
    [
      [3200, { type: 'started' }],
      [3300, { type: 'ready', askedAt: 3200 }],
    ],
    twice,
  );
  expect(closed.state).toBe('closed');
  expect(allowance(closed, 3300)).toBe(Number.POSITIVE_INFINITY);
});

test('failures in a row are forgotten only once a start has proved itself', () => {
  const once = after([
    [100, failed(0)],
    [1100, { type: 'started' }],
    [1200, { type: 'ready', askedAt: 1100 }],
  ]);
  expect(after([[1300, failed(1100)]], once).failures).toBe(2);
  expect(after([[20_000, failed(15_000)]], once).failures).toBe(1);
});

test('starts that were asked for together and fail together are one failure', () => {
  const circuit = after([
    [100, failed(0)],
    [110, failed(0)],
    [120, failed(0)],
  ]);
  expect(circuit.failures).toBe(1);
  expect(blockedUntil(circuit, 130)).toBe(1100);
});

test('a failure that cannot pass by itself waits longer from the start, a minute at most', () => {
  expect(blockedUntil(after([[0, failed(0, false)]]), 0)).toBe(10_000);
  const many = Array.from({ length: 9 }, (_, i): [number, CircuitEvent] => [i * 100, failed(i * 100, false)]);
  expect(blockedUntil(after(many), 800)).toBe(60_800);
});

test('a trial that is called off leaves room for another', () => {
  const circuit = after([
    [0, failed(0)],
    [1000, { type: 'started' }],
    [1100, { type: 'withdrawn' }],
  ]);
  expect(allowance(circuit, 1100)).toBe(1);
});

test('an operator is not held up by what was', () => {
  expect(
    after([
      [0, failed(0)],
      [10, { type: 'forgiven' }],
    ]),
  ).toEqual(newCircuit);
});

test('what was ready and ended soon is failing from the second time on', () => {
  const once = after([
    [100, ready(0)],
    [200, failedSoon(0)],
  ]);
  expect(once.state).toBe('backing-off');
  expect(isFailing(once)).toBe(false);
  const twice = after(
    [
      [1200, { type: 'started' }],
      [1300, ready(1200)],
      [1400, failedSoon(1200)],
    ],
    once,
  );
  expect(isFailing(twice)).toBe(true);
});

test('the first crash is made good at once, each further one after twice the time, five minutes at most', () => {
  const waits = [0, 1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000];
  expect(crashLoop(15_000, 12, crashed)).toEqual(waits);
  expect(crashLoop(599_000, 12, crashed)).toEqual(waits);
  // An end in the probation is a failed start too, which never goes on at once.
  expect(crashLoop(3000, 12, failedSoon)).toEqual([
    1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 64_000, 128_000, 256_000, 300_000, 300_000,
  ]);
});

test('ends before and after the probation, in turn, are held back as either is', () => {
  let i = 0;
  const waits = crashLoop(9999, 11, (askedAt) => (i++ % 2 === 0 ? failedSoon(askedAt) : crashed(askedAt)));
  expect(waits.at(-1)).toBe(300_000);
});

test('crashes are forgotten once ten minutes have passed since one of a new round was ready', () => {
  const circuit = after([
    [0, ready(0)],
    [15_000, crashed(0)],
    [15_000, ready(15_000)],
    [30_000, crashed(15_000)],
    [31_000, { type: 'started' }],
    [32_000, ready(31_000)],
  ]);
  expect(streakOf(circuit, 631_000).crashes).toBe(2);
  expect(blockedUntil(after([[631_000, crashed(32_000)]], circuit), 631_000)).toBe(633_000);
  expect(streakOf(circuit, 632_000).crashes).toBe(0);
  expect(blockedUntil(after([[632_000, crashed(40_000)]], circuit), 632_000)).toBeUndefined();
});

test('replicas that were ready before the last crash and crash too are of the same round', () => {
  const circuit = after([
    [60_000, crashed(0)],
    [60_001, crashed(10)],
    [60_002, crashed(20)],
  ]);
  expect(circuit.crashes).toBe(1);
  expect(circuit.state).toBe('closed');
});

test('one crash is not failing, several in a row are until the next one is ready', () => {
  const once = after([[15_000, crashed(0)]]);
  expect(isFailing(once)).toBe(false);
  const twice = after([[30_000, crashed(16_000)]], once);
  expect(isFailing(twice)).toBe(true);
  expect(allowance(twice, 30_500)).toBe(0);
  expect(allowance(twice, 31_000)).toBe(1);
  const trial = after([[31_000, { type: 'started' }]], twice);
  expect(isFailing(after([[32_000, ready(31_000)]], trial))).toBe(false);
});

test('while crashes hold starts back, scaling goes on where a replica lives, until a crash follows on that', () => {
  const held = after([
    [15_000, crashed(0)],
    [30_000, crashed(16_000)],
    [46_000, crashed(31_000)],
  ]);
  expect(allowance(held, 47_000)).toBe(0);
  expect(scalingAllowance(held, 47_000, false)).toBe(0);
  expect(scalingAllowance(held, 47_000, true)).toBe(Number.POSITIVE_INFINITY);
  // It is no trial: what crashed waits for its time.
  const more = after(
    [
      [47_000, { type: 'started' }],
      [47_500, ready(47_000)],
    ],
    held,
  );
  expect(blockedUntil(more, 47_500)).toBe(48_000);
  const spent = after([[47_800, crashed(47_500)]], more);
  expect(scalingAllowance(spent, 47_900, true)).toBe(0);
  expect(blockedUntil(spent, 47_900)).toBe(51_800);
  // Failed starts hold back all of them.
  expect(scalingAllowance(after([[0, failed(0)]]), 500, true)).toBe(0);
});

test('crashes are forgotten too when nobody asked for another start for ten minutes', () => {
  const held = after([
    [15_000, crashed(0)],
    [30_000, crashed(16_000)],
  ]);
  expect(streakOf(held, 630_000).crashes).toBe(2);
  expect(streakOf(held, 631_000).crashes).toBe(0);
});
