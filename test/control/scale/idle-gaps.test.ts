import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GAP_BUCKETS, gapBucket, gapEdge, gapMiddle, IdleGaps } from '../../../src/control/scale/idle-gaps.ts';

const DAY_MS = 86_400_000;

test('a gap lies between the edges of its bucket, from milliseconds to weeks', () => {
  fc.assert(
    fc.property(fc.double({ min: 17, max: 2 ** 31, noNaN: true }), (ms) => {
      const bucket = gapBucket(ms);
      expect(gapEdge(bucket)).toBeGreaterThanOrEqual(ms * (1 - 1e-6));
      expect(gapEdge(bucket - 1)).toBeLessThan(ms * (1 + 1e-6));
      expect(gapMiddle(bucket) / ms).toBeCloseTo(1, 0.9);
    }),
  );
});

test('no gap is too short or too long for a bucket', () => {
  for (const ms of [0, -1, Number.NaN, 3]) expect(gapBucket(ms)).toBe(0);
  for (const ms of [2 ** 33, 1e15, Number.POSITIVE_INFINITY]) expect(gapBucket(ms)).toBe(GAP_BUCKETS - 1);
  // An edge belongs to the bucket that ends there.
  for (let bucket = 0; bucket < GAP_BUCKETS - 1; bucket++) expect(gapBucket(gapEdge(bucket))).toBe(bucket);
});

test('what is seldom is remembered by its number, what is frequent by time', () => {
  const rare = new IdleGaps();
  for (let day = 0; day < 100; day++) rare.add(DAY_MS);
  expect(rare.total).toBeGreaterThan(40);
  expect(rare.total).toBeLessThan(65);

  const frequent = new IdleGaps();
  for (let second = 0; second < 2 * 86_400; second++) frequent.add(1000);
  const dayAgo = frequent.total;
  for (let second = 0; second < 2 * 86_400; second++) frequent.add(2000);
  // Two days of one gap a second halved four times meanwhile; four days of the other one.
  const left = frequent.counts[gapBucket(1000)] as number;
  expect(left / dayAgo).toBeCloseTo(1 / 16, 2);
});

test('the total is what the buckets hold, whatever was forgotten', () => {
  const gaps = new IdleGaps();
  for (let i = 0; i < 5000; i++) gaps.add(2 ** (i % 30), 1 + (i % 3));
  expect(gaps.total).toBeCloseTo(
    gaps.counts.reduce((sum, count) => sum + count, 0),
    0,
  );
});
