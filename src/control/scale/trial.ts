import { judgeDoubt } from './doubt.ts';
import { judgeIncrease } from './increase.ts';
import { eachCanDo, isDraining, isSaturated, type ScaleInputs } from './scale-inputs.ts';
import { answersOf, latencyOf, type TrialVerdict } from './trial-verdict.ts';

/**
 * Every change that the scaler makes is an experiment, one at a time: an increase has to show that it helps, a decrease
 * that it does no harm. Plain data; times are the clock's ms.
 */
export type Trial =
  | { state: 'none' }
  /** An increase whose replicas are not ready yet. */
  | ({ state: 'starting' } & Before)
  /** They are ready, and have to help. */
  | ({ state: 'judging'; readyAt: number } & Before)
  /** A decrease that is watched: nothing is lost as long as it can be revoked. */
  | ({ state: 'lowered'; at: number } & Before)
  /** One that did harm, and cannot be taken back yet: it stays asked for. */
  | ({ state: 'harmed'; at: number } & Before);

/** The service as it was when the experiment began. */
export interface Before {
  from: number;
  to: number;
  /**
   * Per second, and no fewer than were usual: a moment in which clients stood still is no measure; nor, in an overload, than
   * in the last two seconds, as of three the first may have been before it.
   */
  arrivals: number;
  /** … over the window of the latency. */
  usual: number;
  good: number;
  /** How many times as much as by chance that differed, as a variance. */
  bursts: number;
  quantileMs: number;
  load: number;
  isSaturated: boolean;
  isForConcurrency: boolean;
}

export const noTrial: Trial = { state: 'none' };

/** What the experiment under way shows by now; a function of the numbers alone. */
export function judgeTrial(inputs: ScaleInputs): TrialVerdict {
  if (inputs.trial === 0) return judgeDoubt(inputs);
  if (inputs.trial === 4) return judgeHarm(inputs);
  return inputs.trial === 3 ? judgeDecrease(inputs) : judgeIncrease(inputs);
}

/** A moment in which so few are enough does not end it: only being calm for as long as a decrease is watched does. */
function judgeHarm(inputs: ScaleInputs): TrialVerdict {
  const { ready, starting, trialFrom, trialTo, calmMs, downTrialMs } = inputs;
  if (ready < trialTo) return { verdict: 'ended', why: 'a replica ended meanwhile' };
  if (ready + starting >= trialFrom) return { verdict: 'ended', why: `there are ${ready + starting} again` };
  if (calmMs >= downTrialMs) return { verdict: 'held', what: latencyOf(inputs) };
  return { verdict: 'harmed', what: isSaturated(inputs) ? answersOf(inputs) : latencyOf(inputs) };
}

function judgeDecrease(inputs: ScaleInputs): TrialVerdict {
  const { ready, trialTo, downTrialMs, trialMs } = inputs;
  if (ready < trialTo) return { verdict: 'ended', why: 'a replica ended meanwhile' };
  if (isSaturated(inputs)) return { verdict: 'harmed', what: answersOf(inputs) };
  if (isSlower(inputs)) return { verdict: 'harmed', what: latencyOf(inputs) };
  if (trialMs < downTrialMs) return { verdict: 'wait' };
  return { verdict: 'held', what: latencyOf(inputs) };
}

/** So many times as slow as before a decrease is chance. */
const SLOWER = 1.1;

/** With so much of what they can do a queue that has come does not go again. */
const NEARLY_SHORT = 0.95;

/** The latency is no longer low, and what is slow is not over by itself. */
function isSlower(inputs: ScaleInputs): boolean {
  const { quantileMs, lateQuantileMs = Number.POSITIVE_INFINITY, samples, minSamples } = inputs;
  const { aboveMs, downRevertAt, downBelow } = inputs;
  if (quantileMs === undefined || samples < minSamples || isDraining(inputs)) return false;
  const most = NEARLY_SHORT * inputs.ready * (eachCanDo(inputs) ?? Number.POSITIVE_INFINITY);
  const share = inputs.usualPerSecond > most ? downBelow : downRevertAt;
  // What was slow before, but not too slow, may stay so.
  const limitMs = Math.max(share * aboveMs, Math.min(aboveMs, SLOWER * inputs.beforeQuantileMs));
  return Math.min(quantileMs, lateQuantileMs) > limitMs;
}
