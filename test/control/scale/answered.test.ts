import { describe, expect, test } from 'vitest';
import { type Answered, fewestThatAnswered, withAnswered, withLook } from '../../../src/control/scale/answered.ts';
import { replicasBeforeDoubt } from '../../../src/control/scale/doubt.ts';
import { observe } from '../../../src/control/scale/observe.ts';
import {
  afterChange,
  decideScale,
  newScaler,
  type ScaleOutcome,
  scaleInputs,
} from '../../../src/control/scale/scaler.ts';
import { judgedSaturated, saturatedInputs, testSample } from '../support/scale-inputs.ts';
import { testScale } from '../support/settings.ts';

const MINUTE = 60_000;

test('an overload is looked at from its second tick on, as long as the same replicas bear it', () => {
  expect(withLook(undefined, 1, 10, 1)).toBeUndefined();
  const one = withLook(undefined, 1, 40, 2);
  expect(one).toEqual({ replicas: 1, perSecond: 40, looks: 1 });
  expect(withLook(one, 1, 60, 3)).toEqual({ replicas: 1, perSecond: 50, looks: 2 });
  expect(withLook(one, 2, 60, 3)).toEqual({ replicas: 2, perSecond: 60, looks: 1 });
  expect(withLook(one, 1, 60, 0)).toBeUndefined();
});

test('one look tells nothing, and the last overload counts', () => {
  expect(withAnswered([], { replicas: 1, perSecond: 40, looks: 1 }, 0)).toEqual([]);
  const first = withAnswered([], { replicas: 2, perSecond: 40, looks: 2 }, 0);
  expect(first[2]).toEqual({ perSecond: 40, at: 0 });
  expect(withAnswered(first, { replicas: 2, perSecond: 30, looks: 2 }, 9)[2]).toEqual({ perSecond: 30, at: 9 });
  expect(withAnswered(first, undefined, 9)).toBe(first);
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
    expect(replicasBeforeDoubt({ ...inVain, saturatedTicks: 0 })).toBe(4);
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
