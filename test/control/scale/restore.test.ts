import { expect, test } from 'vitest';
import { observe } from '../../../src/control/scale/observe.ts';
import {
  afterChange,
  afterGivenUp,
  afterVerdict,
  decideScale,
  newScaler,
  type ScalerState,
  type ScaleSample,
  scaleInputs,
} from '../../../src/control/scale/scaler.ts';
import { judgeTrial } from '../../../src/control/scale/trial.ts';
import { testSample } from '../support/scale-inputs.ts';
import { testScale } from '../support/settings.ts';

const before = {
  from: 3,
  to: 2,
  arrivals: 40,
  usual: 40,
  good: 40,
  quantileMs: 100,
  load: 2,
  isSaturated: false,
  bursts: 1,
  isForConcurrency: false,
};

/** A decrease from three to two that was made at 0 and is watched. */
const lowered: ScalerState = { ...newScaler(testScale, 0), trial: { state: 'lowered', at: 0, ...before } };
const slow: Partial<ScaleSample> = { quantileMs: 990, lateQuantileMs: 990 };

/** A tick a second, from a state on. @returns the state after the last, and what each came to */
function ticks(from: ScalerState, startMs: number, samples: Partial<ScaleSample>[]) {
  let state = from;
  const outcomes = samples.map((change, index) => {
    const now = startMs + index * 1000;
    const sample = { ...testSample, budgetLeft: 0, ...change };
    state = observe(state, sample, testScale, now);
    const inputs = scaleInputs(state, sample, testScale, now);
    const outcome = decideScale(inputs);
    const isOver = outcome.action !== 'none' || outcome.kind !== 'restore';
    if (isOver) state = afterVerdict(state, judgeTrial(inputs), inputs, testScale, now);
    state = afterChange(state, outcome, inputs, testScale, now);
    return outcome;
  });
  return { state, outcomes, last: outcomes.at(-1) };
}

const times = (count: number, sample: Partial<ScaleSample> = {}) => Array.from({ length: count }, () => sample);

test('a restore that the budget has no room for stays asked for, with its words, also when it is quick for a moment', () => {
  const { state, last, outcomes } = ticks(lowered, 20_000, [slow, ...times(50)]);
  expect(outcomes[0]).toMatchObject({ action: 'none', kind: 'restore', reason: '2 are too few: p95 100 ms → 990 ms' });
  expect(last).toMatchObject({ action: 'none', kind: 'restore', reason: '2 are too few: p95 100 ms → 100 ms' });
  expect(last?.verdicts.filter(({ verdict }) => verdict === 'block').map(({ guard }) => guard)).toEqual(['budget']);
  const { outcomes: then, state: after } = ticks(state, 71_000, [{ budgetLeft: 1 }]);
  expect(then[0]).toMatchObject({ action: 'scale-up', kind: 'restore', from: 2, to: 3 });
  expect(after.lowered.count).toBe(1);
});

test('once it has been quick for as long as a decrease is watched so few are enough', () => {
  const { state, last } = ticks(lowered, 20_000, [slow, ...times(62)]);
  expect(last).toMatchObject({ action: 'none', kind: undefined });
  expect(state).toMatchObject({ trial: { state: 'none' }, lowered: { count: 0 } });
});

test('it ends where there are as many again, whoever started them', () => {
  const { state } = ticks(lowered, 20_000, [slow, { starting: 1 }]);
  expect(state.trial).toEqual({ state: 'none' });
});

test('a replica that goes to another service ends the experiment under way, and spends no flap', () => {
  const state = { ...lowered, lastDownAt: undefined };
  expect(afterGivenUp(state)).toEqual({ ...state, trial: { state: 'none' } });
});
