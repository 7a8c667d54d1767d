import { expect, test } from 'vitest';
import { GAP_BUCKETS } from '../../../src/control/scale/idle-gaps.ts';
import { decodeIdle, encodeIdle, nothingLearnt } from '../../../src/control/scale/idle-learnt.ts';

test('what is kept is what was known', () => {
  const figures = { startMs: 1234, waitMs: 5678, resumeMs: 45, resumeWaitMs: 67, memoryMiB: 128.5 };
  const learnt = { ...nothingLearnt(), ...figures };
  for (let i = 0; i < 500; i++) learnt.gaps.add(10 * 1.05 ** i);
  for (let i = 0; i < 20; i++)
    learnt.forecast.began(i * 3_600_000, { startMs: 1000, stopMs: 0, waitMs: 1000, weight: 150 });
  learnt.forecast.judge(true, 5000);
  learnt.forecast.judge(false, -50);
  const again = decodeIdle(encodeIdle(learnt));
  if (typeof again === 'string') throw new Error(again);
  expect(again).toMatchObject({ ...figures, stopMs: undefined });
  expect(again.forecast.intervals).toEqual(learnt.forecast.intervals);
  expect(again.forecast.record).toEqual({ right: 0.9, wrong: 1, savedMs: 4450 });
  expect(again.gaps.total).toBeCloseTo(learnt.gaps.total, 2);
  again.gaps.counts.forEach((count, bucket) => {
    expect(count).toBeCloseTo(learnt.gaps.counts[bucket] as number, 3);
  });
});

test('what is rubbish is of no use, and says why', () => {
  const text = (change: object) =>
    JSON.stringify({ version: 1, startMs: null, stopMs: null, waitMs: null, gaps: [3, 7], ...change });
  expect(decodeIdle(text({}))).toMatchObject({ startMs: undefined });
  for (const rubbish of ['', 'x', '[', '{"version":1,"gaps":']) expect(decodeIdle(rubbish)).toBe('it is no JSON');
  for (const other of ['null', '3', '"x"']) expect(decodeIdle(other)).toBe('it is no JSON object');
  expect(decodeIdle(text({ version: 2 }))).toBe('it is of version 2, not 1');
  const wrong = [null, 'x', [1], [-1, 1], [GAP_BUCKETS, 1], [1.5, 1], [1, -1], [1, null], [1, 1e300], ['1', 1]];
  for (const gaps of [...wrong, new Array(2 * GAP_BUCKETS + 2).fill(1)])
    expect(decodeIdle(text({ gaps }))).toBe('"gaps" is not as it was written');
  for (const forecasts of [null, [1, 2], [1, -2, 3], [1, 2, '3'], [1, 2, 1e300]])
    expect(decodeIdle(text({ forecasts }))).toContain('its forecasts');
  for (const intervals of [null, [-1], ['1'], new Array(17).fill(1)])
    expect(decodeIdle(text({ intervals }))).toContain('its forecasts');
  for (const startMs of ['1', -1, 1e300, {}]) expect(decodeIdle(text({ startMs }))).toContain('its times');
});
