import { countsOf, pausedIn, type ServiceView } from './service-view.ts';
import { drop, type Step } from './step.ts';

/**
 * Stops paused replicas that no start would have go on, or that have waited for as long as pays; looks again when the
 * next of them will have.
 */
export function planStandby(view: ServiceView): Step[] {
  const { run, scale, now, pausedMs, isFrozen, isDraining } = view;
  const paused = pausedIn(view);
  if (paused.length === 0 || isDraining || !view.mayEnd) return [];
  const outdated = paused.filter(({ hash }) => hash !== run?.hash);
  const present = paused.filter(({ hash }) => hash === run?.hash);
  const surplus = Math.min(present.length, Math.max(0, countsOf(view).live + present.length - scale.max));
  const kept = present.slice(surplus);
  const steps = [
    ...drop(view, outdated, 'it has an older run'),
    ...drop(view, present.slice(0, surplus), `over max ${scale.max}`),
  ];
  if (pausedMs === 'ever' || isFrozen) return steps;
  const dueAt = ({ pausedAt = now }: (typeof kept)[number]) => pausedAt + pausedMs;
  const due = kept.filter((replica) => now >= dueAt(replica));
  const later = kept.filter((replica) => now < dueAt(replica)).map(dueAt);
  return [
    ...steps,
    ...drop(view, due, 'it was paused for as long as pays'),
    ...(later.length === 0 ? [] : [{ do: 'look-again' as const, at: Math.min(...later) }]),
  ];
}
