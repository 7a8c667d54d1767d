import { expect, test } from 'vitest';
import { fixed } from '../../../src/simulate/rivals/fixed.ts';

test('wants the same number whatever comes', () => {
  const decider = fixed(3).create();
  const sample = { ready: 1, starting: 0, concurrency: 900, arrivalsPerSecond: 90, aboveMs: 500, min: 1, max: 10 };
  expect(decider.decide({ ...sample, nowMs: 0, quantileMs: undefined })).toBe(3);
  expect(decider.decide({ ...sample, nowMs: 1000, quantileMs: 9000 })).toBe(3);
  expect(fixed(3).name).toBe('fixed:3');
});
