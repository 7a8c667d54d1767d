import { millis, percent, rate } from '../../util/format.ts';
import { capacityOf, eachCanDo, isCollapsed, isDraining, isSaturated, type ScaleInputs } from './scale-inputs.ts';
import type { TrialVerdict } from './trial-verdict.ts';

/**
 * Increases after which latency was lower, and nothing else: what was added because it was high falls by itself, too. So
 * they stay in doubt as long as no more arrives than at the first of them. Plain data.
 */
export interface Doubt {
  /** Replicas before the first of them. */
  from: number;
  /** Arrivals per second at which it helped. */
  arrivals: number;
  /** How many there were. */
  increases: number;
  /** The latency before the first of them, ms. */
  slowMs: number;
  /** One of them was made in an overload. */
  isOfOverload: boolean;
}

/** Rates that differ by less are the same load. */
const SAME_LOAD = 0.1;
/** Two are in doubt at the most: with one more the first may have been too little. After a freeze there is one. */
const MOST_INCREASES = 2;

/**
 * What is in doubt after an increase that is kept for its latency alone: by load, of each the first replicas fewer than of
 * the next.
 */
export function doubtsAfter(doubts: readonly Doubt[], inputs: ScaleInputs): readonly Doubt[] {
  const { trialFrom, beforePerSecond, arrivalsPerSecond, beforeQuantileMs: slowMs } = inputs;
  const arrivals = Math.max(beforePerSecond, arrivalsPerSecond);
  const isOfOverload = inputs.beforeSaturated === 1;
  const there = doubts.filter(({ from }) => from < trialFrom);
  const last = there.at(-1);
  if (last !== undefined && isSameLoad(arrivals, last.arrivals))
    return [
      ...there.slice(0, -1),
      { ...last, increases: last.increases + 1, isOfOverload: last.isOfOverload || isOfOverload },
    ];
  return [...there, { from: trialFrom, arrivals, increases: 1, slowMs, isOfOverload }];
}

/** A service that is slow again, though no more arrives than when so many increases had helped: they had not. */
export function judgeDoubt(inputs: ScaleInputs): TrialVerdict {
  const { doubtFrom, doubtPerSecond, doubtIncreases, starting, samples, minSamples, usualPerSecond } = inputs;
  const { quantileMs = 0, lateQuantileMs = quantileMs, aboveMs, overTicks, ticks, quantile, doubtSlowMs } = inputs;
  const isDoubted = doubtIncreases > 0 && starting === 0 && capacityOf(inputs) > doubtFrom;
  if (!isDoubted || doubtIncreases < mostIncreases(inputs) || isSaturated(inputs)) return { verdict: 'wait' };
  // What is slow are requests of a queue that ends soon; or it is far less slow than without them, for as long as what had
  // piled up then may be the reason.
  const isBetter =
    doubtIncreases === mostIncreases(inputs) &&
    quantileMs <= inputs.benefitShare * (doubtSlowMs ?? 0) &&
    (inputs.sinceChangeMs ?? 0) < inputs.benefitPatienceMs;
  // By what each is known to do, those before them could not carry what comes now.
  const wereTooFew = usualPerSecond > doubtFrom * (eachCanDo(inputs) ?? Number.POSITIVE_INFINITY);
  if (isDraining(inputs) || isBetter || wereTooFew) return { verdict: 'wait' };
  const isSlow = samples >= minSamples && quantileMs > aboveMs && lateQuantileMs > aboveMs && overTicks >= ticks;
  if (!isSlow || !isSameLoad(usualPerSecond, doubtPerSecond)) return { verdict: 'wait' };
  const slow = `p${percent(quantile)} ${millis(quantileMs)} at ${rate(usualPerSecond)} requests/s`;
  return { verdict: 'no-benefit', what: `${slow}, with ${capacityOf(inputs)} as with ${doubtFrom}` };
}

/** Where an increase without benefit leads back to: those in doubt before it, at the same load, did not help either. */
export function replicasBeforeDoubt(inputs: ScaleInputs): number {
  const { trial, trialFrom, doubtIncreases, doubtFrom, doubtPerSecond, helps, beforePerSecond } = inputs;
  const { asGoodBefore, trialGoodPerSecond, arrivalsPerSecond } = inputs;
  if (trial === 0) return doubtFrom;
  const isDoubted = doubtIncreases > 0 && helps === 0 && isSameLoad(beforePerSecond, doubtPerSecond);
  const before = isDoubted ? Math.min(doubtFrom, trialFrom) : trialFrom;
  // Where there is more to do than can be begun it is seen which of those before it did no more either.
  const isBusy = isSaturated(inputs) || inputs.load * 1000 > trialGoodPerSecond * inputs.aboveMs;
  const isTold = isBusy && !isCollapsed(trialGoodPerSecond, arrivalsPerSecond);
  return isTold ? Math.min(before, asGoodBefore) : before;
}

function mostIncreases({ freezes, helps }: ScaleInputs): number {
  return freezes > 0 && helps === 0 ? 1 : MOST_INCREASES;
}

function isSameLoad(arrivals: number, before: number): boolean {
  return arrivals <= (1 + SAME_LOAD) * before;
}
