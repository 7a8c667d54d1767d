import { counted } from '../../util/format.ts';
import { isCollapsed, isGrowing, isSaturated, lastingArrivals, type ScaleInputs } from './scale-inputs.ts';
import { answersOf, latencyOf, ratesOf, type TrialVerdict } from './trial-verdict.ts';

/** Where an increase stands. It goes from one to a later one, but for `broken`, which ends it from anywhere. */
type Stage =
  /** A replica that was there before it has ended. */
  | 'broken'
  /** Nothing was started: in a dry run, or after failures. */
  | 'unstarted'
  /** Its replicas are not ready yet. */
  | 'starting'
  /** They are, a moment ago. */
  | 'settling'
  /** It may have shown that it helps; it has had too little time, or too few requests, to show that it does not. */
  | 'hopeful'
  /** It must have helped by now, unless the service is still moving. */
  | 'due'
  /** It must have helped by now. */
  | 'overdue';

/** Looks for one thing; undefined where it does not find it. */
type Finding = (inputs: ScaleInputs) => TrialVerdict | undefined;

/** What is looked for at each stage, in this order. The first that is found ends the experiment. */
const findings: Record<Stage, readonly Finding[]> = {
  broken: [lostReplica],
  unstarted: [neverStarted],
  starting: [overtaken],
  settling: [overtaken],
  hopeful: [answersMore, overtaken, answersSooner, tellsNothing],
  due: [answersMore, overtaken, answersSooner, fewerCome, isNeeded, stillMoves, slowIsOver, noBenefit],
  overdue: [answersMore, overtaken, answersSooner, fewerCome, isNeeded, queueShrinks, moreCome, noBenefit],
};

/** What an increase has shown by now; a function of the numbers alone. */
export function judgeIncrease(inputs: ScaleInputs): TrialVerdict {
  for (const find of findings[stageOf(inputs)]) {
    const verdict = find(inputs);
    if (verdict !== undefined) return verdict;
  }
  return { verdict: 'wait' };
}

function stageOf(inputs: ScaleInputs): Stage {
  const { ready, starting, trial, trialFrom, trialMs, samples } = inputs;
  if (ready < trialFrom) return 'broken';
  if (ready + starting <= trialFrom) return 'unstarted';
  if (trial === 1) return 'starting';
  if (trialMs < inputs.benefitMs) return 'settling';
  const isTold = samples >= inputs.minSamples;
  const isDue = inputs.trialWarm === 1 && (samples >= inputs.benefitSamples || trialMs >= inputs.noBenefitMs);
  if (!isTold || !isDue) return 'hopeful';
  return trialMs < inputs.benefitPatienceMs ? 'due' : 'overdue';
}

// ── what ends it without a judgement ──────────────────────────────────────────────────────────────────────────────

function lostReplica(): TrialVerdict {
  return { verdict: 'ended', why: 'a replica ended meanwhile' };
}

/** It is not asked for again at each tick. */
function neverStarted({ sinceUpMs = Number.POSITIVE_INFINITY, stepUpEveryMs }: ScaleInputs): TrialVerdict | undefined {
  return sinceUpMs < stepUpEveryMs ? undefined : { verdict: 'ended', why: 'it could not be started' };
}

function overtaken(inputs: ScaleInputs): TrialVerdict | undefined {
  if (!isSaturated(inputs) || lastingArrivals(inputs) <= inputs.liftAt * inputs.beforePerSecond) return undefined;
  return { verdict: 'open', what: `${ratesOf(inputs)} meanwhile, far more than at the trial` };
}

function tellsNothing({ samples, minSamples, trialMs, benefitGiveUpMs }: ScaleInputs): TrialVerdict | undefined {
  if (samples >= minSamples || trialMs < benefitGiveUpMs) return undefined;
  return {
    verdict: 'untold',
    what: `${counted(samples, 'sample')} in ${Math.round(trialMs / 1000)} s: too few to tell`,
  };
}

// ── that it helped ────────────────────────────────────────────────────────────────────────────────────────────────

/** Answers before an increase are counted over so many seconds. */
const BEFORE_SECONDS = 3;
/** Counts differ by their square root by chance; so many times that they do not. */
const CHANCE = 2;
/** The same of the first second alone. */
const CHANCE_AT_ONCE = 3;
/** Beyond it there is more than one report, ms. */
const AT_ONCE_MS = 1500;

/** A saturated service answers more. */
function answersMore(inputs: ScaleInputs): TrialVerdict | undefined {
  const { trialFrom, beforeGoodPerSecond, capacityPerSecond = 0, doneEachPerSecond = 0 } = inputs;
  const { benefitShare, benefitLeast, trialGoodPerSecond, trialGoodMs, arrivalsPerSecond, beforeBursts = 1 } = inputs;
  if (inputs.beforeSaturated === 0 && !isSaturated(inputs)) return undefined;
  // Those before may have done no more at that moment than they can, and in a collapse nothing at all.
  const wasCollapsed = isCollapsed(beforeGoodPerSecond, inputs.beforePerSecond);
  const each = Math.max(capacityPerSecond, wasCollapsed ? doneEachPerSecond : 0);
  const before = Math.max(beforeGoodPerSecond, trialFrom * each);
  const allowed = Math.max(0, arrivalsPerSecond - before);
  const rise = Math.max(benefitLeast * before, Math.min(benefitShare * addedShare(inputs) * before, allowed));
  const times = trialGoodMs < AT_ONCE_MS ? CHANCE_AT_ONCE : CHANCE;
  const variance = beforeBursts * (before / BEFORE_SECONDS + trialGoodPerSecond / (trialGoodMs / 1000));
  const chance = times * Math.sqrt(variance);
  // Fewer that are turned away are no proof by themselves: who gave up is not turned away any more.
  if (trialGoodPerSecond <= before || trialGoodPerSecond - before < Math.max(rise, chance)) return undefined;
  return { verdict: 'helped', what: answersOf(inputs), isMore: true };
}

/** Requests are answered sooner, while as many come. */
function answersSooner(inputs: ScaleInputs): TrialVerdict | undefined {
  if (inputs.trialConcurrency === 1) return queueTaken(inputs);
  const { beforeQuantileMs, quantileMs, aboveMs, samples, minSamples } = inputs;
  if (quantileMs === undefined || samples < minSamples || !comeAsMany(inputs)) return undefined;
  if (isSaturated(inputs) || isGrowing(inputs)) return undefined;
  // Requests that came a moment ago cannot have waited for long yet.
  const isTold = inputs.beforeSaturated === 0 && inputs.trialMs >= 2 * beforeQuantileMs;
  const hasFallen = isTold && quantileMs <= (1 - fallOf(inputs)) * beforeQuantileMs;
  if (quantileMs > aboveMs && !hasFallen) return undefined;
  return { verdict: 'helped', what: latencyOf(inputs), isMore: false };
}

/** The new replicas have taken what had queued for slots. */
function queueTaken(inputs: ScaleInputs): TrialVerdict | undefined {
  const { load, beforeLoad, ready, trialFrom, trialTo, concurrency } = inputs;
  const before = Math.max(0, beforeLoad - trialFrom * concurrency);
  const queued = Math.max(0, load - ready * concurrency);
  const taken = ((trialTo - trialFrom) * concurrency) / 2;
  if (queued > 0 && before - queued < taken) return undefined;
  return {
    verdict: 'helped',
    what: `${Math.round(before)} → ${Math.round(queued)} requests wait`,
    isMore: false,
  };
}

function addedShare({ trialFrom, trialTo }: ScaleInputs): number {
  return (trialTo - trialFrom) / trialFrom;
}

/** The share by which the latency has to fall. */
function fallOf(inputs: ScaleInputs): number {
  const { benefitShare, benefitLeast, quantile, samples } = inputs;
  // By so much the quantile of a few samples differs by chance.
  const chance = (CHANCE / 2) * Math.sqrt(quantile / ((1 - quantile) * Math.max(1, samples)));
  return Math.max(benefitLeast, chance, Math.min(benefitShare, benefitShare * addedShare(inputs)));
}

function comeAsMany({ arrivalsPerSecond, beforePerSecond }: ScaleInputs): boolean {
  return arrivalsPerSecond >= 0.9 * beforePerSecond;
}

// ── that nothing can be told ──────────────────────────────────────────────────────────────────────────────────────

/** The latency is low, but fewer requests come than before: what was added may or may not have to do with it. */
function fewerCome(inputs: ScaleInputs): TrialVerdict | undefined {
  const { quantileMs, aboveMs } = inputs;
  if (comeAsMany(inputs) || quantileMs === undefined || quantileMs > aboveMs) return undefined;
  return { verdict: 'open', what: `fewer requests: ${ratesOf(inputs)}` };
}

/**
 * By what is known of replicas, those before could not carry what comes now. In an overload that counts only where replicas
 * have proved to help: what is known may be that so few were slow once, and more of them would answer more.
 */
function isNeeded(inputs: ScaleInputs): TrialVerdict | undefined {
  if (inputs.helps === 0 && (isSaturated(inputs) || isQueued(inputs))) return undefined;
  const { eachPerSecond, trialFrom, arrivalsPerSecond, utilisation } = inputs;
  if (eachPerSecond === undefined || arrivalsPerSecond <= utilisation * trialFrom * eachPerSecond) return undefined;
  return { verdict: 'open', what: `more requests: ${ratesOf(inputs)}` };
}

/** Before a backlog is gone, or while more and more is in flight or comes, there is no verdict. */
function stillMoves(inputs: ScaleInputs): TrialVerdict | undefined {
  return isMoving(inputs) || comeMore(inputs) ? { verdict: 'wait' } : undefined;
}

/** What was slow has been quick for a few seconds, which the whole window will show soon. */
function slowIsOver({ lateQuantileMs, aboveMs }: ScaleInputs): TrialVerdict | undefined {
  return lateQuantileMs !== undefined && lateQuantileMs <= aboveMs ? { verdict: 'wait' } : undefined;
}

/** An old queue is being worked off, which takes long. */
function queueShrinks(inputs: ScaleInputs): TrialVerdict | undefined {
  const { load, beforeLoad, goodPerSecond, arrivalsPerSecond } = inputs;
  if (!isQueued(inputs) || load >= 0.8 * beforeLoad || goodPerSecond <= arrivalsPerSecond) return undefined;
  return { verdict: 'open', what: `${Math.round(beforeLoad)} → ${Math.round(load)} in flight or waiting` };
}

/** What comes more than before would have made those before slower: latency that stays tells nothing then. */
function moreCome(inputs: ScaleInputs): TrialVerdict | undefined {
  if (!comeMore(inputs) || isMoving(inputs)) return undefined;
  return { verdict: 'open', what: `more requests: ${ratesOf(inputs)}` };
}

function isMoving(inputs: ScaleInputs): boolean {
  return isQueued(inputs) || isGrowing(inputs) || inputs.goodPerSecond > 1.05 * inputs.arrivalsPerSecond;
}

/**
 * While an old queue is there, requests that came after the increase still wait behind it. Of a service that was never
 * calm it is not known how much is in flight without one: then it is what was there before, if that was an overload.
 */
function isQueued({ load, calmLoad, beforeSaturated, beforeLoad }: ScaleInputs): boolean {
  return calmLoad > 0 ? load > 2 * Math.max(1, calmLoad) : beforeSaturated === 1 && load > beforeLoad;
}

/** More requests come than before, and not by chance. */
function comeMore({ arrivalsPerSecond, beforePerSecond, benefitLeast }: ScaleInputs): boolean {
  const chance = CHANCE * Math.sqrt((beforePerSecond + arrivalsPerSecond) / BEFORE_SECONDS);
  return arrivalsPerSecond - beforePerSecond > Math.max(benefitLeast * beforePerSecond, chance);
}

// ── that it did not help ──────────────────────────────────────────────────────────────────────────────────────────

function noBenefit(inputs: ScaleInputs): TrialVerdict {
  return { verdict: 'no-benefit', what: answersOf(inputs) };
}
