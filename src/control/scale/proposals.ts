import { counted, millis, percent, rate } from '../../util/format.ts';
import { neededForConcurrency } from './demand.ts';
import { replicasBeforeDoubt } from './doubt.ts';
import {
  backlogOf,
  capacityOf,
  eachCanDo,
  isSaturated,
  isShort,
  type Proposal,
  type ScaleInputs,
} from './scale-inputs.ts';
import { sessionProposals } from './session-proposals.ts';
import { judgeTrial } from './trial.ts';

/** What is asked for, before any guard: first what an experiment's end calls for, then more, then less. */
export function proposals(inputs: ScaleInputs): Proposal[] {
  if (inputs.sessions === 1) return sessionProposals(inputs);
  const end = endOfTrial(inputs);
  if (end !== undefined) return [end];
  const all = [
    forShed(inputs),
    forSaturation(inputs),
    forConcurrency(inputs),
    forLatency(inputs),
    forGrowth(inputs),
    downwards(inputs),
  ];
  return all.filter((proposal) => proposal !== undefined);
}

function endOfTrial(inputs: ScaleInputs): Proposal | undefined {
  const judged = judgeTrial(inputs);
  const from = capacityOf(inputs);
  const { trialFrom, min } = inputs;
  // `min` may have been raised meanwhile.
  const before = Math.max(min, trialFrom);
  const beforeDoubt = Math.max(min, replicasBeforeDoubt(inputs));
  if (judged.verdict === 'no-benefit' && beforeDoubt < from)
    return {
      kind: 'undo',
      from,
      to: beforeDoubt,
      reason: `no benefit: ${judged.what}${asBefore(inputs, beforeDoubt)}`,
    };
  if (judged.verdict === 'untold' && before < from) return { kind: 'undo', from, to: before, reason: judged.what };
  if (judged.verdict === 'harmed' && trialFrom > from)
    return { kind: 'restore', from, to: trialFrom, reason: `${from} are too few: ${judged.what}` };
  return undefined;
}

/** Which of those before did no more, where more than the last goes; empty where it is the last alone. */
function asBefore({ trial, trialFrom }: ScaleInputs, before: number): string {
  return trial !== 0 && before < trialFrom ? `, no more than with ${before}` : '';
}

function forShed(inputs: ScaleInputs): Proposal | undefined {
  const { shedShare, shedPerSecond, arrivalsPerSecond, shedLimit } = inputs;
  if (!isSaturated(inputs) || shedShare <= shedLimit) return undefined;
  const from = capacityOf(inputs);
  const reason = `${rate(shedPerSecond)} of ${rate(arrivalsPerSecond)} requests/s are turned away`;
  return { kind: 'shed', from, ...sized(inputs, from, reason) };
}

function forSaturation(inputs: ScaleInputs): Proposal | undefined {
  const { arrivalsPerSecond, goodPerSecond, load } = inputs;
  if (!isSaturated(inputs)) return undefined;
  const from = capacityOf(inputs);
  const reason = `${rate(goodPerSecond)} of ${rate(arrivalsPerSecond)} requests/s are answered, ${Math.round(load)} are in flight or wait`;
  return { kind: 'latency', from, ...sized(inputs, from, reason) };
}

/** A need that is measured twice differs by so much of a replica. */
const SAME_NEED = 0.1;

/** For the backlog there are at most so many times as many as the arrivals need: it grows with the time of a start. */
const CATCH_UP = 1.65;

/** How many a saturated service needs: by its capacity, once replicas have proved to help; else one more. */
function sized(inputs: ScaleInputs, from: number, reason: string): Pick<Proposal, 'to' | 'reason'> {
  const { capacityPerSecond, capacityAnswers = Number.POSITIVE_INFINITY, helps } = inputs;
  const { arrivalsPerSecond, goodPerSecond, utilisation, stepUp, ready } = inputs;
  const { backlogMs, startMs } = inputs;
  if (helps === 0 || capacityPerSecond === undefined || capacityPerSecond <= 0) return { to: from + 1, reason };
  // With the reserve for what arrives; without it for as long as the backlog is worked off, as it is when they are there.
  const steady = arrivalsPerSecond / (utilisation * capacityPerSecond);
  const backlog = backlogOf(inputs) + Math.max(0, arrivalsPerSecond - goodPerSecond) * (startMs / 1000);
  const lasting = arrivalsPerSecond / capacityPerSecond;
  // Of few answers it may be luck what one does: one too few then works on the backlog for long.
  const least = capacityPerSecond * (1 - 1 / Math.sqrt(Math.max(2, capacityAnswers)));
  const catchingUp = Math.ceil(lasting + backlog / (backlogMs / 1000) / capacityPerSecond - SAME_NEED);
  const needed = Math.max(
    Math.ceil(steady - SAME_NEED),
    Math.min(catchingUp, Math.floor((CATCH_UP * arrivalsPerSecond) / least)),
  );
  const to = Math.max(from + 1, Math.min(needed, stepUp * Math.max(1, ready)));
  return {
    to,
    reason: `${reason}; ${needed} needed at ${percent(utilisation)} % of ${rate(capacityPerSecond)}/s each`,
  };
}

function forConcurrency(inputs: ScaleInputs): Proposal | undefined {
  const { load, ready, concurrency, utilisation, goodPerSecond, aboveMs } = inputs;
  if (concurrency === 0) return undefined;
  const from = capacityOf(inputs);
  const queued = load - ready * concurrency;
  // A queue that is worked off soon needs nobody else.
  if (queued <= 0 || queued * 1000 <= goodPerSecond * aboveMs) return undefined;
  const to = neededForConcurrency(load, concurrency, utilisation);
  if (to <= from) return undefined;
  const reason = `${Math.round(load)} in flight or waiting on average need ${to} with ${concurrency} at once each`;
  return { kind: 'concurrency', from, to, reason };
}

function forLatency(inputs: ScaleInputs): Proposal | undefined {
  const { quantileMs, lateQuantileMs, aboveMs, overTicks, carriers = 0, downBelow } = inputs;
  if (quantileMs === undefined || isSaturated(inputs)) return undefined;
  const from = capacityOf(inputs);
  const each = isShort(inputs, from) ? eachCanDo(inputs) : undefined;
  const limitMs = each !== undefined ? downBelow * aboveMs : aboveMs;
  if (quantileMs <= limitMs) return undefined;
  // What was slow is over.
  if (each === undefined && lateQuantileMs !== undefined && lateQuantileMs <= aboveMs) return undefined;
  const ticks = counted(overTicks, 'tick');
  const slow = `${quantileText(inputs)} > ${millis(limitMs)} for ${ticks}`;
  if (each === undefined) return { kind: 'latency', from, to: Math.max(from + 1, carriers), reason: slow };
  const { usualPerSecond, utilisation, stepUp } = inputs;
  const needed = Math.ceil(usualPerSecond / (utilisation * each) - SAME_NEED);
  const to = Math.max(from + 1, Math.min(needed, stepUp * from));
  const full = `${from} do ${rate(from * each)}/s at most, ${rate(usualPerSecond)}/s arrive`;
  return { kind: 'latency', from, to, reason: `${slow}, and ${full}` };
}

/** More and more arrives, and will soon be more than so many take, by what more replicas have helped with before. */
function forGrowth(inputs: ScaleInputs): Proposal | undefined {
  const { soonPerSecond, eachPerSecond, arrivalsPerSecond, helps, doubtIncreases } = inputs;
  // What so few were too slow for is not known while it is in doubt whether more of them help.
  if (helps === 0 && doubtIncreases > 1) return undefined;
  const from = capacityOf(inputs);
  if (soonPerSecond === undefined || eachPerSecond === undefined) return undefined;
  if (soonPerSecond <= from * eachPerSecond) return undefined;
  const needed = Math.ceil(soonPerSecond / eachPerSecond);
  const rising = `${rate(arrivalsPerSecond)} requests/s, soon ${rate(soonPerSecond)}/s`;
  const reason = `${rising}, and ${from} are too few at ${rate(from * eachPerSecond)}/s by what is known`;
  // Before replicas have proved to help, one at a time, as for all else.
  return { kind: 'growth', from, to: helps === 0 ? from + 1 : Math.min(needed, 2 * from), reason };
}

/** Latency that is neither low nor over the threshold has to have been so for so many times as long. */
const BEARABLE_FOR = 4;

/** One fewer, to see whether they do: latency has been low for long, and so few were not too few for as much before. */
function downwards(inputs: ScaleInputs): Proposal | undefined {
  const { ready, min, starting, quantileMs, downBelow, aboveMs, calmMs, enoughMs, trial } = inputs;
  if (ready <= min || starting > 0 || trial !== 0 || isSaturated(inputs)) return undefined;
  if (quantileMs === undefined || quantileMs > aboveMs) return undefined;
  if (inputs.soonPerSecond !== undefined) return undefined;
  const { windowMs, peakPerSecond } = downWindow(inputs);
  const isLow = quantileMs < downBelow * aboveMs && Math.min(calmMs, inputs.downCoveredMs) >= windowMs;
  // It may be as slow with fewer: that is the experiment.
  if (!isLow && enoughMs < BEARABLE_FOR * inputs.downWindowMs) return undefined;
  const { failedPerSecond, downPeak } = inputs;
  if (failedPerSecond !== undefined && peakPerSecond >= downPeak * failedPerSecond) return undefined;
  // What so few cannot do by what is known of them is not tried.
  if (peakPerSecond > (ready - 1) * (eachCanDo(inputs) ?? Number.POSITIVE_INFINITY)) return undefined;
  const [limitMs, sinceMs] = isLow ? [downBelow * aboveMs, calmMs] : [aboveMs, enoughMs];
  const low = `${quantileText(inputs)} < ${millis(limitMs)} for ${Math.round(sinceMs / 1000)} s`;
  return { kind: 'down', from: ready, to: ready - 1, reason: `${low}, at most ${rate(peakPerSecond)} requests/s` };
}

/** How long it has to have been calm, and the peak of arrivals over that time: less for what is a surplus by capacity. */
function downWindow(inputs: ScaleInputs): { windowMs: number; peakPerSecond: number } {
  const { ready, capacityPerSecond, utilisation, latePeakPerSecond } = inputs;
  const isSurplus =
    capacityPerSecond !== undefined && latePeakPerSecond <= (ready - 1 + SAME_NEED) * utilisation * capacityPerSecond;
  return isSurplus
    ? { windowMs: inputs.surplusMs, peakPerSecond: latePeakPerSecond }
    : { windowMs: inputs.downWindowMs, peakPerSecond: inputs.peakPerSecond };
}

function quantileText({ quantile, quantileMs = 0 }: ScaleInputs): string {
  return `p${percent(quantile)} ${millis(quantileMs)}`;
}
