import type { GuardSettings, ScaleSettings } from '../../model/settings.ts';
import { type Evidence, faded, type Seen, surely, withCapacity, withCarried, withTooFew } from './evidence.ts';
import { isSaturatedBy, isSteadyLoad, type SaturationSigns } from './saturation.ts';
import { isCollapsed, isShort } from './scale-inputs.ts';
import { LATELY_MS, type ScalerState, type ScaleSample, TICK_MS } from './scaler.ts';

/** The state after a tick: how long it has been slow or saturated, and what that teaches. */
export function observe(state: ScalerState, sample: ScaleSample, scale: ScaleSettings, now: number): ScalerState {
  const { guards } = scale;
  const { samples, quantileMs, aboveMs, ready } = sample;
  const isTold = quantileMs !== undefined && samples >= guards.minSamples;
  const learned = {
    usualPerSecond: sample.usualArrivals,
    helps: Number(state.evidence.helps),
    capacityPerSecond: state.evidence.capacity?.perSecond ?? 0,
  };
  const isNearlyShort = isShort(learned, ready + sample.starting);
  const isOver = isTold && quantileMs > (isNearlyShort ? guards.downBelow : 1) * aboveMs;
  // While requests wait at the edge, what is in flight grows there and not in the replicas.
  const isHeldUp = state.inFlightLimit !== undefined && sample.queued > 0;
  const isSaturatedNow = isHeldUp || isSaturatedIn(sample, state.calmLoad, scale);
  const isQuiet = (quantileMs === undefined || quantileMs < guards.downBelow * aboveMs) && !isSaturatedNow;
  // Right after a change there are few samples yet: that is no unrest.
  const isSilent = isQuiet && !isTold;
  const isCalm = isQuiet && isTold;
  const saturatedTicks = isSaturatedNow ? state.saturatedTicks + 1 : 0;
  const seen = { saturatedMs: saturatedTicks * TICK_MS, isOver, isCalm };
  const next: ScalerState = {
    ...whenReady(state, sample, isSaturatedNow, now),
    overTicks: isOver ? state.overTicks + 1 : 0,
    saturatedTicks,
    calmSince: isCalm ? (state.calmSince ?? now) : isSilent ? state.calmSince : undefined,
    evidence: learnt(state.evidence, sample, seen, guards, now),
    doneEach: withDone(state.doneEach, sample, guards, now),
  };
  // What has just come is not usual.
  if (!isCalm || ready === 0 || !isSteadyLoad(sample.load, sample.loadBefore)) return next;
  return {
    ...next,
    calmLoad: follow(state.calmLoad, sample.load),
    calmEach: follow(state.calmEach, sample.load / ready),
  };
}

/** At once, or slowly but for long. */
function isSaturatedIn(sample: ScaleSample, calmLoad: number, { guards }: ScaleSettings): boolean {
  const signs: SaturationSigns = { ...sample, overMs: guards.saturatedMs, calmLoad };
  if (isSaturatedBy(signs, sample.aboveMs, guards)) return true;
  const isWorse = sample.load >= sample.loadBefore;
  return isWorse && isSaturatedBy({ ...signs, ...sample.longer, shed: 0 }, sample.aboveMs, guards);
}

/** An average that a few seconds do not move far. */
function follow(before: number, now: number): number {
  return before === 0 ? now : before + 0.1 * (now - before);
}

/** The replicas of an increase are there, as far as they are coming. Until then the service may prove to be saturated. */
function whenReady(state: ScalerState, sample: ScaleSample, isSaturatedNow: boolean, now: number): ScalerState {
  const { ready, starting } = sample;
  const { trial, lastUpAt = now } = state;
  if (trial.state !== 'starting') return state;
  const before = { ...trial, isSaturated: trial.isSaturated || isSaturatedNow };
  if (starting > 0 || ready <= trial.from) return { ...state, trial: before };
  return { ...state, startMs: now - lastUpAt, trial: { ...before, state: 'judging', to: ready, readyAt: now } };
}

/** What each did over so long is no chance, ms. */
const DONE_OVER_MS = 5000;

function withDone(done: Seen | undefined, sample: ScaleSample, guards: GuardSettings, now: number): Seen | undefined {
  const { ready, goodSince, goodSinceMs, isSteady } = sample;
  if (ready === 0 || !isSteady || goodSinceMs < DONE_OVER_MS) return done;
  const perSecond = surely(goodSince, goodSinceMs) / ready;
  return done !== undefined && perSecond <= faded(done, guards, now) ? done : { perSecond, at: now };
}

function learnt(
  evidence: Evidence,
  sample: ScaleSample,
  seen: { saturatedMs: number; isOver: boolean; isCalm: boolean },
  guards: GuardSettings,
  now: number,
): Evidence {
  const { ready, arrivals, goodLately, isSteady } = sample;
  if (ready === 0) return evidence;
  let next = evidence;
  const isSaturatedNow = seen.saturatedMs > 0;
  if (isSaturatedNow && isSteady && !isCollapsed(goodLately, arrivals)) {
    next = withCapacity(next, surely(goodLately, LATELY_MS) / ready, guards, now);
    if (seen.saturatedMs >= sample.goodSinceMs)
      next = withCapacity(next, surely(sample.goodSince, sample.goodSinceMs) / ready, guards, now);
  }
  if (seen.isOver || isSaturatedNow) next = withTooFew(next, ready, arrivals);
  else if (seen.isCalm && isSteady) next = withCarried(next, ready, arrivals, guards, now);
  return next;
}
