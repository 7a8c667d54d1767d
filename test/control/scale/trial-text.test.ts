import { expect, test } from 'vitest';
import type { ScaleOutcome } from '../../../src/control/scale/scaler.ts';
import { isTrial, trialText } from '../../../src/control/scale/trial-text.ts';
import type { TrialVerdict } from '../../../src/control/scale/trial-verdict.ts';

const outcome = (kind: ScaleOutcome['kind'], action: ScaleOutcome['action'] = 'none'): ScaleOutcome => ({
  action,
  kind,
  from: 2,
  to: 3,
  reason: '',
  verdicts: [],
});
const nothing = outcome(undefined);
const undone = outcome('undo', 'scale-down');
const restored = outcome('restore', 'scale-up');

test.each<[TrialVerdict, ScaleOutcome, string]>([
  [{ verdict: 'helped', what: 'p95 1500 ms → 90 ms', isMore: false }, nothing, 'helped: p95 1500 ms → 90 ms'],
  [{ verdict: 'ended', why: 'a replica ended meanwhile' }, nothing, 'not judged: a replica ended meanwhile'],
  [
    { verdict: 'open', what: 'fewer requests: 40 → 10 requests/s' },
    nothing,
    'kept: fewer requests: 40 → 10 requests/s',
  ],
  [
    { verdict: 'untold', what: '3 samples in 300 s: too few to tell' },
    undone,
    'undone: 3 samples in 300 s: too few to tell',
  ],
  [{ verdict: 'held', what: 'p95 90 ms → 100 ms' }, nothing, 'held: p95 90 ms → 100 ms'],
  [{ verdict: 'harmed', what: 'p95 90 ms → 950 ms' }, restored, 'revoked: p95 90 ms → 950 ms'],
  [
    { verdict: 'no-benefit', what: '100 → 101 answers/s' },
    undone,
    'no benefit: 100 → 101 answers/s; undone, no increase for 2m',
  ],
  [
    { verdict: 'no-benefit', what: '100 → 101 answers/s' },
    nothing,
    'no benefit: 100 → 101 answers/s; no increase for 2m',
  ],
])('what came of an experiment reads as one line: %j', (verdict, decided, text) => {
  expect(trialText(verdict, decided, 119_999)).toBe(text);
});

test('while it goes on there is nothing to tell', () => {
  expect(trialText({ verdict: 'wait' }, nothing, 0)).toBeUndefined();
});

test('what is to be undone or restored, and is not yet, is no end', () => {
  expect(trialText({ verdict: 'no-benefit', what: '' }, outcome('undo'), 0)).toBeUndefined();
  expect(trialText({ verdict: 'harmed', what: '' }, outcome('restore'), 0)).toBeUndefined();
});

test('every change is an experiment but the end of one', () => {
  const isOne = (['latency', 'shed', 'concurrency', 'down', 'undo', 'restore', undefined] as const).map((kind) =>
    isTrial(outcome(kind)),
  );
  expect(isOne).toEqual([true, true, true, true, false, false, false]);
});
