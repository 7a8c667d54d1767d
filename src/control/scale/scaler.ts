import type { GuardVerdict } from '../../model/decision.ts';
import type { GuardSettings, ScaleSettings } from '../../model/settings.ts';
import { type BucketRate, fullBucket, type TokenBucket, takeToken, tokensAt } from '../start/token-bucket.ts';
import { judge } from './guards.ts';
import { proposals } from './proposals.ts';
import { capacityOf, type Proposal, type ScaleInputs } from './scale-inputs.ts';

/** What the scaler remembers of one service. Plain data; times are the clock's ms. */
export interface ScalerState {
  overTicks: number;
  lastUpAt: number | undefined;
  lastChangeAt: number | undefined;
  cooldownUntil: number;
  flaps: TokenBucket;
  /** Highest completions per second and replica under the threshold, and when they were seen. */
  sustained: { perSecond: number; at: number } | undefined;
  /** By the number of replicas that shared them: most completions per second in all seen with the latency low. */
  eased: readonly number[];
}

/** What was measured, for one decision. Replica counts include endpoints that others run. */
export interface ScaleSample {
  tick: boolean;
  ready: number;
  starting: number;
  warming: number;
  min: number;
  max: number;
  budgetLeft: number;
  startsAllowed: number;
  inFlight: number;
  held: number;
  samples: number;
  quantileMs: number | undefined;
  windowMs: number;
  windowArrivals: number;
  windowCompletions: number;
  arrivalsPerSecond: number;
  completionsPerSecond: number;
  /** The most endpoints that shared those completions. */
  servedBy: number;
  /** The same over the last moments: a load of few seconds shows in it as high as it was. */
  lately: { completionsPerSecond: number; servedBy: number };
  downCoveredMs: number;
  peakArrivalsPerSecond: number;
  peakRequests: number;
}

export interface ScaleOutcome {
  action: 'scale-up' | 'scale-down' | 'none';
  /** What asked for the change; undefined when nothing did. */
  kind: Proposal['kind'] | undefined;
  from: number;
  to: number;
  reason: string;
  verdicts: GuardVerdict[];
}

export function newScaler(scale: ScaleSettings, now: number): ScalerState {
  return {
    overTicks: 0,
    lastUpAt: undefined,
    lastChangeAt: undefined,
    cooldownUntil: Number.NEGATIVE_INFINITY,
    flaps: fullBucket(flapRate(scale.guards), now),
    sustained: undefined,
    eased: [],
  };
}

/** The state after a tick: how long the quantile has been over the threshold, and what a replica sustains. */
export function observe(state: ScalerState, sample: ScaleSample, scale: ScaleSettings, now: number): ScalerState {
  const { samples, quantileMs } = sample;
  const { guards, latency } = scale;
  // A few samples show that the load is carried, but neither that it is not nor how much is.
  const isEnough = samples >= guards.minSamples;
  const over = isEnough && quantileMs !== undefined && quantileMs > latency.aboveMs;
  const next = { ...state, overTicks: over ? state.overTicks + 1 : 0 };
  if (quantileMs === undefined || quantileMs > latency.aboveMs || sample.servedBy === 0) return next;
  const perSecond = sample.completionsPerSecond / sample.servedBy;
  if (isEnough && perSecond > (sustainedRate(state, guards, now) ?? 0)) next.sustained = { perSecond, at: now };
  if (quantileMs < guards.downBelow * latency.aboveMs) next.eased = withEased(state.eased, sample);
  return next;
}

function withEased(eased: readonly number[], { lately }: ScaleSample): readonly number[] {
  const { completionsPerSecond, servedBy } = lately;
  if (completionsPerSecond <= (eased[servedBy] ?? 0)) return eased;
  return Array.from({ length: Math.max(eased.length, servedBy + 1) }, (_, replicas) =>
    replicas === servedBy ? completionsPerSecond : (eased[replicas] ?? 0),
  );
}

/** The sustained rate, faded since it was seen; undefined while unknown. */
export function sustainedRate(state: ScalerState, guards: GuardSettings, now: number): number | undefined {
  if (state.sustained === undefined) return undefined;
  return state.sustained.perSecond * 2 ** (-(now - state.sustained.at) / guards.sustainedHalfLifeMs);
}

/** State, sample and settings as the numbers that a decision rests on. */
export function scaleInputs(state: ScalerState, sample: ScaleSample, scale: ScaleSettings, now: number): ScaleInputs {
  const { guards, latency, concurrency } = scale;
  const { tick, quantileMs, startsAllowed, servedBy: _, lately: __, ...rest } = sample;
  const sustainedPerSecond = sustainedRate(state, guards, now);
  const fewer = state.eased.slice(0, Math.max(0, sample.ready + sample.starting));
  return {
    ...rest,
    tick: tick ? 1 : 0,
    concurrency,
    minSamples: guards.minSamples,
    quantile: latency.quantile,
    ...(quantileMs !== undefined && { quantileMs }),
    aboveMs: latency.aboveMs,
    overTicks: state.overTicks,
    ticks: guards.ticks,
    ...(sustainedPerSecond !== undefined && { sustainedPerSecond }),
    easedPerSecond: Math.max(0, ...fewer),
    utilisation: guards.utilisation,
    stepUp: guards.stepUp,
    stepUpEveryMs: guards.stepUpEveryMs,
    stepDownEveryMs: guards.stepDownEveryMs,
    ...(state.lastUpAt !== undefined && { sinceUpMs: now - state.lastUpAt }),
    ...(state.lastChangeAt !== undefined && { sinceChangeMs: now - state.lastChangeAt }),
    cooldownLeftMs: Math.max(0, Math.min(guards.cooldownMs, state.cooldownUntil - now)),
    downWindowMs: guards.downWindowMs,
    downBelow: guards.downBelow,
    flapTokens: tokensAt(state.flaps, flapRate(guards), now),
    ...(Number.isFinite(startsAllowed) && { startsAllowed }),
  };
}

/** The decision that the inputs lead to: the first proposal that its guards let through, at least in part. */
export function decideScale(inputs: ScaleInputs): ScaleOutcome {
  const from = capacityOf(inputs);
  let refused: ScaleOutcome | undefined;
  for (const proposal of proposals(inputs)) {
    const { kind, reason } = proposal;
    const { to, verdicts } = judge(proposal, inputs);
    if (to > from) return { action: 'scale-up', kind, from, to, reason, verdicts };
    if (to < from) return { action: 'scale-down', kind, from, to, reason, verdicts };
    refused ??= { action: 'none', kind, from, to, reason, verdicts };
  }
  return refused ?? { action: 'none', kind: undefined, from, to: from, reason: 'nothing to change', verdicts: [] };
}

/** The state after a change was carried out (or, in a dry run, would have been). */
export function afterChange(
  state: ScalerState,
  outcome: ScaleOutcome,
  { arrivalsPerSecond }: Pick<ScaleInputs, 'arrivalsPerSecond'>,
  scale: ScaleSettings,
  now: number,
): ScalerState {
  if (outcome.action === 'scale-up') {
    const next = { ...state, overTicks: 0, lastUpAt: now, lastChangeAt: now };
    if (outcome.kind !== 'latency') return next;
    // What so many carry with ease no more, fewer do not either.
    const eased = state.eased.map((most, replicas) =>
      replicas <= outcome.from && most >= arrivalsPerSecond ? 0 : most,
    );
    return { ...next, eased };
  }
  if (outcome.action === 'scale-down') {
    return { ...state, lastChangeAt: now, flaps: takeToken(state.flaps, flapRate(scale.guards), now) };
  }
  return state;
}

/** The state after somebody changed the replica count by hand. */
export function afterChangeByHand(state: ScalerState, scale: ScaleSettings, now: number): ScalerState {
  return { ...state, cooldownUntil: now + scale.guards.cooldownMs };
}

function flapRate(guards: GuardSettings): BucketRate {
  return { burst: guards.flapBurst, perMinute: guards.flapPerHour / 60 };
}
