import { expect, test } from 'vitest';
import { type Leadership, nextLeadership, rightOf } from '../../../src/control/cluster/leadership.ts';

const TTL_MS = 10_000;
const leading: Leadership = { state: 'leading', session: 'own', heardAt: 1000, index: 20 };

test('a right lasts half the TTL from when the question was asked that Consul granted last', () => {
  expect(rightOf(leading, 5999, TTL_MS)).toBe(20);
  expect(rightOf(leading, 6000, TTL_MS)).toBeUndefined();
  const renewed = nextLeadership(leading, { type: 'renewed', session: 'own', askedAt: 3000 }, 9000, TTL_MS);
  expect([rightOf(renewed, 7999, TTL_MS), rightOf(renewed, 8000, TTL_MS)]).toEqual([20, undefined]);
  // Answers may overtake each other.
  const older = nextLeadership(renewed, { type: 'renewed', session: 'own', askedAt: 2000 }, 9100, TTL_MS);
  expect(older).toBe(renewed);
});

test('what was seen of the lock may be older than what a leader knows, and another session is not its own', () => {
  for (const index of [12, 20]) {
    expect(nextLeadership(leading, { type: 'seen', session: 'other', index }, 2000, TTL_MS)).toBe(leading);
  }
  expect(nextLeadership(leading, { type: 'seen', session: 'other', index: 21 }, 2000, TTL_MS).state).toBe('following');
  expect(nextLeadership(leading, { type: 'ended', session: 'other' }, 2000, TTL_MS)).toBe(leading);
});

test('one that is not renewed is suspended after half the TTL, and outside after one more', () => {
  const passed = (before: Leadership, now: number) => nextLeadership(before, { type: 'passed' }, now, TTL_MS);
  expect(passed(leading, 5999)).toBe(leading);
  const suspended = passed(leading, 6000);
  expect(suspended.state).toBe('suspended');
  expect(rightOf(suspended, 2000, TTL_MS)).toBeUndefined();
  expect(passed(suspended, 15_999)).toBe(suspended);
  expect(passed(suspended, 16_000)).toEqual({ state: 'outside' });
});
