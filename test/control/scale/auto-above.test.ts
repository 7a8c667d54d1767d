import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type AutoAbove,
  isLearning,
  newAutoAbove,
  ofOtherRun,
  thresholdOf,
  withCalm,
} from '../../../src/control/scale/auto-above.ts';
import { bucketOf, countOf, type SparseCounts } from '../../../src/util/histogram.ts';
import { testGuards, testScale, testService } from '../support/settings.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.UTC(2026, 10, 29);
const scale = { ...testScale, latency: { ...testScale.latency, aboveMs: 'auto' as const } };
const fresh = newAutoAbove(0.95, START);

const requests = (count: number, ms: number): SparseCounts => [bucketOf(ms), count];
const aboveOf = (state: AutoAbove) => thresholdOf(scale, state).aboveMs;

/** A hundred requests of low load in each of so many minutes. */
function minutes(state: AutoAbove, from: number, values: readonly number[]): AutoAbove {
  return values.reduce((now, ms, i) => withCalm(now, requests(100, ms), testGuards, from + (i + 1) * MINUTE), state);
}

describe('the threshold of above: auto', () => {
  test('is one second until a hundred requests of low load came, and then twice their quantile at once', () => {
    const few = withCalm(fresh, requests(99, 200), testGuards, START + 1000);
    expect(thresholdOf(scale, few)).toEqual({
      ...{ aboveMs: 1000, quantile: 0.95, source: 'first', lowLoadMs: null, missing: 1 },
    });
    const enough = withCalm(few, requests(1, 200), testGuards, START + 2000);
    const { aboveMs, lowLoadMs, source } = thresholdOf(scale, enough);
    expect(source).toBe('learnt');
    expect(lowLoadMs).toBeGreaterThan(190);
    expect(lowLoadMs).toBeLessThan(210);
    expect(aboveMs).toBe(Math.round(2 * (lowLoadMs ?? 0)));
  });

  test('goes by the quantile of the service, not by another', () => {
    const counts = [...requests(90, 10), ...requests(10, 300)];
    expect(aboveOf(withCalm(fresh, counts, testGuards, START))).toBeGreaterThan(570);
    const median = withCalm(newAutoAbove(0.5, START), counts, testGuards, START);
    const latency = { ...scale.latency, quantile: 0.5 };
    expect(thresholdOf({ ...scale, latency }, median).aboveMs).toBe(50);
    // What is known of one quantile says nothing of another.
    expect(thresholdOf(scale, median)).toMatchObject({ aboveMs: 1000, source: 'first' });
  });

  test.each([0, 0.001, 1, 24])('is at least 50 ms where low load takes %d ms', (ms) => {
    expect(aboveOf(withCalm(fresh, requests(100, ms), testGuards, START))).toBe(50);
  });

  test('changes once a minute at most after the first', () => {
    let state = withCalm(fresh, requests(100, 200), testGuards, START);
    const first = aboveOf(state);
    for (let second = 1; second < 60; second++)
      state = withCalm(state, requests(100, 20), testGuards, START + second * 1000);
    expect(aboveOf(state)).toBe(first);
    state = withCalm(state, requests(1, 20), testGuards, START + MINUTE);
    expect(aboveOf(state)).toBe(50);
  });

  test('stays for a change of less than a tenth', () => {
    const state = minutes(fresh, START, [200]);
    expect(aboveOf(minutes(state, START + MINUTE, [190, 190, 190]))).toBe(aboveOf(state));
    expect(aboveOf(minutes(state, START + MINUTE, [150]))).toBeLessThan(aboveOf(state));
  });

  test('is not moved up by an app that gets slower and slower all day', () => {
    const calm = minutes(fresh, START, Array(150).fill(100));
    const day = Array.from({ length: 21 * 60 }, (_, minute) => 100 + minute);
    expect(aboveOf(minutes(calm, START + 150 * MINUTE, day))).toBe(aboveOf(calm));
  });

  test('follows after a day what has become of the app', () => {
    const calm = minutes(fresh, START, Array(150).fill(100));
    const slow = minutes(calm, START + 150 * MINUTE, Array(25 * 60).fill(300));
    expect(aboveOf(slow)).toBeGreaterThan(570);
    expect(aboveOf(slow)).toBeLessThan(630);
  });

  test('is not lowered by a single lucky minute', () => {
    const usual = minutes(fresh, START, Array(60).fill(200));
    expect(aboveOf(minutes(usual, START + HOUR, [20, 200, 20]))).toBe(aboveOf(usual));
  });

  test('is lowered by the first few values, and raised once there are ten', () => {
    const cold = minutes(fresh, START, [100]);
    expect(aboveOf(minutes(cold, START + MINUTE, [60]))).toBeLessThan(130);
    const other = ofOtherRun(cold, START + HOUR);
    expect(aboveOf(minutes(other, START + HOUR, Array(9).fill(400)))).toBe(aboveOf(cold));
    expect(aboveOf(minutes(other, START + HOUR, Array(10).fill(400)))).toBeGreaterThan(700);
  });

  test('waits for a hundred requests where few come, and for a day at most', () => {
    const first = withCalm(fresh, requests(100, 200), testGuards, START);
    const rare = (every: number) => {
      let state = first;
      for (let i = 1; i <= 100; i++) state = withCalm(state, requests(1, 50), testGuards, START + i * every);
      return state;
    };
    expect(aboveOf(rare(10 * MINUTE))).toBeLessThan(110);
    expect(aboveOf(rare(20 * MINUTE))).toBe(aboveOf(first));
  });

  test('stays while nobody comes, for however long', () => {
    const before = minutes(fresh, START, Array(20).fill(100));
    const later = minutes(before, START + 14 * 24 * HOUR, [300, 300]);
    expect(aboveOf(later)).toBe(aboveOf(before));
    expect(countOf(later.spans.flatMap(({ values }) => values))).toBe(1);
  });

  test('survives a clock that is set back', () => {
    const before = minutes(fresh, START, Array(20).fill(100));
    const back = minutes(before, START - 48 * HOUR, Array(5).fill(80));
    expect(aboveOf(back)).toBeLessThan(aboveOf(before));
    expect(aboveOf(back)).toBeGreaterThan(140);
  });

  test('is the configured one where there is one, and one second where nothing can be added', () => {
    const state = minutes(fresh, START, [200]);
    const configured = { ...scale, latency: { ...scale.latency, aboveMs: 750 } };
    expect(thresholdOf(configured, state)).toMatchObject({ aboveMs: 750, source: 'configured', lowLoadMs: null });
    expect(thresholdOf({ ...scale, max: 1 }, state)).toMatchObject({ source: 'first', missing: null });
    const service = testService('shop', { scale });
    expect(isLearning(service)).toBe(true);
    expect(isLearning({ ...service, scale: { ...scale, max: 1 } })).toBe(false);
    expect(isLearning({ ...service, scale: configured })).toBe(false);
    expect(isLearning({ scale, run: undefined })).toBe(false);
  });
});

/** Anything that edges may report, at any pace. */
const reports = fc.array(
  fc.record({
    afterMs: fc.oneof(fc.nat(2000), fc.nat(3 * HOUR), fc.integer({ min: -HOUR, max: 0 })),
    ms: fc.double({ min: 0, max: 100_000, noNaN: true }),
    count: fc.integer({ min: 1, max: 300 }),
  }),
  { maxLength: 200 },
);

test('whatever comes, it lies between its least and twice the slowest, and what is kept is bounded', () => {
  fc.assert(
    fc.property(reports, (all) => {
      let state = fresh;
      let now = START;
      let slowest = 0;
      let changedAt = Number.NEGATIVE_INFINITY;
      for (const { afterMs, ms, count } of all) {
        const before = state;
        now += afterMs;
        slowest = Math.max(slowest, ms);
        state = withCalm(state, requests(count, ms), testGuards, now);
        const { aboveMs } = thresholdOf(scale, state);
        expect(aboveMs).toBeGreaterThanOrEqual(50);
        expect(aboveMs).toBeLessThanOrEqual(Math.max(1000, 2.15 * slowest));
        expect(state.spans.length).toBeLessThanOrEqual(25);
        if (before.lowLoadMs === state.lowLoadMs) continue;
        if (afterMs >= 0 && before.lowLoadMs !== undefined && changedAt <= now)
          expect(now - changedAt).toBeGreaterThanOrEqual(MINUTE);
        changedAt = now;
      }
    }),
  );
});
