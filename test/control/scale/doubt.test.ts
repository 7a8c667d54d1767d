import { describe, expect, test } from 'vitest';
import { type Doubt, doubtsAfter, judgeDoubt, replicasBeforeDoubt } from '../../../src/control/scale/doubt.ts';
import type { ScaleInputs } from '../../../src/control/scale/scale-inputs.ts';
import { decideScale } from '../../../src/control/scale/scaler.ts';
import { judgeTrial } from '../../../src/control/scale/trial.ts';
import { judgedInputs, slowInputs } from '../support/scale-inputs.ts';

/** Three, of which the last two were added because it was slow at forty requests a second, as it is again. */
const doubted: ScaleInputs = { ...slowInputs, ready: 3, doubtIncreases: 2, doubtFrom: 1, doubtPerSecond: 40 };
const nothing = { verdict: 'wait' };

describe('increases that helped by latency alone', () => {
  test('did not, where two of them leave it as slow at the same load', () => {
    expect(judgeDoubt(doubted)).toEqual({
      verdict: 'no-benefit',
      what: 'p95 1500 ms at 40 requests/s, with 3 as with 1',
    });
    expect(decideScale(doubted)).toMatchObject({ action: 'scale-down', kind: 'undo', from: 3, to: 1 });
  });

  test.each<[string, Partial<ScaleInputs>]>([
    ['it is only one, which may have been too little', { doubtIncreases: 1 }],
    ['more arrives than then', { usualPerSecond: 45 }],
    ['it is not slow', { quantileMs: 900 }],
    ['what was slow is over', { lateQuantileMs: 900 }],
    ['it has been slow for a moment', { overTicks: 2 }],
    ['it is saturated, which shows in its answers', { saturatedTicks: 1 }],
    ['a queue from before is worked off', { goodPerSecond: 50 }],
    ['a replica is starting', { starting: 1 }],
    ['they are gone already', { ready: 1 }],
    ['those before them could not do what comes, by what is known', { helps: 1, capacityPerSecond: 39 }],
  ])('may have, where %s', (_, change) => {
    expect(judgeDoubt({ ...doubted, ...change })).toEqual(nothing);
  });

  test('are one at the most after an increase in vain, unless replicas have proved to do more', () => {
    const one = { ...doubted, doubtIncreases: 1, freezes: 1 };
    expect(judgeDoubt(one)).toMatchObject({ verdict: 'no-benefit' });
    expect(judgeDoubt({ ...one, helps: 1 })).toEqual(nothing);
  });

  test('have helped where it is half as slow as before them; not so where there is one more than may be in doubt', () => {
    const better = { ...doubted, doubtSlowMs: 3000 };
    expect(judgeDoubt(better)).toEqual(nothing);
    expect(judgeDoubt({ ...better, doubtSlowMs: 2999 })).toMatchObject({ verdict: 'no-benefit' });
    expect(judgeDoubt({ ...better, ready: 4, doubtIncreases: 3 })).toMatchObject({ verdict: 'no-benefit' });
    expect(judgeDoubt({ ...better, doubtIncreases: 1, freezes: 1 })).toEqual(nothing);
  });

  test('are counted as long as no more arrives than at the first', () => {
    const [first, ...none] = doubtsAfter([], judgedInputs) as [Doubt];
    expect([first, none]).toEqual([{ from: 2, arrivals: 40, increases: 1, slowMs: 1500, isOfOverload: false }, []]);
    const next = { ...judgedInputs, trialFrom: 3 };
    expect(doubtsAfter([first], next)).toEqual([{ ...first, increases: 2 }]);
    const more = doubtsAfter([first], { ...next, arrivalsPerSecond: 60 });
    expect(more).toEqual([first, { from: 3, arrivals: 60, increases: 1, slowMs: 1500, isOfOverload: false }]);
    // In an overload as well: the next one has been tried there.
    const inOverload = { ...next, beforeSaturated: 1 };
    expect(doubtsAfter([first], inOverload)).toEqual([{ ...first, increases: 2, isOfOverload: true }]);
    expect(doubtsAfter(doubtsAfter([first], inOverload), { ...next, trialFrom: 4 })).toEqual([
      { ...first, increases: 3, isOfOverload: true },
    ]);
    // They are gone again.
    expect(doubtsAfter(more, judgedInputs)).toEqual([{ ...first, increases: 1 }]);
  });

  test('are not judged in the tick in which another one ends: what is undone then would not be held against the next', () => {
    const ending = {
      ...doubted,
      trial: 2,
      trialFrom: 2,
      trialTo: 3,
      trialMs: 60_000,
      trialWarm: 1,
      beforePerSecond: 40,
    };
    const open = { ...ending, eachPerSecond: 10, beforeQuantileMs: 1500, trialGoodMs: 15_000, trialGoodPerSecond: 40 };
    expect(judgeTrial(open)).toMatchObject({ verdict: 'open' });
    expect(decideScale(open)).not.toMatchObject({ kind: 'undo' });
  });

  test('go with the next one that does not help, at the same load', () => {
    const inVain = { ...judgedInputs, doubtIncreases: 1, doubtFrom: 1, doubtPerSecond: 40 };
    expect(replicasBeforeDoubt(inVain)).toBe(1);
    expect(replicasBeforeDoubt({ ...inVain, beforePerSecond: 60 })).toBe(2);
    expect(replicasBeforeDoubt({ ...inVain, helps: 1 })).toBe(2);
    expect(replicasBeforeDoubt(judgedInputs)).toBe(2);
  });
});
