import { describe, expect, test } from 'vitest';
import { proposals } from '../../../src/control/scale/proposals.ts';
import type { ScaleInputs } from '../../../src/control/scale/scale-inputs.ts';
import {
  judgedInputs,
  loweredInputs,
  quietInputs,
  saturatedInputs,
  slowInputs,
  testInputs,
} from '../support/scale-inputs.ts';

type Change = Partial<ScaleInputs>;

const without = (inputs: ScaleInputs, key: 'quantileMs' | 'lateQuantileMs' | 'capacityPerSecond'): ScaleInputs => {
  const { [key]: _, ...others } = inputs;
  return others as ScaleInputs;
};

test('nothing asks for a change of a service that is quick enough', () => {
  expect(proposals(testInputs)).toEqual([]);
  expect(proposals(without(testInputs, 'quantileMs'))).toEqual([]);
});

describe('slow, but not saturated', () => {
  test('one more is asked for, with the numbers', () => {
    expect(proposals(slowInputs)).toEqual([
      { kind: 'latency', from: 2, to: 3, reason: 'p95 1500 ms > 1000 ms for 3 ticks' },
    ]);
    expect(proposals({ ...slowInputs, overTicks: 1 })[0]?.reason).toBe('p95 1500 ms > 1000 ms for 1 tick');
  });

  test('what it says is true: over the limit does not read the same as the limit', () => {
    const [latency] = proposals({ ...slowInputs, quantileMs: 5.248, lateQuantileMs: 5.248, aboveMs: 5.2 });
    expect(latency?.reason).toBe('p95 5.25 ms > 5.2 ms for 3 ticks');
  });

  test('as many are asked for as are known to carry the arrivals', () => {
    expect(proposals({ ...slowInputs, carriers: 5 })).toMatchObject([{ to: 5 }]);
  });

  test('what a replica can do sizes it where more arrives than all of them do, and once latency is not low any more', () => {
    const short: ScaleInputs = {
      ...slowInputs,
      helps: 1,
      capacityPerSecond: 20,
      usualPerSecond: 75,
      quantileMs: 700,
    };
    expect(proposals(short)).toEqual([
      {
        kind: 'latency',
        from: 2,
        to: 5,
        reason: 'p95 700 ms > 600 ms for 3 ticks, and 2 do 40/s at most, 75/s arrive',
      },
    ]);
    expect(proposals({ ...short, quantileMs: 600 })).toEqual([]);
    expect(proposals({ ...short, usualPerSecond: 40 })).toEqual([]);
    // By chance as many come in fifteen seconds now and then.
    expect(proposals({ ...short, usualPerSecond: 41.6 })).toEqual([]);
    expect(proposals({ ...short, usualPerSecond: 7500 })).toMatchObject([{ to: 16 }]);
  });

  test.each<[string, Change]>([
    ['they can do what arrives', { capacityPerSecond: 20, helps: 1 }],
    ['no increase has proved that replicas help', { capacityPerSecond: 1, helps: 0 }],
  ])('what a replica can do says nothing of how many it needs where %s', (_where, change) => {
    expect(proposals({ ...slowInputs, ...change })).toMatchObject([{ to: 3 }]);
  });

  test('replicas that start count as there', () => {
    expect(proposals({ ...slowInputs, starting: 2 })).toMatchObject([{ from: 4, to: 5 }]);
  });

  test.each<[string, Change]>([
    ['at the threshold', { quantileMs: 1000 }],
    ['when what was slow is over', { lateQuantileMs: 1000 }],
  ])('none is asked for %s', (_when, change) => {
    expect(proposals({ ...slowInputs, ...change })).toEqual([]);
  });

  test('with too few samples of late the whole window counts', () => {
    expect(proposals(without(slowInputs, 'lateQuantileMs'))).toMatchObject([{ kind: 'latency' }]);
  });
});

describe('saturated', () => {
  test('as many are asked for as arrivals need with a reserve, and with the backlog without one', () => {
    // 300 arrive, at 40 each; and 390 are to be worked off in 6 s: 365 a second, at 50 each.
    expect(proposals(saturatedInputs)).toEqual([
      {
        kind: 'latency',
        from: 2,
        to: 8,
        reason: '100 of 300 requests/s are answered, 400 are in flight or wait; 8 needed at 80 % of 50/s each',
      },
    ]);
  });

  test('a long backlog asks for more than arrivals do', () => {
    expect(proposals({ ...saturatedInputs, load: 1110 })).toMatchObject([{ to: 9 }]);
  });

  test('but not for many more: with a long start it is long, and soon gone', () => {
    expect(proposals({ ...saturatedInputs, load: 5000 })).toMatchObject([{ to: 9 }]);
  });

  test('where it is known of few answers what one does, for more than where it is of many', () => {
    const long = { ...saturatedInputs, load: 5000 };
    expect(proposals({ ...long, capacityAnswers: 100 })).toMatchObject([{ to: 11 }]);
    expect(proposals({ ...long, capacityAnswers: 1_000_000 })).toMatchObject([{ to: 9 }]);
  });

  test('the backlog counts as it will be when the replicas are there', () => {
    expect(proposals({ ...saturatedInputs, load: 10, startMs: 5500 })).toMatchObject([{ to: 9 }]);
  });

  test('what is usually in flight is no backlog', () => {
    expect(proposals({ ...saturatedInputs, load: 3010, calmLoad: 3010 })).toMatchObject([{ to: 8 }]);
  });

  test('eight times as many at most', () => {
    expect(proposals({ ...saturatedInputs, arrivalsPerSecond: 3000, max: 100 })).toMatchObject([{ to: 16 }]);
  });

  test('one more at least', () => {
    expect(proposals({ ...saturatedInputs, capacityPerSecond: 1000 })).toMatchObject([{ to: 3 }]);
  });

  test.each<[string, ScaleInputs]>([
    ['no increase has proved that replicas help', { ...saturatedInputs, helps: 0 }],
    ['it is not known what a replica can do', without(saturatedInputs, 'capacityPerSecond')],
  ])('one more where %s', (_where, inputs) => {
    expect(proposals(inputs)).toEqual([
      {
        kind: 'latency',
        from: 2,
        to: 3,
        reason: '100 of 300 requests/s are answered, 400 are in flight or wait',
      },
    ]);
  });

  test('where requests are turned away, that is the reason', () => {
    const shedding = { ...saturatedInputs, shedPerSecond: 200, shedShare: 2 / 3 };
    expect(proposals(shedding)[0]).toMatchObject({
      kind: 'shed',
      from: 2,
      to: 8,
      reason: '200 of 300 requests/s are turned away; 8 needed at 80 % of 50/s each',
    });
    expect(proposals({ ...shedding, shedShare: 0.05 })[0]).toMatchObject({ kind: 'latency' });
    expect(proposals({ ...shedding, saturatedTicks: 0 }).map(({ kind }) => kind)).not.toContain('shed');
  });
});

describe('with a limit on concurrency', () => {
  /** Twenty on ten slots, of which each takes a second. */
  const queued: ScaleInputs = { ...testInputs, concurrency: 5, load: 20, goodPerSecond: 9 };

  test('slots are asked for that what is in flight needs on average, with a reserve', () => {
    expect(proposals(queued)).toEqual([
      {
        kind: 'concurrency',
        from: 2,
        to: 5,
        reason: '20 in flight or waiting on average need 5 with 5 at once each',
      },
    ]);
  });

  test('of few slots on each none is kept in reserve', () => {
    expect(proposals({ ...queued, concurrency: 4 })).toMatchObject([{ to: 5 }]);
    expect(proposals({ ...queued, concurrency: 2 })).toMatchObject([{ to: 10 }]);
  });

  test.each<[string, Change]>([
    ['no limit', { concurrency: 0 }],
    ['nothing queued', { load: 10 }],
    ['a queue that is worked off within the threshold', { goodPerSecond: 10 }],
    ['enough that start already', { starting: 3 }],
  ])('none are asked for with %s', (_with, change) => {
    expect(proposals({ ...queued, ...change })).toEqual([]);
  });
});

describe('arrivals that grow', () => {
  /** Two take twenty each. */
  const growing: ScaleInputs = { ...testInputs, soonPerSecond: 41, eachPerSecond: 20, helps: 1 };

  test('ask for as many as will be needed soon, before these are too few', () => {
    expect(proposals(growing)).toEqual([
      {
        kind: 'growth',
        from: 2,
        to: 3,
        reason: '40 requests/s, soon 41/s, and 2 are too few at 40/s by what is known',
      },
    ]);
    expect(proposals({ ...growing, soonPerSecond: 61 })).toMatchObject([{ to: 4 }]);
    expect(proposals({ ...growing, soonPerSecond: 600 })).toMatchObject([{ to: 4 }]);
  });

  test('ask for one at a time before replicas have proved to help, and for none while two are in doubt', () => {
    const untold = { ...growing, soonPerSecond: 600, helps: 0 };
    expect(proposals(untold)).toMatchObject([{ to: 3 }]);
    expect(proposals({ ...untold, doubtIncreases: 1 })).toMatchObject([{ to: 3 }]);
    expect(proposals({ ...untold, doubtIncreases: 2 })).toEqual([]);
    expect(proposals({ ...growing, doubtIncreases: 2 })).toMatchObject([{ to: 3 }]);
  });

  test('ask for none where these will do, or more have not helped before', () => {
    expect(proposals({ ...growing, soonPerSecond: 40 })).toEqual([]);
    const { eachPerSecond: _, ...unknown } = growing;
    expect(proposals(unknown)).toEqual([]);
  });

  test('keep what there is from going', () => {
    expect(proposals({ ...quietInputs, soonPerSecond: 41 })).toEqual([]);
  });
});

describe('one fewer', () => {
  test('is asked for when the latency was low for the whole window', () => {
    expect(proposals(quietInputs)).toEqual([
      { kind: 'down', from: 2, to: 1, reason: 'p95 100 ms < 600 ms for 300 s, at most 40 requests/s' },
    ]);
  });

  test('is asked for sooner where what there is more than capacity and peak need', () => {
    const known: ScaleInputs = { ...quietInputs, capacityPerSecond: 50, calmMs: 60_000 };
    expect(proposals(known)).toMatchObject([{ kind: 'down', to: 1 }]);
    expect(proposals({ ...known, peakPerSecond: 41 })).toMatchObject([{ kind: 'down', to: 1 }]);
    // As many as an increase would ask for are no surplus: needs differ by a tenth of a replica.
    expect(proposals({ ...known, latePeakPerSecond: 44 })).toMatchObject([{ kind: 'down', to: 1 }]);
    expect(proposals({ ...known, latePeakPerSecond: 45 })).toEqual([]);
    expect(proposals({ ...known, calmMs: 59_999 })).toEqual([]);
  });

  test('is asked for where latency is neither low nor over the threshold for four times as long', () => {
    const bearable: ScaleInputs = { ...quietInputs, calmMs: 0, quantileMs: 900, enoughMs: 1_200_000 };
    expect(proposals(bearable)).toMatchObject([
      { kind: 'down', reason: 'p95 900 ms < 1000 ms for 1200 s, at most 40 requests/s' },
    ]);
    expect(proposals({ ...bearable, enoughMs: 1_199_999 })).toEqual([]);
    expect(proposals({ ...bearable, quantileMs: 1001 })).toEqual([]);
  });

  test('is asked for again at fewer arrivals than those at which so few were too few', () => {
    expect(proposals({ ...quietInputs, failedPerSecond: 45 })).toMatchObject([{ kind: 'down' }]);
    expect(proposals({ ...quietInputs, failedPerSecond: 44 })).toEqual([]);
  });

  test('is not tried where so few cannot do it by what is known of them', () => {
    const known: ScaleInputs = { ...quietInputs, capacityPerSecond: 40, helps: 1 };
    expect(proposals({ ...known, peakPerSecond: 40 })).toMatchObject([{ kind: 'down' }]);
    expect(proposals({ ...known, peakPerSecond: 41 })).toEqual([]);
    expect(proposals({ ...known, peakPerSecond: 41, helps: 0 })).toMatchObject([{ kind: 'down' }]);
  });

  test.each<[string, Change]>([
    ['at min', { min: 2 }],
    ['while one starts', { starting: 1 }],
    ['while a decrease is watched', { trial: 3, trialTo: 2, trialMs: 1000 }],
    ['while the service is saturated', { saturatedTicks: 1, helps: 0, quantileMs: 100 }],
    ['when the latency is not low', { quantileMs: 600 }],
    ['when it was not low for long enough', { calmMs: 299_999 }],
    ['when there is no data of so long', { downCoveredMs: 299_999 }],
  ])('is not asked for %s', (_when, change) => {
    expect(proposals({ ...quietInputs, ...change }).map(({ kind }) => kind)).not.toContain('down');
  });

  test('is not asked for without knowing the latency', () => {
    expect(proposals(without(quietInputs, 'quantileMs'))).toEqual([]);
  });
});

describe("an experiment's end comes first", () => {
  test('an increase that did not help is undone, all of it', () => {
    const four = { ...judgedInputs, ready: 4, trialTo: 4 };
    expect(proposals(four)).toEqual([{ kind: 'undo', from: 4, to: 2, reason: 'no benefit: 40 → 40 answers/s' }]);
  });

  test('what is undone goes back no further than to min, which may have been raised meanwhile', () => {
    expect(proposals({ ...judgedInputs, ready: 4, min: 3 })).toMatchObject([{ kind: 'undo', to: 3 }]);
    expect(proposals({ ...judgedInputs, min: 3 }).map(({ kind }) => kind)).not.toContain('undo');
  });

  test('an increase of which nothing can be told is undone', () => {
    const few = { ...judgedInputs, samples: 3, trialMs: 300_000 };
    expect(proposals(few)).toEqual([{ kind: 'undo', from: 3, to: 2, reason: '3 samples in 300 s: too few to tell' }]);
  });

  test('a decrease that did harm is taken back', () => {
    const harmed = { ...loweredInputs, quantileMs: 950, lateQuantileMs: 950 };
    expect(proposals(harmed)).toEqual([
      { kind: 'restore', from: 1, to: 2, reason: '1 are too few: p95 90 ms → 950 ms' },
    ]);
  });

  test('where as many are there already there is nothing to take back', () => {
    expect(proposals({ ...loweredInputs, quantileMs: 950, lateQuantileMs: 950, starting: 1 })).toEqual([]);
  });
});
