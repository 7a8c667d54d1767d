import { describe, expect, test } from 'vitest';
import { failedAt } from '../../../src/control/scale/evidence.ts';
import { observe } from '../../../src/control/scale/observe.ts';
import type { ProposalKind, ScaleInputs } from '../../../src/control/scale/scale-inputs.ts';
import {
  afterChange,
  afterChangeByHand,
  afterOtherRun,
  afterVerdict,
  decideScale,
  newScaler,
  type ScaleOutcome,
  type ScalerState,
  type ScaleSample,
  scaleInputs,
} from '../../../src/control/scale/scaler.ts';
import type { TrialVerdict } from '../../../src/control/scale/trial-verdict.ts';
import {
  judgedInputs,
  judgedSaturated,
  loweredInputs,
  quietInputs,
  saturatedInputs,
  slowInputs,
  testInputs,
  testSample,
} from '../support/scale-inputs.ts';
import { testScale } from '../support/settings.ts';

const fresh = newScaler(testScale, 0);

const observed = (change: Partial<ScaleSample>, state: ScalerState = fresh, now = 0) =>
  observe(state, { ...testSample, ...change }, testScale, now);
const inputsOf = (state: ScalerState, change: Partial<ScaleSample> = {}, now = 0) =>
  scaleInputs(state, { ...testSample, ...change }, testScale, now);

/** Answers fall far behind. */
const behind: Partial<ScaleSample> = {
  ...{ arrivals: 300, dueArrivals: 300, answers: 100, goodLately: 100 },
  ...{ load: 500, loadBefore: 50, oldestMs: 3000, quantileMs: 3000, lateQuantileMs: 3000 },
};

const change = (kind: ProposalKind, from: number, to: number): ScaleOutcome => ({
  action: to > from ? 'scale-up' : 'scale-down',
  kind,
  from,
  to,
  reason: '',
  verdicts: [],
});
const up = change('latency', 2, 3);
const down = change('down', 2, 1);

describe('a decision', () => {
  test('is the first proposal that its guards let through', () => {
    expect(decideScale(slowInputs)).toMatchObject({ action: 'scale-up', kind: 'latency', from: 2, to: 3 });
    expect(decideScale(quietInputs)).toMatchObject({ action: 'scale-down', kind: 'down', from: 2, to: 1 });
    expect(decideScale({ ...slowInputs, max: 2 })).toMatchObject({ action: 'none', kind: 'latency', from: 2, to: 2 });
    expect(decideScale(testInputs)).toEqual({
      action: 'none',
      kind: undefined,
      from: 2,
      to: 2,
      reason: 'nothing to change',
      verdicts: [],
    });
  });

  test('goes as far as its guards let it', () => {
    expect(decideScale({ ...saturatedInputs, max: 4 })).toMatchObject({ action: 'scale-up', to: 4 });
  });

  test('undoes what did not help, and takes back what did harm', () => {
    expect(decideScale(judgedInputs)).toMatchObject({ action: 'scale-down', kind: 'undo', from: 3, to: 2 });
    const harmed = { ...loweredInputs, quantileMs: 950, lateQuantileMs: 950 };
    expect(decideScale(harmed)).toMatchObject({ action: 'scale-up', kind: 'restore', from: 1, to: 2 });
  });

  test('follows at once on an experiment that has ended', () => {
    const grown: ScaleInputs = { ...judgedSaturated, arrivalsPerSecond: 3033, latelyPerSecond: 3033 };
    expect(decideScale(grown)).toMatchObject({ action: 'scale-up', kind: 'latency', from: 3, to: 4 });
  });

  test('is sized by capacity as soon as an increase has proved that more is done', () => {
    const proved: ScaleInputs = { ...judgedSaturated, trialGoodPerSecond: 1500, capacityPerSecond: 500 };
    expect(decideScale(proved)).toMatchObject({ action: 'scale-up', from: 3, to: 5 });
    expect(decideScale({ ...proved, capacityPerSecond: 0 })).toMatchObject({ to: 4 });
  });
});

describe('at each tick', () => {
  test('ticks over the threshold are counted in a row, and few samples are none', () => {
    const slow = { quantileMs: 1500 };
    const twice = observed(slow, observed(slow));
    expect(twice.overTicks).toBe(2);
    expect(observed({}, twice).overTicks).toBe(0);
    expect(observed({ ...slow, samples: 19 }, twice).overTicks).toBe(0);
  });

  test('so are ticks of saturation', () => {
    const twice = observed(behind, observed(behind));
    expect(twice.saturatedTicks).toBe(2);
    expect(observed({}, twice).saturatedTicks).toBe(0);
  });

  test('a service whose requests wait at the edge for a replica is saturated still', () => {
    const limited = { ...fresh, inFlightLimit: 5 };
    expect(observed({ queued: 1 }, limited).saturatedTicks).toBe(1);
    expect(observed({ queued: 0 }, limited).saturatedTicks).toBe(0);
    expect(observed({ queued: 1 }).saturatedTicks).toBe(0);
  });

  test('calm goes on while the latency is low', () => {
    const calm = observed({}, observed({}, fresh, 1000), 61_000);
    expect(inputsOf(calm, {}, 61_000).calmMs).toBe(60_000);
    expect(inputsOf(observed({ quantileMs: 600 }, calm, 62_000), {}, 62_000).calmMs).toBe(0);
  });

  test('what is usually in flight follows slowly, while it is calm', () => {
    const calm = observed({ load: 10, loadBefore: 10 });
    expect(calm).toMatchObject({ calmLoad: 10, calmEach: 5 });
    expect(observed({ load: 20, loadBefore: 20 }, calm)).toMatchObject({ calmLoad: 11, calmEach: 5.5 });
    const unmoved = { calmLoad: 10, calmEach: 5 };
    expect(observed({ load: 20, loadBefore: 20, quantileMs: 700 }, calm)).toMatchObject(unmoved);
    expect(observed({ load: 20, loadBefore: 10 }, calm)).toMatchObject(unmoved);
  });

  test('capacity is learnt from a saturated service with as many replicas all the time, and from no other', () => {
    const learnt = (sample: Partial<ScaleSample>) => observed(sample).evidence.capacity?.perSecond;
    // Two hundred in 2 s, less what may be chance, by two.
    expect(learnt(behind)).toBeCloseTo((200 - Math.sqrt(200)) / 4);
    expect(learnt({ ...behind, isSteady: false })).toBeUndefined();
    expect(learnt({ goodLately: 1000 })).toBeUndefined();
    expect(learnt({ goodLately: 1000, quantileMs: 3000 })).toBeUndefined();
  });

  test('over a longer time it is learnt only where all were busy for all of it', () => {
    const long = { ...behind, goodSince: 100, goodSinceMs: 5000 };
    const learnt = (sample: Partial<ScaleSample>, busyTicks: number) =>
      observed(sample, { ...fresh, busyTicks }).evidence.capacity?.perSecond;
    expect(learnt(long, 4)).toBeCloseTo((500 - Math.sqrt(500)) / 10);
    expect(learnt(long, 3)).toBeCloseTo((200 - Math.sqrt(200)) / 4);
    // So they are while they work off what an overload has left, …
    const after = { goodSince: 100, goodSinceMs: 5000, goodLately: 100, load: 100, loadBefore: 120 };
    expect(learnt(after, 4)).toBeCloseTo((500 - Math.sqrt(500)) / 10);
    // … and not while as much comes, or hardly anything waits; nor where there was none.
    expect(learnt({ ...after, arrivalsLately: 100 }, 4)).toBeUndefined();
    expect(learnt({ ...after, load: 14 }, 4)).toBeUndefined();
    expect(learnt(after, 0)).toBeUndefined();
  });

  test('what they carry is learnt while the latency is low, and falls once they cannot', () => {
    const carried = observed({ arrivals: 80 });
    expect(carried.evidence.carried[2]?.perSecond).toBe(80);
    expect(observed({ arrivals: 80, quantileMs: 700 }).evidence.carried[2]).toBeUndefined();
    expect(observed({ arrivals: 80, isSteady: false }).evidence.carried[2]).toBeUndefined();
    expect(observed({ arrivals: 30, quantileMs: 1500 }, carried).evidence.carried[2]?.perSecond).toBe(30);
  });

  test('an increase is judged from when its replicas are there, as far as they are coming', () => {
    const started = afterChange(fresh, change('latency', 2, 5), slowInputs, testScale, 0);
    expect(started.trial).toMatchObject({ state: 'starting', from: 2, to: 5 });
    expect(observed({ ready: 3, starting: 2 }, started, 1000).trial).toMatchObject({ state: 'starting' });
    const judged = observed({ ready: 4, starting: 0 }, started, 2000);
    expect(judged.trial).toMatchObject({ state: 'judging', from: 2, to: 4, readyAt: 2000 });
    expect(inputsOf(judged, { ready: 4 }, 5000)).toMatchObject({ trial: 2, trialMs: 3000, trialFrom: 2, trialTo: 4 });
  });
});

test('an overload that is seen only after one was asked for is one that there was before', () => {
  const started = afterChange(fresh, up, slowInputs, testScale, 0);
  expect(observed({ starting: 1 }, started, 1000).trial).toMatchObject({ isSaturated: false });
  const seen = observed({ ...behind, starting: 1 }, started, 2000);
  expect(seen.trial).toMatchObject({ state: 'starting', isSaturated: true });
  expect(observed({ ready: 3 }, seen, 3000).trial).toMatchObject({ state: 'judging', isSaturated: true });
});

test('what next to nothing is answered of tells no capacity, and what each did before is known', () => {
  const done = observed({ goodSince: 40, goodSinceMs: 15_000 });
  expect(done.doneEach?.perSecond).toBeCloseTo((600 - Math.sqrt(600)) / 15 / 2);
  const collapsed = observed({ ...behind, goodLately: 29, goodSince: 29 }, done, 1000);
  expect(collapsed.evidence.capacity).toBeUndefined();
  expect(inputsOf(collapsed, {}, 1000).doneEachPerSecond).toBeCloseTo(done.doneEach?.perSecond ?? 0, 1);
  expect(observed({ ...behind, goodLately: 31, goodSince: 31 }, done, 1000).evidence.capacity).toBeDefined();
  expect(observed({ isSteady: false }).doneEach).toBeUndefined();
  expect(observed({ goodSinceMs: 4000 }).doneEach).toBeUndefined();
});

describe('after a change', () => {
  test('it is known how the service stood before', () => {
    const state = afterChange(fresh, up, { ...slowInputs, arrivalsPerSecond: 60, usualPerSecond: 50 }, testScale, 0);
    expect(inputsOf(state)).toMatchObject({
      ...{ trial: 1, trialFrom: 2, trialTo: 3, trialConcurrency: 0, beforePerSecond: 60, beforeGoodPerSecond: 40 },
      ...{ beforeUsualPerSecond: 50, beforeQuantileMs: 1500, beforeSaturated: 0 },
    });
    const still = afterChange(fresh, up, { ...slowInputs, arrivalsPerSecond: 20, usualPerSecond: 50 }, testScale, 0);
    expect(inputsOf(still)).toMatchObject({ beforePerSecond: 50, beforeUsualPerSecond: 50 });
    const saturated = afterChange(fresh, change('concurrency', 2, 4), saturatedInputs, testScale, 0);
    expect(inputsOf(saturated)).toMatchObject({ beforeSaturated: 1, trialConcurrency: 1, beforePerSecond: 300 });
  });

  test('a decrease is watched; the end of an experiment is none', () => {
    const lowered = afterChange(fresh, down, quietInputs, testScale, 1000);
    expect(inputsOf(lowered, {}, 31_000)).toMatchObject({ trial: 3, trialMs: 30_000, trialFrom: 2, trialTo: 1 });
    expect(afterChange(lowered, change('restore', 1, 2), loweredInputs, testScale, 0).trial).toEqual({ state: 'none' });
    expect(afterChange(fresh, change('undo', 3, 2), judgedInputs, testScale, 0).trial).toEqual({ state: 'none' });
  });

  test('steps are counted from it, but what is undone is no decrease', () => {
    const state = afterChange(fresh, up, slowInputs, testScale, 1000);
    expect(inputsOf(state, {}, 5000)).toMatchObject({ sinceUpMs: 4000, sinceChangeMs: 4000 });
    const undone = afterChange(state, change('undo', 3, 2), judgedInputs, testScale, 3000);
    expect(inputsOf(undone, {}, 5000)).toMatchObject({ sinceUpMs: 4000, sinceChangeMs: 4000 });
    const lowered = afterChange(undone, down, quietInputs, testScale, 4000);
    expect(inputsOf(lowered, {}, 5000)).toMatchObject({ sinceUpMs: 4000, sinceChangeMs: 1000 });
  });

  test('an increase that follows a decrease within ten minutes costs a token, which comes back twelve times an hour', () => {
    const lowered = afterChange(fresh, down, quietInputs, testScale, 0);
    const later = (now: number) => afterChange(lowered, up, slowInputs, testScale, now);
    expect(inputsOf(later(599_000), {}, 599_000).flapTokens).toBeCloseTo(3);
    expect(inputsOf(later(599_000), {}, 899_000).flapTokens).toBeCloseTo(4);
    expect(inputsOf(later(600_000), {}, 600_000).flapTokens).toBeCloseTo(4);
    expect(inputsOf(afterChange(fresh, up, slowInputs, testScale, 0)).flapTokens).toBeCloseTo(4);
  });

  test('by hand, an experiment ends, and nothing changes for a minute', () => {
    const state = afterChangeByHand(afterChange(fresh, up, slowInputs, testScale, 0), testScale, 1000);
    expect(inputsOf(state, {}, 31_000)).toMatchObject({ trial: 0, cooldownLeftMs: 30_000 });
    expect(inputsOf(state, {}, 61_000)).toMatchObject({ cooldownLeftMs: 0 });
    // What somebody asked for is no increase that is in doubt.
    const doubts = [{ from: 1, arrivals: 10, increases: 2, slowMs: 900, isOfOverload: false }];
    expect(afterChangeByHand({ ...state, doubts }, testScale, 2000).doubts).toEqual([]);
  });
});

describe('what an experiment showed', () => {
  const known: ScalerState = {
    ...afterChange(fresh, up, slowInputs, testScale, 0),
    evidence: { ...fresh.evidence, capacity: { perSecond: 50, answers: 1000, at: 0 } },
  };

  test('while it goes on nothing is known', () => {
    expect(afterVerdict(known, { verdict: 'wait' }, judgedInputs, testScale, 0)).toBe(known);
  });

  test('that more helped tells that so few were not enough, and lifts what an increase in vain has doubled', () => {
    const frozen = { ...known, frozen: { until: 0, count: 3, arrivals: 0, liftedAt: 0 } };
    const helped = afterVerdict(frozen, { verdict: 'helped', what: '', isMore: true }, judgedInputs, testScale, 1000);
    expect(helped).toMatchObject({ trial: { state: 'none' }, frozen: { count: 0 }, evidence: { helps: true } });
    expect(failedAt(helped.evidence, 2, 1000)).toBe(40);
    // Of one that stood still nothing is learnt but that it did.
    const carried = [undefined, undefined, { perSecond: 40, at: 0 }];
    const stuck = { ...judgedInputs, beforeGoodPerSecond: 19 };
    const still = { ...frozen, evidence: { ...frozen.evidence, carried } };
    const paused = afterVerdict(still, { verdict: 'helped', what: '', isMore: true }, stuck, testScale, 1000);
    expect(failedAt(paused.evidence, 2, 1000)).toBeUndefined();
    const eased = afterVerdict(frozen, { verdict: 'helped', what: '', isMore: false }, judgedInputs, testScale, 1000);
    expect(eased.evidence.helps).toBe(false);
  });

  test('that it did not help keeps from another for 120 s, twice as long each time, up to half an hour', () => {
    let state = known;
    const forMs: number[] = [];
    for (let i = 0; i < 6; i++) {
      state = afterVerdict(state, { verdict: 'no-benefit', what: '' }, judgedInputs, testScale, 0);
      forMs.push(inputsOf(state).freezeLeftMs);
    }
    expect(forMs).toEqual([120_000, 240_000, 480_000, 960_000, 1_800_000, 1_800_000]);
    expect(state.evidence.capacity).toBeUndefined();
    expect(state.evidence.helps).toBe(false);
  });

  test('arrivals that lift it go by the larger of those before and after', () => {
    const verdict = { verdict: 'no-benefit', what: '' } as const;
    const freeze = (change: Partial<ScaleInputs>) =>
      afterVerdict(known, verdict, { ...judgedInputs, ...change }, testScale, 0).frozen.arrivals;
    expect(freeze({ beforePerSecond: 40, arrivalsPerSecond: 60 })).toBe(60);
    expect(freeze({ beforePerSecond: 50, arrivalsPerSecond: 10 })).toBe(50);
  });

  test('as many requests lift it where it was not tried in an overload, once there is one', () => {
    const verdict = { verdict: 'no-benefit', what: '' } as const;
    const lift = (change: Partial<ScaleInputs>) => {
      const { frozen } = afterVerdict(known, verdict, { ...judgedInputs, ...change }, testScale, 0);
      return frozen.liftedAt / frozen.arrivals;
    };
    expect(lift({ beforeSaturated: 0 })).toBe(1);
    expect(lift({ beforeSaturated: 1 })).toBe(1.5);
    const ofDoubt = { trial: 0, beforeSaturated: 0 };
    expect(lift({ ...ofDoubt, doubtSaturated: 0 })).toBe(1);
    expect(lift({ ...ofDoubt, doubtSaturated: 1 })).toBe(1.5);
  });

  test('what is left after one in vain is in doubt as before', () => {
    const doubts = [
      { from: 1, arrivals: 20, increases: 1, slowMs: 1500, isOfOverload: false },
      { from: 2, arrivals: 40, increases: 1, slowMs: 1500, isOfOverload: false },
    ];
    const then = (change: Partial<ScaleInputs>) =>
      afterVerdict(
        { ...known, doubts },
        { verdict: 'no-benefit', what: '' },
        { ...judgedInputs, ...change },
        testScale,
        0,
      );
    expect(then({ trialFrom: 3 }).doubts).toEqual(doubts);
    expect(then({ trialFrom: 3, doubtIncreases: 1, doubtFrom: 2, doubtPerSecond: 40 }).doubts).toEqual(
      doubts.slice(0, 1),
    );
    expect(then({ trial: 0, doubtFrom: 2 }).doubts).toEqual(doubts.slice(0, 1));
  });

  test('that a decrease did harm tells that so few are not enough; the next try waits, twice as long each time', () => {
    let state = known;
    const waits: number[] = [];
    for (let i = 0; i < 5; i++) {
      state = afterVerdict(state, { verdict: 'harmed', what: '' }, loweredInputs, testScale, 0);
      waits.push(inputsOf(state).downWaitMs);
    }
    expect(waits).toEqual([300_000, 600_000, 1_200_000, 2_400_000, 3_600_000]);
    expect(inputsOf(state, { ready: 2 }).failedPerSecond).toBe(40);
    const held = afterVerdict(state, { verdict: 'held', what: '' }, loweredInputs, testScale, 0);
    expect(held.lowered).toEqual({ to: 1, until: 0, count: 0 });
  });

  test('that a decrease did harm keeps from no decrease to more than that, whose success says nothing of fewer', () => {
    const harmed = afterVerdict(known, { verdict: 'harmed', what: '' }, loweredInputs, testScale, 0);
    expect(inputsOf(harmed, { ready: 2 }).downWaitMs).toBe(300_000);
    expect(inputsOf(harmed, { ready: 3 }).downWaitMs).toBe(0);
    const held = afterVerdict(harmed, { verdict: 'held', what: '' }, { ...loweredInputs, trialTo: 2 }, testScale, 0);
    expect(held.lowered).toEqual(harmed.lowered);
  });

  test.each([
    { verdict: 'ended', why: '' },
    { verdict: 'untold', what: '' },
  ] as const)('where it says nothing, nothing is learnt: $verdict', (verdict) => {
    const after = afterVerdict(known, verdict, judgedInputs, testScale, 0);
    expect(after).toEqual({ ...known, trial: { state: 'none' } });
  });

  test('that nothing can be told, or that latency fell, leaves it in doubt; that more is done does not', () => {
    const doubts = [{ from: 2, arrivals: 40, increases: 1, slowMs: 1500, isOfOverload: false }];
    const then = (verdict: TrialVerdict) => afterVerdict(known, verdict, judgedInputs, testScale, 0);
    expect(then({ verdict: 'open', what: '' })).toEqual({ ...known, trial: { state: 'none' }, doubts });
    expect(then({ verdict: 'helped', what: '', isMore: false }).doubts).toEqual(doubts);
    expect(then({ verdict: 'helped', what: '', isMore: true }).doubts).toEqual([]);
  });

  test('another run makes all of it worthless', () => {
    const learnt = afterVerdict(known, { verdict: 'no-benefit', what: '' }, judgedInputs, testScale, 0);
    const other = afterOtherRun(observed(behind, { ...learnt, inFlightLimit: 3 }), testScale, 0);
    expect(other).toEqual({ ...fresh, lastUpAt: other.lastUpAt, lastDownAt: other.lastDownAt, flaps: other.flaps });
  });
});
