import { expect, test } from 'vitest';
import { Throttle } from '../../src/util/throttle.ts';

test('the same is said at once, and then once a minute with how often it occurred', () => {
  const throttle = new Throttle();
  expect([0, 1, 59_999].map((now) => throttle.note('a', now))).toEqual([1, 0, 0]);
  expect(throttle.note('b', 2)).toBe(1);
  expect([60_000, 60_001].map((now) => throttle.note('a', now, 2))).toEqual([4, 0]);
});

test('however many different things occur, the memory for them is bounded', () => {
  const throttle = new Throttle();
  throttle.note('first', 0);
  for (let i = 0; i < 1000; i++) throttle.note(String(i), 1);
  // The one that was said longest ago is forgotten, the others are not.
  expect(throttle.note('999', 2)).toBe(0);
  expect(throttle.note('first', 2)).toBe(1);
});
