import type { GuardVerdict } from '../../model/decision.ts';
import type { GuardSettings, ScaleSettings } from '../../model/settings.ts';
import { type BucketRate, fullBucket, type TokenBucket, takeToken, tokensAt } from '../../util/token-bucket.ts';
import type { MemoryFacts } from '../start/memory-budget.ts';
import type { BudgetFacts } from '../start/replica-budget.ts';
import { type Answered, burstsIn, fewestThatAnswered, type Overload } from './answered.ts';
import { type Doubt, doubtsAfter, replicasBeforeDoubt } from './doubt.ts';
import {
  carriersOf,
  type Evidence,
  eachTakes,
  faded,
  failedAt,
  noEvidence,
  type Seen,
  withCapacity,
  withFailed,
} from './evidence.ts';
import { forecast, type Trend } from './forecast.ts';
import { type Frozen, notFrozen } from './frozen.ts';
import { judge } from './guards.ts';
import { proposals } from './proposals.ts';
import type { SaturationSigns } from './saturation.ts';
import { capacityOf, eachCanDo, isSaturated, type ProposalKind, type ScaleInputs } from './scale-inputs.ts';
import { type Before, judgeTrial, noTrial, type Trial } from './trial.ts';
import { trialInputs } from './trial-inputs.ts';
import type { TrialVerdict } from './trial-verdict.ts';

/** Loads and answers are averaged over this long, ms: two reports. */
export const LATELY_MS = 2000;

/** Reports come, and decisions are made, so often, ms. */
export const TICK_MS = 1000;

/** What was measured for one decision. Replica counts include endpoints that others run; rates are per second. */
export interface ScaleSample {
  frozen: boolean;
  ready: number;
  starting: number;
  /** All replicas are past their warm-up. */
  isWarm: boolean;
  /** So many have been ready for all of the last seconds. */
  isSteady: boolean;
  min: number;
  max: number;
  budgetLeft: number;
  budgetFacts: BudgetFacts & MemoryFacts;
  startsAllowed: number;
  /** The threshold in force, and the quantile at low load where it was learnt from that. */
  aboveMs: number;
  lowLoadMs: number | undefined;
  samples: number;
  quantileMs: number | undefined;
  windowMs: number;
  lateQuantileMs: number | undefined;
  /** Over `saturatedMs`. */
  arrivals: number;
  dueArrivals: number;
  /** Over the window of the latency. */
  usualArrivals: number;
  usualAnswers: number;
  /** Undefined while there is no data of so long. */
  trend: Trend | undefined;
  shed: number;
  /** Over the window of the latency: of some, too many fail now and then by chance. */
  errors: number;
  /** Answers of any kind but what was turned away. */
  answers: number;
  /** Good answers over 2 s, or since the number of replicas changed. */
  goodLately: number;
  /** Arrivals over the same time. */
  arrivalsLately: number;
  /** … since the number of replicas last changed, and over how long that is, ms. */
  goodSince: number;
  goodSinceMs: number;
  load: number;
  /** The most within `downWindowMs`, of a service of TCP; undefined for others. */
  peakLoad?: number | undefined;
  loadBefore: number;
  /** The signs of saturation over the window of the latency, as far as there is data of it. */
  longer: Pick<SaturationSigns, 'overMs' | 'arrivals' | 'dueArrivals' | 'answers' | 'loadBefore'>;
  oldestMs: number;
  /** What an answer usually takes; undefined while that is not known. */
  usualMs: number | undefined;
  /** Requests that wait for a slot. */
  queued: number;
  downCoveredMs: number;
  /** Peak of arrivals over the window of a decrease, and over that of a surplus. */
  peak: number;
  latePeak: number;
}

/** What the scaler remembers of one service. Plain data; times are the clock's ms. */
export interface ScalerState {
  evidence: Evidence;
  trial: Trial;
  overTicks: number;
  saturatedTicks: number;
  /** Ticks in a row with replicas that have more to do than they can begin, this one included. */
  busyTicks: number;
  /** Since when latency has been low, and the load then. */
  calmSince: number | undefined;
  /** Since when it has not been over the threshold. */
  enoughSince: number | undefined;
  calmLoad: number;
  /** … on one replica. */
  calmEach: number;
  lastUpAt: number | undefined;
  /** The most good answers per second of one replica, saturated or not, over a few seconds at least. */
  doneEach: Seen | undefined;
  /** What goes on, where it is saturated, and what so many answered when it was. */
  overload: Overload | undefined;
  answered: Answered;
  /** How long the replicas of the last increase took to be ready, ms. */
  startMs: number;
  lastDownAt: number | undefined;
  cooldownUntil: number;
  frozen: Frozen;
  /** Increases that helped by latency alone. */
  doubts: readonly Doubt[];
  /** After a decrease that was revoked: no other to so few (or fewer) until then. */
  lowered: { to: number; until: number; count: number };
  flaps: TokenBucket;
  /** Most requests in flight per replica while a further one is started; undefined: no such bound. */
  inFlightLimit: number | undefined;
}

export interface ScaleOutcome {
  action: 'scale-up' | 'scale-down' | 'none';
  /** What asked for the change; undefined when nothing did. */
  kind: ProposalKind | undefined;
  from: number;
  to: number;
  reason: string;
  verdicts: GuardVerdict[];
}

export function newScaler(scale: ScaleSettings, now: number): ScalerState {
  return {
    evidence: noEvidence,
    trial: noTrial,
    overTicks: 0,
    saturatedTicks: 0,
    busyTicks: 0,
    calmSince: undefined,
    enoughSince: undefined,
    calmLoad: 0,
    calmEach: 0,
    lastUpAt: undefined,
    doneEach: undefined,
    overload: undefined,
    answered: [],
    startMs: 0,
    lastDownAt: undefined,
    cooldownUntil: Number.NEGATIVE_INFINITY,
    frozen: notFrozen,
    doubts: [],
    lowered: { to: 0, until: Number.NEGATIVE_INFINITY, count: 0 },
    flaps: fullBucket(flapRate(scale.guards), now),
    inFlightLimit: undefined,
  };
}

/** State, sample and settings as the numbers that a decision rests on. */
export function scaleInputs(state: ScalerState, sample: ScaleSample, scale: ScaleSettings, now: number): ScaleInputs {
  const { guards, latency, concurrency } = scale;
  const { evidence, trial } = state;
  const { ready, starting, quantileMs, lateQuantileMs, startsAllowed, arrivals, shed, errors } = sample;
  const { capacity } = evidence;
  const each = eachTakes(evidence, ready + starting, guards, now);
  const soon = sample.trend === undefined ? undefined : forecast(sample.trend);
  const carriers = carriersOf(evidence, arrivals, ready + starting, guards, now);
  const failed = failedAt(evidence, ready - 1, now);
  const doubt = state.doubts.at(-1);
  const most = Math.max(sample.goodSince, 'good' in trial ? trial.good : 0);
  // What is not saturated answers what arrives: fewer have shown that they can where they answered that and more.
  const asked = state.saturatedTicks > 0 ? 0 : (1 + guards.benefitLeast) * sample.usualArrivals;
  const lastChangeAt = latest(state.lastUpAt, state.lastDownAt);
  return {
    frozen: Number(sample.frozen),
    ready,
    starting,
    min: sample.min,
    max: sample.max,
    budgetLeft: sample.budgetLeft,
    ...sample.budgetFacts,
    concurrency,
    samples: sample.samples,
    minSamples: guards.minSamples,
    windowMs: sample.windowMs,
    quantile: latency.quantile,
    ...(quantileMs !== undefined && { quantileMs }),
    ...(lateQuantileMs !== undefined && { lateQuantileMs }),
    aboveMs: sample.aboveMs,
    ...(sample.lowLoadMs !== undefined && { lowLoadMs: sample.lowLoadMs }),
    overTicks: state.overTicks,
    saturatedTicks: state.saturatedTicks,
    ticks: guards.ticks,
    arrivalsPerSecond: arrivals,
    usualPerSecond: sample.usualArrivals,
    ...(soon !== undefined && { soonPerSecond: soon }),
    goodPerSecond: sample.goodLately,
    latelyPerSecond: sample.arrivalsLately,
    shedPerSecond: shed,
    ...(sample.peakLoad !== undefined && { sessions: 1, peakLoad: sample.peakLoad }),
    load: sample.load,
    loadBefore: sample.loadBefore,
    queued: sample.queued,
    calmLoad: state.calmLoad,
    shedShare: arrivals > 0 ? shed / arrivals : 0,
    errorsShare: sample.usualAnswers > 0 ? errors / sample.usualAnswers : 0,
    ...(capacity !== undefined && { capacityPerSecond: capacity.perSecond, capacityAnswers: capacity.answers }),
    ...(each !== undefined && { eachPerSecond: each }),
    ...(state.doneEach !== undefined && { doneEachPerSecond: faded(state.doneEach, guards, now) }),
    helps: Number(evidence.helps),
    ...(carriers !== undefined && { carriers }),
    utilisation: guards.utilisation,
    backlogMs: guards.backlogMs,
    stepUp: guards.stepUp,
    stepUpEveryMs: guards.stepUpEveryMs,
    stepDownEveryMs: guards.stepDownEveryMs,
    ...(state.lastUpAt !== undefined && { sinceUpMs: now - state.lastUpAt }),
    startMs: state.startMs,
    ...(lastChangeAt !== undefined && { sinceChangeMs: now - lastChangeAt }),
    cooldownLeftMs: Math.max(0, Math.min(guards.cooldownMs, state.cooldownUntil - now)),
    ...trialInputs(trial, now),
    trialWarm: Number(sample.isWarm),
    asGoodBefore: fewestThatAnswered(state.answered, ready, Math.max(most, asked), guards.benefitLeast, now),
    trialGoodPerSecond: sample.goodSince,
    trialGoodMs: sample.goodSinceMs,
    benefitMs: guards.benefitMs,
    benefitSamples: guards.benefitSamples,
    noBenefitMs: guards.noBenefitMs,
    benefitPatienceMs: guards.benefitPatienceMs,
    benefitGiveUpMs: guards.benefitGiveUpMs,
    benefitShare: guards.benefitShare,
    benefitLeast: guards.benefitLeast,
    freezeLeftMs: Math.max(0, Math.min(guards.freezeMaxMs, state.frozen.until - now)),
    freezePerSecond: state.frozen.arrivals,
    freezeLiftPerSecond: state.frozen.liftedAt,
    liftAt: guards.liftAt,
    doubtIncreases: doubt?.increases ?? 0,
    doubtFrom: doubt?.from ?? 0,
    doubtPerSecond: doubt?.arrivals ?? 0,
    ...(doubt !== undefined && { doubtSlowMs: doubt.slowMs, doubtSaturated: Number(doubt.isOfOverload) }),
    freezes: state.frozen.count,
    downWindowMs: guards.downWindowMs,
    downCoveredMs: sample.downCoveredMs,
    calmMs: state.calmSince === undefined ? 0 : now - state.calmSince,
    enoughMs: state.enoughSince === undefined ? 0 : now - Math.max(state.enoughSince, lastChangeAt ?? 0),
    surplusMs: guards.surplusMs,
    peakPerSecond: sample.peak,
    latePeakPerSecond: sample.latePeak,
    ...(failed !== undefined && { failedPerSecond: failed }),
    downBelow: guards.downBelow,
    downPeak: guards.downPeak,
    downTrialMs: guards.downTrialMs,
    downRevertAt: guards.downRevertAt,
    downWaitMs: ready - 1 > state.lowered.to ? 0 : Math.max(0, Math.min(DOWN_RETRY_MAX_MS, state.lowered.until - now)),
    flapTokens: tokensAt(state.flaps, flapRate(guards), now),
    errorsLimit: guards.errors,
    shedLimit: guards.shed,
    ...(Number.isFinite(startsAllowed) && { startsAllowed }),
  };
}

/** The decision that the inputs lead to: the first proposal that its guards let through, at least in part. */
export function decideScale(inputs: ScaleInputs): ScaleOutcome {
  const from = capacityOf(inputs);
  const settled = settledBy(judgeTrial(inputs), inputs);
  let refused: ScaleOutcome | undefined;
  for (const proposal of proposals(settled)) {
    const { kind, reason } = proposal;
    const { to, verdicts } = judge(proposal, settled);
    if (to > from) return { action: 'scale-up', kind, from, to, reason, verdicts };
    if (to < from) return { action: 'scale-down', kind, from, to, reason, verdicts };
    refused ??= { action: 'none', kind, from, to, reason, verdicts };
  }
  return refused ?? { action: 'none', kind: undefined, from, to: from, reason: 'nothing to change', verdicts: [] };
}

/** An experiment that has ended stands in the way of nothing. What it leaves in doubt is judged from the next tick on. */
function settledBy(judged: TrialVerdict, inputs: ScaleInputs): ScaleInputs {
  switch (judged.verdict) {
    case 'helped':
      return { ...inputs, trial: 0, doubtIncreases: 0, helps: Math.max(inputs.helps, Number(judged.isMore)) };
    case 'ended':
    case 'open':
    case 'held':
      return { ...inputs, trial: 0, doubtIncreases: 0 };
    case 'wait':
    case 'no-benefit':
    case 'untold':
    case 'harmed':
      return inputs;
  }
}

/** Who answers less than this share of what was carried before stands still: that tells nothing of the arrivals. */
const STUCK = 0.5;

/** Longest wait before the next try of a decrease, ms. */
const DOWN_RETRY_MAX_MS = 3_600_000;

/** The state after the experiment's end, as far as it teaches something. */
export function afterVerdict(
  state: ScalerState,
  judged: TrialVerdict,
  inputs: ScaleInputs,
  scale: ScaleSettings,
  now: number,
): ScalerState {
  const { guards } = scale;
  const { evidence, frozen, lowered, doubts } = state;
  const ended = { ...state, trial: noTrial };
  switch (judged.verdict) {
    case 'wait':
      return state;
    case 'ended':
    case 'untold':
      return ended;
    case 'open':
      return { ...ended, doubts: doubtsAfter(doubts, inputs) };
    case 'helped': {
      const { trialFrom, trialTo, trialGoodPerSecond, capacityPerSecond = 0 } = inputs;
      // One that is slow, but not saturated, is so by what has come for as long as that was measured.
      const beforePerSecond = inputs.beforeSaturated === 1 ? inputs.beforePerSecond : inputs.beforeUsualPerSecond;
      // What was added to work off a backlog, or after a pause, says nothing of the arrivals.
      const each = Math.max(capacityPerSecond, trialGoodPerSecond / trialTo);
      const usual = evidence.carried[trialFrom]?.perSecond ?? 0;
      const isStuck = inputs.beforeGoodPerSecond < STUCK * usual;
      const wereTooFew = !isStuck && (inputs.beforeSaturated === 0 || beforePerSecond > trialFrom * each);
      const known = wereTooFew
        ? withFailed(evidence, trialFrom, beforePerSecond, eachCanDo(inputs), guards, now)
        : evidence;
      // What was seen before it may be of a pause: they can do at least what they have done since.
      const done = { replicas: trialTo, goodPerSecond: trialGoodPerSecond, overMs: inputs.trialGoodMs };
      const able = judged.isMore ? withCapacity(known, done, guards, now) : known;
      return {
        ...ended,
        evidence: { ...able, helps: able.helps || judged.isMore },
        frozen: judged.isMore && frozen.count > 0 ? { ...frozen, count: 0 } : frozen,
        doubts: judged.isMore ? [] : doubtsAfter(doubts, inputs),
      };
    }
    case 'no-benefit': {
      const forMs = Math.min(guards.freezeMaxMs, guards.freezeMs * 2 ** frozen.count);
      const arrivals = Math.max(inputs.beforePerSecond, inputs.arrivalsPerSecond);
      // A trial that was slow, but not saturated, tells nothing of a service that is.
      const wasOverload = inputs.trial === 0 ? inputs.doubtSaturated : inputs.beforeSaturated;
      const wasSaturated = wasOverload === 1 || isSaturated(inputs);
      const liftedAt = wasSaturated ? guards.liftAt * arrivals : arrivals;
      return {
        ...ended,
        // What is left is in doubt as before.
        doubts: doubts.filter(({ from }) => from < replicasBeforeDoubt(inputs)),
        // What was learnt in it is no capacity of a replica.
        evidence: { ...evidence, capacity: undefined, helps: false },
        frozen: { until: now + forMs, count: frozen.count + 1, arrivals, liftedAt },
      };
    }
    case 'held':
      // That so many are enough says nothing of fewer.
      return inputs.trialTo > lowered.to ? ended : { ...ended, lowered: { to: inputs.trialTo, until: now, count: 0 } };
    case 'harmed': {
      const count = inputs.trialTo === lowered.to ? lowered.count : 0;
      const forMs = Math.min(DOWN_RETRY_MAX_MS, guards.downRetryMs * 2 ** count);
      return {
        ...ended,
        evidence: withFailed(evidence, inputs.trialTo, inputs.usualPerSecond, eachCanDo(inputs), guards, now),
        lowered: { to: inputs.trialTo, until: now + forMs, count: count + 1 },
      };
    }
  }
}

/** The state after a change was carried out (or, in a dry run, would have been). */
export function afterChange(
  state: ScalerState,
  { action, kind, from, to }: ScaleOutcome,
  inputs: ScaleInputs,
  scale: ScaleSettings,
  now: number,
): ScalerState {
  if (action === 'none') {
    const { trial } = state;
    return kind === 'restore' && trial.state === 'lowered' ? { ...state, trial: { ...trial, state: 'harmed' } } : state;
  }
  const isTried = inputs.sessions !== 1;
  const overload = state.overload?.replicas === inputs.ready ? state.overload : undefined;
  const before: Before = {
    from: action === 'scale-up' ? inputs.ready + inputs.starting : from,
    to,
    arrivals: Math.max(
      inputs.arrivalsPerSecond,
      inputs.usualPerSecond,
      isSaturated(inputs) ? inputs.latelyPerSecond : 0,
    ),
    usual: inputs.usualPerSecond,
    good: overload?.perSecond ?? inputs.goodPerSecond,
    bursts: overload === undefined ? 1 : burstsIn(overload),
    quantileMs: inputs.quantileMs ?? 0,
    // An average of two seconds lags behind a queue that has just come.
    load: Math.max(inputs.load, inputs.queued > 0 ? inputs.queued + inputs.ready * inputs.concurrency : 0),
    isSaturated: isSaturated(inputs),
    isForConcurrency: kind === 'concurrency',
  };
  if (action === 'scale-down') {
    const trial: Trial = kind === 'down' && isTried ? { state: 'lowered', at: now, ...before } : noTrial;
    // What is undone was never wanted: that is no decrease after which an increase would be flapping.
    return { ...state, trial, lastDownAt: kind === 'down' ? now : state.lastDownAt };
  }
  const isFlap = state.lastDownAt !== undefined && now - state.lastDownAt < scale.guards.flapWithinMs;
  return {
    ...state,
    // What is added for what is coming has nothing to show yet: the next decrease is its experiment.
    trial: kind === 'restore' || kind === 'growth' || !isTried ? noTrial : { state: 'starting', ...before },
    overTicks: 0,
    lastUpAt: now,
    flaps: isFlap ? takeToken(state.flaps, flapRate(scale.guards), now) : state.flaps,
  };
}

/** The state after somebody changed the replica count by hand. */
export function afterChangeByHand(state: ScalerState, scale: ScaleSettings, now: number): ScalerState {
  return { ...state, trial: noTrial, doubts: [], cooldownUntil: now + scale.guards.cooldownMs };
}

/** A replica went to another service: an experiment that was under way shows nothing any more. */
export function afterGivenUp(state: ScalerState): ScalerState {
  return { ...state, trial: noTrial };
}

/** Another `run`: what was learnt of the old one says nothing. */
export function afterOtherRun(state: ScalerState, scale: ScaleSettings, now: number): ScalerState {
  const { lastUpAt, lastDownAt, cooldownUntil, flaps } = state;
  return { ...newScaler(scale, now), lastUpAt, lastDownAt, cooldownUntil, flaps };
}

function latest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.max(a, b);
}

function flapRate(guards: GuardSettings): BucketRate {
  return { burst: guards.flapBurst, perMinute: guards.flapPerHour / 60 };
}
