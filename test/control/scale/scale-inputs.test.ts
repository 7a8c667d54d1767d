import { describe, expect, test } from 'vitest';
import { eachCanDo, isShort } from '../../../src/control/scale/scale-inputs.ts';

describe('what each replica can do', () => {
  const known = { helps: 1, capacityPerSecond: 40, capacityAnswers: 100 };

  test('is its capacity, once more have helped', () => {
    expect(eachCanDo(known)).toBe(40);
    expect(eachCanDo({ ...known, helps: 0 })).toBeUndefined();
    expect(eachCanDo({ helps: 1 })).toBeUndefined();
  });

  test('is what it has done since, as far as chance had left that open', () => {
    expect(eachCanDo({ ...known, doneEachPerSecond: 45 })).toBe(45);
    expect(eachCanDo({ ...known, doneEachPerSecond: 30 })).toBe(40);
    // Cheaper requests, say.
    expect(eachCanDo({ ...known, doneEachPerSecond: 300 })).toBeCloseTo(40 * 1.3);
    expect(eachCanDo({ ...known, capacityAnswers: 10_000, doneEachPerSecond: 300 })).toBeCloseTo(40 * 1.03);
  });
});

test('more arrives than so many can do where that is so by more than chance', () => {
  const inputs = { helps: 1, capacityPerSecond: 40, capacityAnswers: 100, windowMs: 10_000 };
  expect(isShort({ ...inputs, usualPerSecond: 80 }, 2)).toBe(false);
  expect(isShort({ ...inputs, usualPerSecond: 82 }, 2)).toBe(false);
  expect(isShort({ ...inputs, usualPerSecond: 84 }, 2)).toBe(true);
  expect(isShort({ ...inputs, helps: 0, usualPerSecond: 840 }, 2)).toBe(false);
});
