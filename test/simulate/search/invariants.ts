import type { ScaleInputs } from '../../../src/control/scale/scale-inputs.ts';
import { decideScale } from '../../../src/control/scale/scaler.ts';
import type { DecisionEntry } from '../../../src/model/decision.ts';
import { LOAD_BEGINS_MS, type SecondPoint, type ServiceOutcome } from '../../../src/simulate/outcome.ts';
import type { Steady } from './oracle.ts';

/** What is wrong with an outcome, a line each; empty where nothing is. */
export type Faults = string[];

const FLAP_SECONDS = 600;
const HOUR_SECONDS = 3600;
/** Burst, and as many as an hour gives. */
const FLAPS_PER_HOUR = 4 + 12;

/** A change of the scaler's own, and when, s since the load began. */
interface Change {
  at: number;
  entry: DecisionEntry;
}

export function changesOf({ decisions }: ServiceOutcome): Change[] {
  return decisions
    .filter(({ action, kind }) => kind !== null && action !== 'none')
    .map((entry) => ({ at: (Date.parse(entry.at) - LOAD_BEGINS_MS) / 1000, entry }));
}

/** What holds for every service under every load. */
export function alwaysFaults(outcome: ServiceOutcome, bounds: { min: number; max: number; isWell: boolean }): Faults {
  return [...requestFaults(outcome), ...boundFaults(outcome, bounds), ...flapFaults(outcome), ...replayFaults(outcome)];
}

/** Every request is answered once, or is under way. */
function requestFaults({ arrivals, answered, shed, errors, lost, series }: ServiceOutcome): Faults {
  const { inFlight, queued } = series.at(-1) as SecondPoint;
  const ended = answered + shed + errors + lost;
  return ended + inFlight + queued === arrivals
    ? []
    : [`${arrivals} arrived, but ${ended} ended and ${inFlight + queued} are under way`];
}

/** `isWell`: no replica ends or fails to start by itself, so there are never fewer than `min`. */
function boundFaults({ series }: ServiceOutcome, { min, max, isWell }: { min: number; max: number; isWell: boolean }) {
  const most = Math.max(...series.map(({ ready, starting }) => ready + starting));
  const least = Math.min(...series.map(({ ready, starting }) => ready + starting));
  const faults: Faults = [];
  if (most > max) faults.push(`${most} replicas, ${max} at most`);
  if (isWell && least < min) faults.push(`${least} replicas, ${min} at least`);
  return faults;
}

/** Decreases that an increase follows soon are bounded per hour. */
function flapFaults(outcome: ServiceOutcome): Faults {
  const changes = changesOf(outcome);
  const flaps: number[] = [];
  for (const [index, { at, entry }] of changes.entries()) {
    const next = changes[index + 1];
    const isFollowed = next !== undefined && next.entry.to > next.entry.from && next.at - at < FLAP_SECONDS;
    if (entry.kind === 'down' && isFollowed) flaps.push(at);
  }
  const most = mostWithin(flaps, HOUR_SECONDS);
  return most > FLAPS_PER_HOUR ? [`${most} decreases within an hour had an increase follow soon`] : [];
}

/** A decision follows from its inputs, also as a journal on disk has them. */
function replayFaults({ decisions }: ServiceOutcome): Faults {
  for (const { kind, action, from, to, reason, verdicts, inputs, at } of decisions) {
    if (kind === null) continue;
    const again = decideScale(JSON.parse(JSON.stringify(inputs)) as ScaleInputs);
    const now = JSON.stringify([again.kind, again.action, again.from, again.to, again.reason, again.verdicts]);
    if (now !== JSON.stringify([kind, action, from, to, reason, verdicts])) {
      return [`the decision of ${at} is another from the same inputs: ${now}`];
    }
  }
  return [];
}

/** The most of some moments that lie within so many seconds. */
export function mostWithin(moments: readonly number[], seconds: number): number {
  return Math.max(0, ...moments.map((from) => moments.filter((at) => at >= from && at - from < seconds).length));
}

/** Where replicas help: how long they may be too few for what arrives without any being added, s. */
export function stuckFaults({ series }: ServiceOutcome, each: number, max: number, patience: number): Faults {
  const lately: number[] = [];
  let [stuckFor, replicas] = [0, 0];
  for (const { second, arrivals, ready, starting } of series) {
    lately.push(arrivals);
    if (lately.length > 30) lately.shift();
    const perSecond = lately.reduce((sum, count) => sum + count, 0) / lately.length;
    const capacity = (ready + starting) * each;
    const isShort = ready + starting < max && perSecond > 1.1 * capacity + 2 * Math.sqrt(perSecond / lately.length);
    stuckFor = isShort && ready + starting <= replicas ? stuckFor + 1 : 0;
    replicas = ready + starting;
    if (stuckFor > patience + 40 / perSecond) {
      const rates = `${perSecond.toFixed(1)}/s arrived, ${replicas} can do ${capacity.toFixed(1)}/s`;
      return [`until second ${second} none was added for ${stuckFor} s, though ${rates}`];
    }
  }
  return [];
}

/** The least and the most that there were for some while of the last minutes: a decrease may just be tried. */
export function settledReplicas({ series }: ServiceOutcome): { least: number; most: number } {
  const last = series.slice(-SETTLED_SECONDS).map(({ ready, starting }) => ready + starting);
  const sorted = last.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * sorted.length)] as number;
  return { least: at(0.1), most: at(0.9) };
}

const SETTLED_SECONDS = 900;

/** Settled where the load has been the same for long: neither more nor fewer than the service needs. */
export function settledFaults(states: readonly Steady[], outcome: ServiceOutcome, min: number): Faults {
  const { least, most } = settledReplicas(outcome);
  const last = states.at(-1);
  const faults: Faults = [];
  // One more is kept where what a replica can do was seen while it was cold, or at its worst.
  if (last?.notCalm === 0 && least > Math.max(min, last.replicas + 1))
    faults.push(`${least} replicas at the end, though ${last.replicas} are calm all the time`);
  const enough = states.find(({ over }) => over <= 0.5);
  if (enough !== undefined && states.some(({ over }) => over <= 0.1) && most < enough.replicas)
    faults.push(`${most} replicas at the end, too few for half of the time: ${enough.replicas} are needed`);
  return faults;
}
