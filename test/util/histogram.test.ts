import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { bucketFloor, bucketMiddle, bucketOf, Histogram } from '../../src/util/histogram.ts';

/** From a microsecond to half an hour, as many short ones as long ones. */
const duration = fc.double({ min: -3, max: 6.2, noNaN: true }).map((exponent) => 10 ** exponent);
const durations = fc.array(duration, { minLength: 1, maxLength: 300 });

test('a quantile is within 3.2 % (or a microsecond) of the value that has that rank', () => {
  fc.assert(
    fc.property(durations, fc.constantFrom(0.01, 0.5, 0.9, 0.95, 0.99, 1), (values, q) => {
      const histogram = new Histogram();
      for (const value of values) histogram.add(value);
      const sorted = values.toSorted((a, b) => a - b);
      const exact = sorted[Math.max(1, Math.ceil(q * values.length)) - 1] as number;
      expect(Math.abs((histogram.quantile(q) as number) - exact)).toBeLessThanOrEqual(0.032 * exact + 0.001);
    }),
    { numRuns: 500 },
  );
});

test('buckets follow each other without a gap, and each holds its own floor and middle', () => {
  for (let bucket = 0; bucket < bucketOf(2_147_483); bucket++) {
    expect(bucketOf(bucketMiddle(bucket))).toBe(bucket);
    expect(bucketFloor(bucket + 1)).toBeGreaterThan(bucketFloor(bucket));
    expect(bucketFloor(bucket + 1) / Math.max(0.016, bucketFloor(bucket))).toBeLessThanOrEqual(1.0626);
  }
});

test('what is no duration, or longer than any, falls into the first and the last bucket', () => {
  expect(bucketOf(-1)).toBe(0);
  expect(bucketOf(Number.POSITIVE_INFINITY)).toBe(bucketOf(2_147_483));
});

test('merged from parts it is the same as of all values, and empty it has no quantile', () => {
  fc.assert(
    fc.property(durations, durations, (some, others) => {
      const [whole, merged] = [new Histogram(), new Histogram()];
      for (const part of [some, others]) {
        const histogram = new Histogram();
        for (const value of part) {
          histogram.add(value);
          whole.add(value);
        }
        merged.merge(JSON.parse(JSON.stringify(histogram.sparse())));
      }
      expect(merged.sparse()).toEqual(whole.sparse());
      expect(merged.total).toBe(some.length + others.length);
      expect(merged.quantile(0.95)).toBe(whole.quantile(0.95));
      merged.reset();
      expect([merged.total, merged.quantile(0.5), merged.sparse()]).toEqual([0, undefined, []]);
    }),
  );
});
