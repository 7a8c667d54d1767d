import type { NamedPolicy } from './keep-policy.ts';
import { addTotals, type KeepTotals, noTotals, replay } from './replay.ts';
import type { CallerClass, ServiceCalls } from './workload.ts';

/** What a policy came to, over all services and those of each kind. */
export interface PolicyOutcome {
  policy: string;
  all: KeepTotals;
  classes: Map<CallerClass, KeepTotals>;
}

/** Plays every service against every policy. @param endMs when the time that is looked at ends */
export function compare(
  services: Iterable<ServiceCalls>,
  policies: readonly NamedPolicy[],
  endMs: number,
): PolicyOutcome[] {
  const outcomes = policies.map(({ name }): PolicyOutcome => ({ policy: name, all: noTotals(), classes: new Map() }));
  for (const service of services) {
    for (const [index, policy] of policies.entries()) {
      const { all, classes } = outcomes[index] as PolicyOutcome;
      const totals = replay(service, policy.create(), endMs);
      addTotals(all, totals);
      const ofClass = classes.get(service.caller) ?? noTotals();
      classes.set(service.caller, ofClass);
      addTotals(ofClass, totals);
    }
  }
  return outcomes;
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
