import { millis, percent, rate } from '../../util/format.ts';
import { isSaturated, type ScaleInputs } from './scale-inputs.ts';

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
  | ({ state: 'lowered'; at: number } & Before);

/** The service as it was when the experiment began. */
export interface Before {
  from: number;
  to: number;
  arrivals: number;
  good: number;
  quantileMs: number;
  load: number;
  isSaturated: boolean;
  isForConcurrency: boolean;
}

export const noTrial: Trial = { state: 'none' };

/** Answers before an increase are counted over so many seconds. */
const BEFORE_SECONDS = 3;
/** Counts differ by their square root by chance; so many times that they do not. */
const CHANCE = 2;

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

/** What the experiment under way shows by now; a function of the numbers alone. */
export function judgeTrial(inputs: ScaleInputs): TrialVerdict {
  if (inputs.trial === 0) return { verdict: 'wait' };
  return inputs.trial === 3 ? judgeDecrease(inputs) : judgeIncrease(inputs);
}

function judgeIncrease(inputs: ScaleInputs): TrialVerdict {
  const { ready, starting, trialFrom, arrivalsPerSecond, beforePerSecond, liftAt } = inputs;
  if (ready < trialFrom) return { verdict: 'ended', why: 'a replica ended meanwhile' };
  if (ready + starting <= trialFrom) {
    // Nothing was started: in a dry run, or after failures. It is not asked for again at each tick.
    const { sinceUpMs = Number.POSITIVE_INFINITY, stepUpEveryMs } = inputs;
    return sinceUpMs < stepUpEveryMs ? { verdict: 'wait' } : { verdict: 'ended', why: 'it could not be started' };
  }
  const isDue = inputs.trial === 2 && inputs.trialMs >= inputs.benefitMs;
  const more = isDue ? moreOf(inputs) : undefined;
  if (more !== undefined) return { verdict: 'helped', what: more, isMore: true };
  if (isSaturated(inputs) && arrivalsPerSecond > liftAt * beforePerSecond) {
    const grew = `${rate(beforePerSecond)} → ${rate(arrivalsPerSecond)} requests/s`;
    return { verdict: 'ended', why: `${grew} meanwhile: far more is asked for than at the trial` };
  }
  if (!isDue) return { verdict: 'wait' };
  const what = easeOf(inputs);
  if (what !== undefined) return { verdict: 'helped', what, isMore: false };
  const isTold = inputs.samples >= inputs.minSamples;
  if (!isTold && inputs.trialMs >= inputs.benefitGiveUpMs)
    return { verdict: 'untold', what: `${inputs.samples} samples in ${seconds(inputs.trialMs)} tell nothing` };
  const isOver =
    inputs.trialWarm === 1 && (inputs.samples >= inputs.benefitSamples || inputs.trialMs >= inputs.noBenefitMs);
  if (!isTold || !isOver) return { verdict: 'wait' };
  if (hasEased(inputs)) return { verdict: 'open', what: `fewer requests: ${ratesOf(inputs)}` };
  if (isNeeded(inputs)) return { verdict: 'open', what: `more requests: ${ratesOf(inputs)}` };
  const hasPatience = inputs.trialMs < inputs.benefitPatienceMs;
  // While an old queue is there, requests that came after the increase still wait behind it.
  const isQueued = inputs.calmLoad > 0 && inputs.load > 2 * Math.max(1, inputs.calmLoad);
  const isMoving = isQueued || isGrowing(inputs) || inputs.goodPerSecond > 1.05 * inputs.arrivalsPerSecond;
  // What comes more than before would have made those before slower: latency that stays tells nothing then.
  const isMore = hasMore(inputs);
  if ((isMoving || isMore) && hasPatience) return { verdict: 'wait' };
  if (isQueued && inputs.load < 0.8 * inputs.beforeLoad && inputs.goodPerSecond > inputs.arrivalsPerSecond)
    return {
      verdict: 'open',
      what: `${Math.round(inputs.beforeLoad)} → ${Math.round(inputs.load)} in flight or waiting`,
    };
  if (isMore && !isMoving) return { verdict: 'open', what: `more requests: ${ratesOf(inputs)}` };
  return { verdict: 'no-benefit', what: answersOf(inputs) };
}

/** Whether a saturated service answers more, and how much; undefined where it does not, so far. */
function moreOf(inputs: ScaleInputs): string | undefined {
  const { trialFrom, beforeGoodPerSecond, capacityPerSecond = 0 } = inputs;
  const { benefitShare, benefitLeast, trialGoodPerSecond, trialGoodMs, arrivalsPerSecond } = inputs;
  if (inputs.beforeSaturated === 0 && !isSaturated(inputs)) return undefined;
  const added = addedShare(inputs);
  // Those before may have done no more at that moment than they can.
  const before = Math.max(beforeGoodPerSecond, trialFrom * capacityPerSecond);
  const allowed = Math.max(0, arrivalsPerSecond - before);
  const rise = Math.max(benefitLeast * before, Math.min(benefitShare * added * before, allowed));
  const chance = CHANCE * Math.sqrt(before / BEFORE_SECONDS + trialGoodPerSecond / (trialGoodMs / 1000));
  // Fewer that are turned away are no proof by themselves: who gave up is not turned away any more.
  return trialGoodPerSecond - before >= Math.max(rise, chance) ? answersOf(inputs) : undefined;
}

/** Whether requests are answered sooner, and how much; undefined where they are not, so far. */
function easeOf(inputs: ScaleInputs): string | undefined {
  const { beforeQuantileMs, quantileMs, aboveMs, samples, minSamples } = inputs;
  if (inputs.trialConcurrency === 1) return queueOf(inputs);
  if (quantileMs === undefined || samples < minSamples || !hasAsMany(inputs)) return undefined;
  if (isSaturated(inputs) || isGrowing(inputs)) return undefined;
  if (quantileMs <= aboveMs) return latencyOf(inputs);
  // Requests that came a moment ago cannot have waited for long yet.
  const isTold = inputs.beforeSaturated === 0 && inputs.trialMs >= 2 * beforeQuantileMs;
  return isTold && quantileMs <= (1 - fallOf(inputs)) * beforeQuantileMs ? latencyOf(inputs) : undefined;
}

/** The new replicas have taken what had queued; undefined where as many wait as before. */
function queueOf({ load, beforeLoad, ready, trialFrom, trialTo, concurrency }: ScaleInputs): string | undefined {
  const before = Math.max(0, beforeLoad - trialFrom * concurrency);
  const queued = Math.max(0, load - ready * concurrency);
  const taken = ((trialTo - trialFrom) * concurrency) / 2;
  if (queued > 0 && before - queued < taken) return undefined;
  return `${Math.round(before)} → ${Math.round(queued)} requests wait`;
}

function addedShare({ trialFrom, trialTo }: ScaleInputs): number {
  return (trialTo - trialFrom) / trialFrom;
}

/** The share by which something has to fall. */
function fallOf(inputs: ScaleInputs): number {
  const { benefitShare, benefitLeast } = inputs;
  return Math.max(benefitLeast, Math.min(benefitShare, benefitShare * addedShare(inputs)));
}

/** More requests come than before, and not by chance. */
function hasMore({ arrivalsPerSecond, beforePerSecond, benefitLeast }: ScaleInputs): boolean {
  const chance = CHANCE * Math.sqrt((beforePerSecond + arrivalsPerSecond) / BEFORE_SECONDS);
  return arrivalsPerSecond - beforePerSecond > Math.max(benefitLeast * beforePerSecond, chance);
}

function hasAsMany({ arrivalsPerSecond, beforePerSecond }: ScaleInputs): boolean {
  return arrivalsPerSecond >= 0.9 * beforePerSecond;
}

function isGrowing({ load, loadBefore }: ScaleInputs): boolean {
  return load > 1.1 * loadBefore + 1;
}

/** By what is known of a replica, those before could not carry what comes now. */
function isNeeded({ helps, capacityPerSecond = 0, trialFrom, arrivalsPerSecond, utilisation }: ScaleInputs): boolean {
  return helps === 1 && capacityPerSecond > 0 && arrivalsPerSecond > utilisation * trialFrom * capacityPerSecond;
}

/** The latency is low, but fewer requests come than before: what was added may or may not have to do with it. */
function hasEased({ arrivalsPerSecond, beforePerSecond, quantileMs, aboveMs }: ScaleInputs): boolean {
  return arrivalsPerSecond < 0.9 * beforePerSecond && quantileMs !== undefined && quantileMs <= aboveMs;
}

function judgeDecrease(inputs: ScaleInputs): TrialVerdict {
  const { ready, trialTo, quantileMs, samples, minSamples, aboveMs, downRevertAt, downTrialMs, trialMs } = inputs;
  if (ready < trialTo) return { verdict: 'ended', why: 'a replica ended meanwhile' };
  if (isSaturated(inputs)) return { verdict: 'harmed', what: answersOf(inputs) };
  if (quantileMs !== undefined && samples >= minSamples && quantileMs > downRevertAt * aboveMs)
    return { verdict: 'harmed', what: latencyOf(inputs) };
  if (trialMs < downTrialMs) return { verdict: 'wait' };
  return { verdict: 'held', what: latencyOf(inputs) };
}

function answersOf({ beforeGoodPerSecond, trialGoodPerSecond }: ScaleInputs): string {
  return `${rate(beforeGoodPerSecond)} → ${rate(trialGoodPerSecond)} answers/s`;
}

function ratesOf({ beforePerSecond, arrivalsPerSecond }: ScaleInputs): string {
  return `${rate(beforePerSecond)} → ${rate(arrivalsPerSecond)} requests/s`;
}

function latencyOf({ quantile, beforeQuantileMs, quantileMs }: ScaleInputs): string {
  const now = quantileMs === undefined ? 'no samples' : millis(quantileMs);
  return `p${percent(quantile)} ${millis(beforeQuantileMs)} → ${now}`;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
