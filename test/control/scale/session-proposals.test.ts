import { describe, expect, test } from 'vitest';
import { proposals } from '../../../src/control/scale/proposals.ts';
import type { ScaleInputs } from '../../../src/control/scale/scale-inputs.ts';
import { decideScale } from '../../../src/control/scale/scaler.ts';
import { slowInputs, testInputs } from '../support/scale-inputs.ts';

/** A service of TCP with two replicas of ten sessions each. */
function inputs(change: Partial<ScaleInputs> = {}): ScaleInputs {
  const load = change.load ?? 15;
  return { ...testInputs, sessions: 1, concurrency: 10, ready: 2, starting: 0, load, peakLoad: load, ...change };
}

describe('a service of TCP', () => {
  test('stays as it is while its sessions have room', () => {
    expect(proposals(inputs())).toEqual([]);
    expect(proposals(inputs({ load: 20 }))).toEqual([]);
  });

  test('asks for as many as its sessions need, when some wait for a slot', () => {
    expect(proposals(inputs({ load: 25 }))).toEqual([
      { kind: 'concurrency', from: 2, to: 4, reason: '25 sessions on average need 4 with 10 at once each' },
    ]);
    expect(proposals(inputs({ load: 25, starting: 2 }))).toEqual([]);
    expect(decideScale(inputs({ load: 25, max: 8 }))).toMatchObject({ action: 'scale-up', to: 4 });
    expect(decideScale(inputs({ load: 25, max: 3 }))).toMatchObject({ action: 'scale-up', to: 3 });
  });

  test('gives one up when the most of a whole window had room on fewer', () => {
    const covered = testInputs.downWindowMs;
    const calm = { load: 2, peakLoad: 6, downCoveredMs: covered };
    expect(proposals(inputs(calm))).toEqual([
      { kind: 'down', from: 2, to: 1, reason: 'at most 6 sessions in 300 s need 1 with 10 at once each' },
    ]);
    expect(proposals(inputs({ ...calm, downCoveredMs: covered - 1 }))).toEqual([]);
    expect(proposals(inputs({ ...calm, peakLoad: 9 }))).toEqual([]);
    expect(proposals(inputs({ ...calm, min: 2 }))).toEqual([]);
    expect(proposals(inputs({ ...calm, starting: 1 }))).toEqual([]);
    expect(decideScale(inputs({ ...calm, samples: 0, sinceChangeMs: 120_000 }))).toMatchObject({
      action: 'scale-down',
      to: 1,
    });
  });

  test('asks for nothing without a limit, and never because of latency', () => {
    expect(proposals(inputs({ concurrency: 0, load: 1000, downCoveredMs: 1e9 }))).toEqual([]);
    expect(proposals({ ...slowInputs, ...inputs({ quantileMs: 60_000, samples: 100, overTicks: 10 }) })).toEqual([]);
  });

  test('is judged by no experiment', () => {
    expect(
      proposals(inputs({ load: 45, trial: 2, trialFrom: 1, trialTo: 2, trialMs: 1e9, trialWarm: 1 })),
    ).toMatchObject([{ kind: 'concurrency', to: 6 }]);
  });
});
