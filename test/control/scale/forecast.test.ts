import { expect, test } from 'vitest';
import { forecast, type Trend } from '../../../src/control/scale/forecast.ts';

/** Ten more a second each time. */
const growing: Trend = { earlier: 80, before: 90, recent: 100, lately: 102.5, overMs: 40_000 };

test('arrivals that have grown twice will grow once more, by the lesser of the two', () => {
  expect(forecast(growing)).toBe(110);
  expect(forecast({ ...growing, recent: 96 })).toBe(102);
  expect(forecast({ ...growing, earlier: 84 })).toBe(106);
  expect(forecast({ ...growing, lately: 102 })).toBe(108);
});

test.each<[string, Partial<Trend>]>([
  ['a step is no trend', { earlier: 10, before: 100 }],
  ['nor one in the midst of it', { earlier: 10, before: 55, lately: 100 }],
  ['nor is what has just begun', { earlier: 90 }],
  ['nor what becomes less', { earlier: 100, recent: 80 }],
  // 1.5 times the root of 193 ÷ 40.
  ['nor what may be chance', { recent: 93.2, before: 90, earlier: 86.8 }],
])('%s', (_what, change) => {
  expect(forecast({ ...growing, ...change })).toBeUndefined();
});
