import type { ReplicaView } from '../replica/replica-view.ts';
import { allowance } from '../start/circuit.ts';
import type { Ask } from '../start/replica-budget.ts';
import { availableIn, countsOf, type ServiceView, wantedIn } from './service-view.ts';

/**
 * What a service asks of the budget of all services: what it is to have, as far as it may start it now, and what scaling
 * would add if there were room. Undefined: nothing.
 * @param wish replicas of our own that scaling would have; undefined where it is not the budget that keeps it back
 */
export function askOf(view: ServiceView, wish: number | undefined): Ask | undefined {
  const { intent, scale, isDraining } = view;
  const { queued, starting, ready, retiring, stopping, live } = countsOf(view);
  const calledOff = view.replicas.filter(({ isCalledOff }) => isCalledOff).length;
  const keeps = starting - calledOff + ready;
  const want = Math.max(Math.min(lastingWant(view), keeps + queued + startable(view)), wish ?? 0);
  if (live === 0 && want === 0) return undefined;
  return {
    min: isDraining || intent.mode !== 'automatic' ? 0 : scale.min,
    want,
    leaving: retiring + stopping + calledOff,
    isFixed: isLeftAlone(view),
  };
}

/** While it sleeps, what was asked for may still be on its way though nobody waits for it now. */
function lastingWant(view: ServiceView): number {
  const { mode, target } = view.intent;
  if (mode === 'leaving') return 0;
  return availableIn(view) === 0 ? Math.max(wantedIn(view), target) : wantedIn(view);
}

/** How many more starts may begin now, beside those that stand in the queue. */
function startable({ circuit, now, mayStart, run }: ServiceView): number {
  return mayStart && run?.contact === 'known' ? allowance(circuit, now) : 0;
}

/** Whether nothing may be taken away from it for others now. */
export function isLeftAlone(view: ServiceView): boolean {
  const { replicas, run, scale, intent, now, isFrozen, isDraining, mayEnd } = view;
  const isOther = ({ state, hash }: ReplicaView) => (state === 'ready' || state === 'starting') && hash !== run?.hash;
  return isFrozen || isDraining || !mayEnd || scale.dryRun || now < intent.leftAloneUntil || replicas.some(isOther);
}
