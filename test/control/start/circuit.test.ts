import { expect, test } from 'vitest';
import {
  allowance,
  blockedUntil,
  type Circuit,
  type CircuitEvent,
  isFailing,
  newCircuit,
  nextCircuit,
} from '../../../src/control/start/circuit.ts';

const zero = () => 0;
const failed = (askedAt: number, retrySafe = true): CircuitEvent => ({ type: 'failed', askedAt, retrySafe });

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
  const ready = after([
    [100, failed(0)],
    [1100, { type: 'started' }],
    [1200, { type: 'ready', askedAt: 1100 }],
  ]);
  expect(after([[1300, failed(1100)]], ready).failures).toBe(2);
  const proved = after([[11_200, { type: 'proved', askedAt: 1100 }]], ready);
  expect(after([[20_000, failed(15_000)]], proved).failures).toBe(1);
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
  const ready = (askedAt: number): CircuitEvent => ({ type: 'ready', askedAt });
  const once = after([
    [100, ready(0)],
    [200, failed(0)],
  ]);
  expect(once.state).toBe('backing-off');
  expect(isFailing(once)).toBe(false);
  const twice = after(
    [
      [1200, { type: 'started' }],
      [1300, ready(1200)],
      [1400, failed(1200)],
    ],
    once,
  );
  expect(isFailing(twice)).toBe(true);
});
