import { describe, expect, test } from 'vitest';
import type { ScaleInputs } from '../../../src/control/scale/scale-inputs.ts';
import { judgeTrial } from '../../../src/control/scale/trial.ts';
import { judgedInputs, judgedSaturated, loweredInputs, saturatedInputs, slowInputs } from '../support/scale-inputs.ts';

type Change = Partial<ScaleInputs>;

const without = ({ quantileMs: _, ...inputs }: ScaleInputs): ScaleInputs => inputs;

test('without an experiment there is nothing to judge, however slow the service is', () => {
  expect(judgeTrial(slowInputs)).toEqual({ verdict: 'wait' });
  expect(judgeTrial(saturatedInputs)).toEqual({ verdict: 'wait' });
});

describe('an increase has helped', () => {
  test.each<[string, Change, string]>([
    ['the latency is low again', { quantileMs: 900 }, 'p95 1500 ms → 900 ms'],
    ['the latency fell by a quarter, half of what was added', { quantileMs: 1125 }, 'p95 1500 ms → 1125 ms'],
  ])('when %s', (_when, change, what) => {
    expect(judgeTrial({ ...judgedInputs, ...change })).toEqual({ verdict: 'helped', what, isMore: false });
  });

  test.each<[string, Change, string]>([
    ['answers rose by half of what was added', { trialGoodPerSecond: 1250 }, '1000 → 1250 answers/s'],
    ['it answers all that arrives', { arrivalsPerSecond: 1150, trialGoodPerSecond: 1150 }, '1000 → 1150 answers/s'],
  ])('where the service was saturated, when %s: more is done', (_when, change, what) => {
    expect(judgeTrial({ ...judgedSaturated, ...change })).toEqual({ verdict: 'helped', what, isMore: true });
  });

  test('for concurrency, when what was queued is taken', () => {
    const slots: ScaleInputs = { ...judgedInputs, trialConcurrency: 1, concurrency: 2, load: 6 };
    expect(judgeTrial(slots)).toMatchObject({ verdict: 'helped' });
    expect(judgeTrial({ ...slots, load: 7, loadBefore: 7 })).toMatchObject({ verdict: 'no-benefit' });
  });

  test('a second after it is ready, warm or not, and no sooner', () => {
    const quick = { ...judgedInputs, quantileMs: 100, trialWarm: 0 };
    expect(judgeTrial({ ...quick, trialMs: 1000 })).toMatchObject({ verdict: 'helped' });
    expect(judgeTrial({ ...quick, trialMs: 999 })).toEqual({ verdict: 'wait' });
  });
});

describe('an increase has not helped', () => {
  test('when nothing became better', () => {
    expect(judgeTrial(judgedInputs)).toEqual({ verdict: 'no-benefit', what: '40 → 40 answers/s' });
    expect(judgeTrial(judgedSaturated)).toEqual({ verdict: 'no-benefit', what: '1000 → 1000 answers/s' });
  });

  test.each<[string, ScaleInputs, Change]>([
    ['the latency fell by less than a quarter', judgedInputs, { quantileMs: 1126 }],
    ['answers rose by less than half of what was added', judgedSaturated, { trialGoodPerSecond: 1249 }],
    ['nothing is turned away any more, but no more is answered', judgedSaturated, { shedPerSecond: 0 }],
    ['nothing is answered, before and after', judgedSaturated, { beforeGoodPerSecond: 0, trialGoodPerSecond: 0 }],
    [
      'answers rose against a bad moment, not against what the replicas before had been seen to do',
      judgedSaturated,
      { trialGoodPerSecond: 1250, capacityPerSecond: 600 },
    ],
  ])('when it helped too little: %s', (_how, inputs, change) => {
    expect(judgeTrial({ ...inputs, ...change })).toMatchObject({ verdict: 'no-benefit' });
  });

  test('when it only helped out of a collapse, up to what the replicas before had done already', () => {
    const collapsed: ScaleInputs = { ...judgedSaturated, beforeGoodPerSecond: 100, doneEachPerSecond: 500 };
    expect(judgeTrial({ ...collapsed, trialGoodPerSecond: 1240 })).toMatchObject({ verdict: 'no-benefit' });
    expect(judgeTrial({ ...collapsed, trialGoodPerSecond: 1260 })).toMatchObject({ verdict: 'helped' });
    expect(judgeTrial({ ...collapsed, beforeGoodPerSecond: 200, trialGoodPerSecond: 400 })).toMatchObject({
      verdict: 'helped',
    });
  });

  test('when few answers more may be chance', () => {
    const few: ScaleInputs = {
      ...judgedSaturated,
      beforeGoodPerSecond: 20,
      goodPerSecond: 20,
      beforePerSecond: 40,
      arrivalsPerSecond: 40,
    };
    expect(judgeTrial({ ...few, trialGoodPerSecond: 25 })).toMatchObject({ verdict: 'no-benefit' });
    expect(judgeTrial({ ...few, trialGoodPerSecond: 31 })).toMatchObject({ verdict: 'helped' });
    const atOnce: ScaleInputs = { ...few, trialMs: 1000, trialGoodMs: 1000 };
    expect(judgeTrial({ ...atOnce, trialGoodPerSecond: 40 })).toMatchObject({ verdict: 'no-benefit' });
    expect(judgeTrial({ ...atOnce, trialGoodPerSecond: 41 })).toMatchObject({ verdict: 'helped' });
  });

  test('when it answers more by no more than what those before answered differed', () => {
    const bursty: ScaleInputs = { ...judgedSaturated, beforeBursts: 38, trialGoodPerSecond: 1250 };
    expect(judgeTrial({ ...bursty, beforeBursts: 37 })).toMatchObject({ verdict: 'helped' });
    expect(judgeTrial(bursty)).toMatchObject({ verdict: 'no-benefit' });
  });

  test('however much was added at once, half fewer slow requests would have been a benefit', () => {
    const many = { ...judgedInputs, ready: 10, trialTo: 10 };
    expect(judgeTrial({ ...many, quantileMs: 1001, beforeQuantileMs: 2002 })).toMatchObject({ verdict: 'helped' });
    expect(judgeTrial({ ...many, quantileMs: 1002, beforeQuantileMs: 2002 })).toMatchObject({ verdict: 'no-benefit' });
  });

  test('however little was added, under a tenth is no benefit', () => {
    const one: ScaleInputs = { ...judgedInputs, samples: 10_000, ready: 21, trialFrom: 20, trialTo: 21 };
    expect(judgeTrial({ ...one, quantileMs: 1350 })).toMatchObject({ verdict: 'helped' });
    expect(judgeTrial({ ...one, quantileMs: 1360 })).toMatchObject({ verdict: 'no-benefit' });
  });

  test('when the latency fell by no more than that of so few requests does by chance', () => {
    const few: ScaleInputs = { ...judgedInputs, samples: 200 };
    expect(judgeTrial({ ...few, quantileMs: 1030 })).toMatchObject({ verdict: 'helped' });
    expect(judgeTrial({ ...few, quantileMs: 1050 })).toMatchObject({ verdict: 'no-benefit' });
  });
});

describe('an increase is not judged yet', () => {
  test.each<[string, ScaleInputs, Change]>([
    ['its replicas are not ready', judgedInputs, { trial: 1, ready: 2, starting: 1 }],
    ['its replicas are not warm', judgedInputs, { trialWarm: 0 }],
    ['samples are few', judgedInputs, { samples: 19 }],
    ['there are fewer than 200 samples in the first 30 s', judgedInputs, { samples: 199, trialMs: 29_999 }],
    ['what is in flight still grows', judgedSaturated, { load: 560, loadBefore: 500 }],
    ['a backlog is worked off', judgedInputs, { goodPerSecond: 43 }],
    ['more waits than before, of a service that was never calm', judgedSaturated, { load: 501 }],
    ['it has been quick for some seconds', judgedInputs, { lateQuantileMs: 900 }],
  ])('while %s', (_while, inputs, change) => {
    expect(judgeTrial({ ...inputs, ...change })).toEqual({ verdict: 'wait' });
  });

  test.each<[string, Change]>([
    ['30 s', { samples: 20, trialMs: 30_000 }],
    ['200 samples', { samples: 200, trialMs: 2000 }],
    ['60 s of what is in flight becoming more', { load: 560, loadBefore: 500, trialMs: 60_000 }],
    ['60 s of a backlog that shrinks', { goodPerSecond: 43, trialMs: 60_000 }],
  ])('but is after %s', (_after, change) => {
    expect(judgeTrial({ ...judgedInputs, ...change })).toMatchObject({ verdict: 'no-benefit' });
  });
});

describe('an increase ends without a verdict', () => {
  test.each<[string, Change, string]>([
    ['a replica ended', { ready: 1 }, 'a replica ended meanwhile'],
    ['it could not be started', { trial: 1, ready: 2 }, 'it could not be started'],
  ])('when %s', (_when, change, why) => {
    expect(judgeTrial({ ...judgedInputs, ...change })).toEqual({ verdict: 'ended', why });
  });

  test('not at once when it could not be started: that is not asked for again at each tick', () => {
    const none: ScaleInputs = { ...judgedInputs, trial: 1, ready: 2 };
    expect(judgeTrial({ ...none, sinceUpMs: 14_999 })).toEqual({ verdict: 'wait' });
    expect(judgeTrial({ ...none, sinceUpMs: 15_000 })).toMatchObject({ verdict: 'ended' });
  });

  test('when far more is asked for than at the trial, and the service is saturated, even before it is ready', () => {
    const more: ScaleInputs = { ...judgedSaturated, arrivalsPerSecond: 3033, latelyPerSecond: 3033 };
    const open = { verdict: 'open', what: '2000 → 3033 requests/s meanwhile, far more than at the trial' };
    expect(judgeTrial(more)).toEqual(open);
    expect(judgeTrial({ ...more, trial: 1, ready: 2, starting: 1 })).toEqual(open);
    // By less than their standard error it may be chance.
    expect(judgeTrial({ ...more, arrivalsPerSecond: 3031 })).not.toMatchObject({ verdict: 'open' });
    expect(judgeTrial({ ...more, trialGoodPerSecond: 1500 })).toMatchObject({ verdict: 'helped' });
    expect(judgeTrial({ ...more, saturatedTicks: 0 })).not.toMatchObject({ verdict: 'open' });
  });

  test('but not for what came at once from clients who stood still: it is over already', () => {
    const burst: ScaleInputs = { ...judgedSaturated, arrivalsPerSecond: 3033, latelyPerSecond: 2000 };
    expect(judgeTrial(burst)).not.toMatchObject({ verdict: 'open' });
    expect(judgeTrial({ ...burst, trial: 1, ready: 2, starting: 1 })).toEqual({ verdict: 'wait' });
  });

  test('when so few requests come in five minutes that nothing can be told', () => {
    const few = { ...judgedInputs, samples: 19, trialMs: 300_000 };
    const what = '19 samples in 300 s: too few to tell';
    expect(judgeTrial(few)).toEqual({ verdict: 'untold', what });
    expect(judgeTrial(without({ ...few, samples: 0 }))).toMatchObject({ verdict: 'untold' });
    expect(judgeTrial({ ...few, trialMs: 299_999 })).toEqual({ verdict: 'wait' });
  });

  test('when more comes than before, which would have made those before slower: that the latency stays tells nothing', () => {
    const more = { ...judgedInputs, arrivalsPerSecond: 54, goodPerSecond: 54 };
    expect(judgeTrial(more)).toEqual({ verdict: 'wait' });
    const open = { verdict: 'open', what: 'more requests: 40 → 54 requests/s' };
    expect(judgeTrial({ ...more, trialMs: 60_000 })).toEqual(open);
    expect(judgeTrial({ ...more, arrivalsPerSecond: 50, trialMs: 60_000 })).toMatchObject({ verdict: 'no-benefit' });
  });

  test('when more comes than those before are known to carry', () => {
    const known = { ...judgedInputs, eachPerSecond: 24 };
    expect(judgeTrial(known)).toEqual({ verdict: 'open', what: 'more requests: 40 → 40 requests/s' });
    expect(judgeTrial({ ...known, eachPerSecond: 25 })).toMatchObject({ verdict: 'no-benefit' });
    // In an overload it shows whether more is answered, unless that has been shown before.
    expect(judgeTrial({ ...judgedSaturated, eachPerSecond: 24 })).toMatchObject({ verdict: 'no-benefit' });
    expect(judgeTrial({ ...judgedSaturated, eachPerSecond: 24, helps: 1 })).toMatchObject({ verdict: 'open' });
  });

  test('when the latency is low because fewer requests come', () => {
    const eased = { ...judgedInputs, quantileMs: 100, arrivalsPerSecond: 35, goodPerSecond: 35 };
    expect(judgeTrial(eased)).toEqual({ verdict: 'open', what: 'fewer requests: 40 → 35 requests/s' });
    expect(judgeTrial({ ...eased, trialMs: 20_000, samples: 100 })).toEqual({ verdict: 'wait' });
    expect(judgeTrial({ ...eased, arrivalsPerSecond: 36 })).toMatchObject({ verdict: 'helped' });
  });
});

describe('a decrease', () => {
  test('has done no harm when the latency stayed low for the whole time', () => {
    expect(judgeTrial(loweredInputs)).toEqual({ verdict: 'held', what: 'p95 90 ms → 100 ms' });
    expect(judgeTrial(without(loweredInputs))).toEqual({ verdict: 'held', what: 'p95 90 ms → no samples' });
    expect(judgeTrial({ ...loweredInputs, trialMs: 59_999 })).toEqual({ verdict: 'wait' });
  });

  test('is no harm where it was as slow before, though not too slow', () => {
    const slow = { ...loweredInputs, quantileMs: 950, lateQuantileMs: 950, trialMs: 1000, beforeQuantileMs: 870 };
    expect(judgeTrial(slow)).toEqual({ verdict: 'wait' });
    expect(judgeTrial({ ...slow, quantileMs: 960, lateQuantileMs: 960 })).toMatchObject({ verdict: 'harmed' });
    // Too slow is too slow.
    const over = { ...slow, quantileMs: 1001, lateQuantileMs: 1001, beforeQuantileMs: 990 };
    expect(judgeTrial(over)).toMatchObject({ verdict: 'harmed' });
  });

  test('has done harm when the latency passes nine tenths of the threshold, at once', () => {
    const slow = { ...loweredInputs, quantileMs: 901, lateQuantileMs: 901, trialMs: 1000 };
    expect(judgeTrial(slow)).toEqual({ verdict: 'harmed', what: 'p95 90 ms → 901 ms' });
    expect(judgeTrial({ ...slow, quantileMs: 900 })).toEqual({ verdict: 'wait' });
    expect(judgeTrial({ ...slow, samples: 19 })).toEqual({ verdict: 'wait' });
  });

  test('has done harm when the latency is not low any more, where nearly as much arrives as is known to be done', () => {
    const full: Change = { helps: 1, capacityPerSecond: 42, capacityAnswers: 900 };
    const slower = { ...loweredInputs, ...full, quantileMs: 601, lateQuantileMs: 601, trialMs: 1000 };
    expect(judgeTrial(slower)).toMatchObject({ verdict: 'harmed' });
    expect(judgeTrial({ ...slower, quantileMs: 600 })).toEqual({ verdict: 'wait' });
    expect(judgeTrial({ ...slower, capacityPerSecond: 43 })).toEqual({ verdict: 'wait' });
    expect(judgeTrial({ ...slower, helps: 0 })).toEqual({ verdict: 'wait' });
    // What it has done since it can do.
    expect(judgeTrial({ ...slower, doneEachPerSecond: 43 })).toEqual({ verdict: 'wait' });
  });

  test.each<[string, Change]>([
    ['has been quick again for some seconds', { lateQuantileMs: 900 }],
    ['answers more than arrives', { goodPerSecond: 44 }],
    ['has less and less in flight', { load: 8, loadBefore: 10 }],
  ])('has done none yet where what was slow %s', (_what, change) => {
    const slow = { ...loweredInputs, quantileMs: 901, lateQuantileMs: 901, trialMs: 1000 };
    expect(judgeTrial({ ...slow, ...change })).toEqual({ verdict: 'wait' });
  });

  test('has done harm when the service is saturated, at once', () => {
    const saturated = { ...loweredInputs, saturatedTicks: 1, trialGoodPerSecond: 30, trialMs: 1000 };
    expect(judgeTrial(saturated)).toEqual({ verdict: 'harmed', what: '40 → 30 answers/s' });
  });

  test('says nothing when a replica ended meanwhile', () => {
    expect(judgeTrial({ ...loweredInputs, ready: 0 })).toEqual({ verdict: 'ended', why: 'a replica ended meanwhile' });
  });
});
