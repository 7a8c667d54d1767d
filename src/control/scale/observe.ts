import type { GuardSettings, ScaleSettings } from '../../model/settings.ts';
import { burstsIn, withAnswered, withLook } from './answered.ts';
import { type Evidence, faded, type Seen, surely, withCapacity, withCarried, withTooFew } from './evidence.ts';
import { isSaturatedBy, isSteadyLoad, type SaturationSigns } from './saturation.ts';
import { isCollapsed, isShort } from './scale-inputs.ts';
import { LATELY_MS, type ScalerState, type ScaleSample, TICK_MS } from './scaler.ts';
import type { Before } from './trial.ts';

/** The state after a tick: how long it has been slow or saturated, and what that teaches. */
export function observe(state: ScalerState, sample: ScaleSample, scale: ScaleSettings, now: number): ScalerState {
  const { guards } = scale;
  const { samples, quantileMs, aboveMs, ready } = sample;
  const isTold = quantileMs !== undefined && samples >= guards.minSamples;
  const { capacity, helps } = state.evidence;
  const learned = {
    usualPerSecond: sample.usualArrivals,
    windowMs: sample.windowMs,
    helps: Number(helps),
    ...(capacity !== undefined && { capacityPerSecond: capacity.perSecond, capacityAnswers: capacity.answers }),
    ...(state.doneEach !== undefined && { doneEachPerSecond: faded(state.doneEach, guards, now) }),
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
  const isBusy = isSaturatedNow || (state.busyTicks > 0 && isCatchingUp(sample));
  const busyTicks = isBusy ? state.busyTicks + 1 : 0;
  const seen = { isSaturated: isSaturatedNow, busyMs: busyTicks * TICK_MS, isOver, isCalm };
  const isSeen = ready > 0 && sample.isSteady && !isCollapsed(sample.goodLately, sample.arrivals);
  const overload = isSeen ? withLook(state.overload, ready, sample.goodLately, busyTicks) : undefined;
  const next: ScalerState = {
    ...whenReady({ ...state, overload, busyTicks }, sample, isSaturatedNow, now),
    answered: withAnswered(state.answered, overload, now),
    overTicks: isOver ? state.overTicks + 1 : 0,
    saturatedTicks,
    busyTicks,
    calmSince: isCalm ? (state.calmSince ?? now) : isSilent ? state.calmSince : undefined,
    enoughSince: isOver || isSaturatedNow ? undefined : isTold ? (state.enoughSince ?? now) : state.enoughSince,
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

/** Who waits for so many times as long as an answer usually takes found all that answer busy. */
const WAITED = 3;

/** After an overload a queue is worked off that keeps all replicas busy, by Little's law. */
function isCatchingUp({ load, ready, goodLately, arrivalsLately, usualMs }: ScaleSample): boolean {
  if (usualMs === undefined || goodLately <= 1.05 * arrivalsLately) return false;
  return load > 2 * ready && load * 1000 > WAITED * usualMs * goodLately;
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
  const before = { ...trial, ...lookedAt(trial, state, sample), isSaturated: trial.isSaturated || isSaturatedNow };
  if (starting > 0 || ready <= trial.from) return { ...state, trial: before };
  return { ...state, startMs: now - lastUpAt, trial: { ...before, state: 'judging', to: ready, readyAt: now } };
}

/** Those before an increase go on being looked at until it is there: it may have been a bad moment for which it was made. */
function lookedAt(
  before: Before,
  { overload, busyTicks }: ScalerState,
  { ready, isSteady, goodLately }: ScaleSample,
): Pick<Before, 'good' | 'bursts'> {
  if (overload?.replicas === before.from) return { good: overload.perSecond, bursts: burstsIn(overload) };
  // Where an overload is over, they can do what they answer since.
  const isOver = busyTicks === 0 && ready === before.from && isSteady;
  return isOver ? { ...before, good: Math.max(before.good, surely(goodLately, LATELY_MS)) } : before;
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
  seen: { isSaturated: boolean; busyMs: number; isOver: boolean; isCalm: boolean },
  guards: GuardSettings,
  now: number,
): Evidence {
  const { ready, arrivals, goodLately, isSteady } = sample;
  if (ready === 0) return evidence;
  let next = evidence;
  const isSaturatedNow = seen.isSaturated;
  if (isSteady && !isCollapsed(goodLately, arrivals)) {
    const { goodSince, goodSinceMs } = sample;
    if (seen.busyMs >= goodSinceMs)
      next = withCapacity(next, { replicas: ready, goodPerSecond: goodSince, overMs: goodSinceMs }, guards, now);
    if (isSaturatedNow)
      next = withCapacity(next, { replicas: ready, goodPerSecond: goodLately, overMs: LATELY_MS }, guards, now);
  }
  if (seen.isOver || isSaturatedNow) next = withTooFew(next, ready, arrivals);
  else if (seen.isCalm && isSteady) next = withCarried(next, ready, arrivals, guards, now);
  return next;
}
