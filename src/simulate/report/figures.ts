import type { DecisionEntry } from '../../model/decision.ts';
import { formatDuration } from '../../util/units.ts';
import { LOAD_BEGINS_MS, type Outcome, type ServiceOutcome } from '../outcome.ts';

/** What is told of a policy in a row. */
export const FIGURES = [
  'policy',
  'most',
  'last',
  'starts',
  'replica-seconds',
  'seconds over',
  'shed',
  'errors',
  'lost',
  'median p95',
] as const;

/** The rows: one for each policy and service, a text per figure. */
export function figureRows(outcomes: readonly Outcome[]): string[][] {
  return outcomes.flatMap(({ policy, services }) =>
    services.map((service) => [
      services.length === 1 ? policy : `${policy} ${service.service}`,
      String(service.mostReplicas),
      String(service.lastReplicas),
      service.failedStarts === 0 ? String(service.starts) : `${service.starts} (${service.failedStarts} failed)`,
      String(Math.round(service.replicaSeconds)),
      String(service.secondsOver),
      share(service.shed, service.arrivals),
      share(service.errors, service.arrivals),
      share(service.lost, service.arrivals),
      medianP95(service),
    ]),
  );
}

/** `12 (3 %)`: how many of all. */
function share(count: number, all: number): string {
  return count === 0 || all === 0 ? String(count) : `${count} (${Number(((count / all) * 100).toPrecision(2))} %)`;
}

/** Median over the seconds that have a p95. */
function medianP95({ series }: ServiceOutcome): string {
  const known = series.flatMap(({ p95Ms }) => (p95Ms === undefined ? [] : [p95Ms])).sort((one, other) => one - other);
  const middle = known[known.length >> 1];
  return middle === undefined ? '–' : formatDuration(middle);
}

/** When something was decided, s since the load began; it may be before that. */
export function decidedAt({ at }: Pick<DecisionEntry, 'at'>): number {
  return (Date.parse(at) - LOAD_BEGINS_MS) / 1000;
}

/** `scale-up 1→2`, `held back at 2`. */
export function changeText({ action, from, to, dryRun }: DecisionEntry): string {
  const change = action === 'none' ? `held back at ${from}` : from === to ? action : `${action} ${from}→${to}`;
  return dryRun ? `${change} (dry run)` : change;
}
