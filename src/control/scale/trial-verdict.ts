import { millis, percent, rate } from '../../util/format.ts';
import type { ScaleInputs } from './scale-inputs.ts';

/** What an experiment has shown; `what` and `why` are one line with the numbers. */
export type TrialVerdict =
  | { verdict: 'wait' }
  /** It says nothing: something else changed meanwhile. */
  | { verdict: 'ended'; why: string }
  /** `isMore`: more was answered: that is what replicas are for, and tells what one can do. */
  | { verdict: 'helped'; what: string; isMore: boolean }
  /** No more can be told of it, and nobody is the worse for it: what was added stays until a decrease takes it. */
  | { verdict: 'open'; what: string }
  | { verdict: 'no-benefit'; what: string }
  /** Too few requests to tell: undone, but no reason not to try again. */
  | { verdict: 'untold'; what: string }
  /** A decrease did no harm. */
  | { verdict: 'held'; what: string }
  /** It did. */
  | { verdict: 'harmed'; what: string };

/** Answers before and since. */
export function answersOf({ beforeGoodPerSecond, trialGoodPerSecond }: ScaleInputs): string {
  return `${rate(beforeGoodPerSecond)} → ${rate(trialGoodPerSecond)} answers/s`;
}

/** Arrivals before and now. */
export function ratesOf({ beforePerSecond, arrivalsPerSecond }: ScaleInputs): string {
  return `${rate(beforePerSecond)} → ${rate(arrivalsPerSecond)} requests/s`;
}

/** Latency before and now. */
export function latencyOf({ quantile, beforeQuantileMs, quantileMs }: ScaleInputs): string {
  const now = quantileMs === undefined ? 'no samples' : millis(quantileMs);
  return `p${percent(quantile)} ${millis(beforeQuantileMs)} → ${now}`;
}
