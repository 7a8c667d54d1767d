import type { NamedPolicy } from './keep-policy.ts';
import { addTotals, type KeepTotals, noTotals, Replay } from './replay.ts';
import type { CallerClass, ServiceCalls } from './workload.ts';

/** What a policy came to, over all services and those of each kind. */
export interface PolicyOutcome {
  policy: string;
  all: KeepTotals;
  classes: Map<CallerClass, KeepTotals>;
}

/** Services are played by turns, each for so long, ms: they learn from each other what they could have known. */
const TURN_MS = 3_600_000;

/** Plays all services against every policy. @param endMs when the time that is looked at ends */
export function compare(
  services: readonly ServiceCalls[],
  policies: readonly NamedPolicy[],
  endMs: number,
): PolicyOutcome[] {
  return policies.map((policy) => {
    const outcome: PolicyOutcome = { policy: policy.name, all: noTotals(), classes: new Map() };
    const replays = services.map((service) => new Replay(service, policy.create()));
    for (let ms = TURN_MS; ms < endMs; ms += TURN_MS) for (const each of replays) each.until(ms);
    for (const [index, { caller }] of services.entries()) {
      const totals = (replays[index] as Replay).end(endMs);
      const ofClass = outcome.classes.get(caller) ?? noTotals();
      outcome.classes.set(caller, ofClass);
      for (const to of [outcome.all, ofClass]) addTotals(to, totals);
    }
    return outcome;
  });
}

/** How the front of ours, over the weights, stands to a rival: parts of what the rival takes; infinite: out of reach. */
export interface Standing {
  memoryAtEqualWaiting: number;
  waitingAtEqualMemory: number;
}

/** Between two weights lies one whose outcome lies between theirs: the front is a line, as both scales are logarithmic. */
export function standingOf(front: readonly KeepTotals[], rival: KeepTotals): Standing {
  const at = (given: Amount, wanted: Amount) => valueAt(front, given, wanted, rival[given]) / amount(rival, wanted);
  return {
    memoryAtEqualWaiting: at('waitedSeconds', 'memorySeconds'),
    waitingAtEqualMemory: at('memorySeconds', 'waitedSeconds'),
  };
}

type Amount = 'memorySeconds' | 'waitedSeconds';

/** The least that the front has of one where it has no more than `limit` of the other. */
function valueAt(front: readonly KeepTotals[], given: Amount, wanted: Amount, limit: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (const [index, point] of front.entries()) {
    if (point[given] <= limit) least = Math.min(least, amount(point, wanted));
    const next = front[index + 1];
    if (next === undefined) continue;
    const [from, to, aim] = [amount(point, given), amount(next, given), Math.max(1e-9, limit)].map(Math.log) as Line;
    if ((aim - from) * (aim - to) >= 0) continue;
    const part = (aim - from) / (to - from);
    least = Math.min(least, amount(point, wanted) ** (1 - part) * amount(next, wanted) ** part);
  }
  return least;
}

type Line = [from: number, to: number, aim: number];

/** Never 0, which has no logarithm. */
function amount(totals: KeepTotals, key: Amount): number {
  return Math.max(1e-9, totals[key]);
}
