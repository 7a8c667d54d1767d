import { describe, expect, test } from 'vitest';
import {
  type Answered,
  burstsIn,
  fewestThatAnswered,
  type Overload,
  withAnswered,
  withLook,
} from '../../../src/control/scale/answered.ts';
import { replicasBeforeDoubt } from '../../../src/control/scale/doubt.ts';
import { observe } from '../../../src/control/scale/observe.ts';
import {
  afterChange,
  decideScale,
  newScaler,
  type ScaleOutcome,
  type ScalerState,
  type ScaleSample,
  scaleInputs,
} from '../../../src/control/scale/scaler.ts';
import { judgedSaturated, saturatedInputs, testSample } from '../support/scale-inputs.ts';
import { testScale } from '../support/settings.ts';

const MINUTE = 60_000;

test('an overload is looked at from its second tick on, as long as the same replicas bear it', () => {
  expect(withLook(undefined, 1, 10, 1)).toBeUndefined();
  const one = withLook(undefined, 1, 40, 2);
  expect(one).toEqual({ replicas: 1, perSecond: 40, looks: 1, squares: 0 });
  expect(withLook(one, 1, 60, 3)).toEqual({ replicas: 1, perSecond: 50, looks: 2, squares: 200 });
  expect(withLook(one, 2, 60, 3)).toEqual({ replicas: 2, perSecond: 60, looks: 1, squares: 0 });
  expect(withLook(one, 1, 60, 0)).toBeUndefined();
});

test('one look tells nothing, and the last overload counts', () => {
  expect(withAnswered([], { replicas: 1, perSecond: 40, looks: 1, squares: 0 }, 0)).toEqual([]);
  const first = withAnswered([], { replicas: 2, perSecond: 40, looks: 2, squares: 0 }, 0);
  expect(first[2]).toEqual({ perSecond: 40, at: 0 });
  expect(withAnswered(first, { replicas: 2, perSecond: 30, looks: 2, squares: 0 }, 9)[2]).toEqual({
    perSecond: 30,
    at: 9,
  });
  expect(withAnswered(first, undefined, 9)).toBe(first);
});

test('what is answered comes in bursts where it differs by more than chance from look to look', () => {
  const looks = (...rates: number[]) =>
    burstsIn(rates.reduce<Overload | undefined>((all, rate) => withLook(all, 1, rate, 2), undefined) as Overload);
  // Of a hundred answers in two seconds, by ten or so.
  expect(looks(50, 55, 45, 52, 48)).toBe(1);
  expect(looks(50, 57.5, 42.5)).toBeCloseTo(2.25);
  expect(looks(6, 1, 20, 27, 16)).toBeGreaterThan(10);
  // One look tells nothing, and neither do none of them.
  expect([looks(6), looks(0, 0)]).toEqual([1, 1]);
});

describe('the fewest that answered as much', () => {
  const answered: Answered = [undefined, { perSecond: 46, at: 0 }, { perSecond: 51, at: 0 }, { perSecond: 50, at: 0 }];

  test('did so up to chance', () => {
    expect(fewestThatAnswered(answered, 4, 50, 0.1, 0)).toBe(1);
    expect(fewestThatAnswered(answered, 4, 51, 0.1, 0)).toBe(2);
    expect(fewestThatAnswered(answered, 4, 70, 0.1, 0)).toBe(4);
  });

  test('are fewer than those', () => {
    expect(fewestThatAnswered(answered, 1, 50, 0.1, 0)).toBe(1);
    expect(fewestThatAnswered([], 3, 50, 0.1, 0)).toBe(3);
  });

  test('did so lately', () => {
    expect(fewestThatAnswered(answered, 4, 50, 0.1, 10 * MINUTE - 1)).toBe(1);
    expect(fewestThatAnswered(answered, 4, 50, 0.1, 10 * MINUTE)).toBe(4);
  });
});

describe('an increase in vain', () => {
  const inVain = { ...judgedSaturated, ready: 5, trialFrom: 4, trialTo: 5, asGoodBefore: 1 };

  test('takes with it those before it that did no more, though replicas had helped once', () => {
    expect(replicasBeforeDoubt({ ...inVain, helps: 1 })).toBe(1);
    expect(decideScale({ ...inVain, helps: 1 })).toMatchObject({
      kind: 'undo',
      from: 5,
      to: 1,
      reason: 'no benefit: 1000 → 1000 answers/s, no more than with 1',
    });
  });

  test('goes alone where no overload shows what others do, or next to nothing is answered', () => {
    expect(replicasBeforeDoubt({ ...inVain, saturatedTicks: 0, load: 1000 })).toBe(4);
    // What waits for longer than the threshold is an overload that is being worked off.
    expect(replicasBeforeDoubt({ ...inVain, saturatedTicks: 0, load: 1001 })).toBe(1);
    expect(replicasBeforeDoubt({ ...inVain, trialGoodPerSecond: 100 })).toBe(4);
  });
});

test('an increase is judged by all that is seen of the overload before it', () => {
  const behind = {
    ...testSample,
    arrivals: 300,
    dueArrivals: 300,
    answers: 100,
    load: 400,
    loadBefore: 50,
    oldestMs: 2000,
  };
  const seen = (goodLately: number, state = newScaler(testScale, 0), change = {}) =>
    observe(state, { ...behind, goodLately, ...change }, testScale, 0);
  const asked = seen(90, seen(20));
  const inputs = { ...scaleInputs(asked, behind, testScale, 0), ...saturatedInputs, goodPerSecond: 120 };
  const up: ScaleOutcome = { action: 'scale-up', kind: 'latency', from: 2, to: 3, reason: '', verdicts: [] };
  const started = afterChange(asked, up, inputs, testScale, 0);
  expect(started.trial).toMatchObject({ state: 'starting', good: 90 });
  const later = seen(110, started, { starting: 1 });
  expect(later.trial).toMatchObject({ good: 100 });
  const ready = seen(200, later, { ready: 3 });
  expect(ready.trial).toMatchObject({ state: 'judging', good: 100 });
  expect(scaleInputs(ready, { ...behind, ready: 3, goodSince: 90 }, testScale, 0).asGoodBefore).toBe(2);
});

describe('while an increase starts, those before it show what they can do', () => {
  const up: ScaleOutcome = { action: 'scale-up', kind: 'latency', from: 2, to: 3, reason: '', verdicts: [] };
  const asked = { ...saturatedInputs, goodPerSecond: 10 };
  const begun = afterChange(newScaler(testScale, 0), up, asked, testScale, 0);
  const next = (state: ScalerState, change: Partial<ScaleSample>) =>
    observe(state, { ...testSample, starting: 1, ...change }, testScale, 0);

  test('where it was for a bad moment that is over: what they answer then', () => {
    expect(begun.trial).toMatchObject({ good: 10 });
    // Forty a second less their standard error.
    const later = next(begun, { goodLately: 40 });
    expect(later.trial).toMatchObject({ good: 40 - Math.sqrt(80) / 2 });
    expect(next(later, { goodLately: 20 }).trial).toEqual(later.trial);
    // One that is on its way out has its part in what is answered, and so has the third.
    expect(next(later, { goodLately: 90, isSteady: false }).trial).toEqual(later.trial);
    expect(next(later, { goodLately: 90, ready: 3, starting: 0 }).trial).toMatchObject({
      good: 40 - Math.sqrt(80) / 2,
    });
  });

  test('while they work off what has piled up: that, and how much it differs', () => {
    const busy = { ...begun, busyTicks: 3, overload: { replicas: 2, perSecond: 10, looks: 2, squares: 0 } };
    const catchingUp = { goodLately: 70, arrivalsLately: 40, load: 400, usualMs: 50 };
    expect(next(busy, catchingUp).trial).toMatchObject({ good: 30, bursts: 80 });
  });
});
