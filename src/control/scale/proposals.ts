import { millis, percent, rate } from '../../util/format.ts';
import { neededForConcurrency, neededForRate } from './demand.ts';
import { capacityOf, knownRate, type Proposal, type ScaleInputs } from './scale-inputs.ts';

/** Counts of a few seconds are not more exact than this: a tenth more still is as much. */
const EASED_SLACK = 1.1;

/** What the load asks for, before any guard: first what a limit on concurrency needs, then latency, then less. */
export function proposals(inputs: ScaleInputs): Proposal[] {
  const all = [forConcurrency(inputs)];
  if (inputs.tick === 1) all.push(forLatency(inputs), downwards(inputs));
  return all.filter((proposal) => proposal !== undefined);
}

function forConcurrency(inputs: ScaleInputs): Proposal | undefined {
  const { inFlight, held, concurrency, utilisation } = inputs;
  const from = capacityOf(inputs);
  const to = neededForConcurrency(inFlight + held, concurrency, utilisation);
  if (to <= from) return undefined;
  const share = `${percent(utilisation)} % of ${concurrency} each`;
  const reason = `${inFlight} in flight and ${held} waiting need ${to} at ${share}`;
  return { kind: 'concurrency', from, to, reason };
}

function forLatency(inputs: ScaleInputs): Proposal | undefined {
  const { quantileMs, aboveMs, arrivalsPerSecond, utilisation, overTicks } = inputs;
  if (quantileMs === undefined || quantileMs <= aboveMs) return undefined;
  const from = capacityOf(inputs);
  const to = Math.max(from + 1, neededForRate(arrivalsPerSecond, knownRate(inputs), utilisation));
  const ticks = `${overTicks} tick${overTicks === 1 ? '' : 's'}`;
  return { kind: 'latency', from, to, reason: `${quantileText(inputs)} > ${millis(aboveMs)} for ${ticks}` };
}

/** One fewer, when the busiest moments of the whole window would have fitted on the rest and latency is low. */
function downwards(inputs: ScaleInputs): Proposal | undefined {
  const { quantileMs, aboveMs, downBelow, sustainedPerSecond, utilisation, concurrency } = inputs;
  const from = capacityOf(inputs);
  const to = from - 1;
  if (inputs.starting > 0 || to < Math.max(1, inputs.min)) return undefined;
  if (inputs.downCoveredMs < inputs.downWindowMs || sustainedPerSecond === undefined) return undefined;
  if (quantileMs === undefined || quantileMs >= downBelow * aboveMs) return undefined;
  const carried = utilisation * to * sustainedPerSecond;
  // Where no more was ever asked of a replica, what it could carry is not known: what fewer did carry is.
  const eased = inputs.easedPerSecond;
  if (inputs.peakArrivalsPerSecond > Math.max(carried, eased * EASED_SLACK)) return undefined;
  if (to < neededForConcurrency(inputs.peakRequests, concurrency, utilisation)) return undefined;
  const peak = `at most ${rate(inputs.peakArrivalsPerSecond)}/s in ${Math.round(inputs.downWindowMs / 1000)} s`;
  const low = `${quantileText(inputs)} < ${millis(downBelow * aboveMs)}`;
  const room =
    carried >= inputs.peakArrivalsPerSecond
      ? `${to} can carry ${rate(carried)}/s`
      : `${to} carried as much before (${rate(eased)}/s)`;
  const reason = `${peak}, and ${room}; ${low}`;
  return { kind: 'down', from, to, reason };
}

function quantileText({ quantile, quantileMs = 0 }: ScaleInputs): string {
  return `p${percent(quantile)} ${millis(quantileMs)}`;
}
