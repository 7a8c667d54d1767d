import type { StartCause } from '../../model/replica.ts';
import type { RetireSaying, StartInputs } from '../journal/decision-log.ts';
import type { ReplicaView } from '../replica/replica-view.ts';
import type { RetireReason } from '../replica/retire.ts';
import { countsOf, queuedIn, type ServiceView } from './service-view.ts';

/** Ordinals of the replicas that a step is about, in the order in which their turn comes. */
export type Ordinals = readonly number[];

/** What the decision log says of starts: they wake the service, or fill up what is there. */
interface StartSaying {
  action: 'waking' | 'refilling';
  from: number;
  inputs: StartInputs;
}

/** Something to be done about a service's replicas. */
export type Step =
  /** Starts that stand in the queue behind a rate limit go ahead: requests wait for them. */
  | { do: 'hurry-starts' }
  /** Queues starts, each in the lowest place that is free then. Nothing is said where the scaler said it, or will. */
  | { do: 'start'; count: number; cause: StartCause; says: StartSaying | undefined }
  /** Takes starts out of the queue. */
  | { do: 'withdraw'; replicas: Ordinals }
  /** Calls off starts and adoptions under way, and stops what they started. */
  | { do: 'call-off'; replicas: Ordinals }
  /** Lets starts go on at once after failures: what was is no guide any more. */
  | { do: 'forgive' }
  /** Begins the two-phase end of ready replicas. Nothing is said where the scaler said it. */
  | { do: 'retire'; replicas: Ordinals; reason: RetireReason; says: RetireSaying | undefined }
  /** Says that replicas would be put to sleep, and does not do it. */
  | { do: 'rest-dry'; replicas: Ordinals; idleForMs: number; says: RetireSaying }
  /** Says that replacing those that are sick is no use. */
  | { do: 'give-up-on-sick'; replicas: Ordinals }
  /** What retires without haste has no longer than the drain from now on. */
  | { do: 'hurry-retires' }
  /** Calls retirements off. */
  | { do: 'revoke'; replicas: Ordinals; why: string }
  /** Stops paused replicas. @param why as in `because …` */
  | { do: 'drop'; replicas: Ordinals; why: string }
  /** Ends everything at once: nothing is sent to it any more. */
  | { do: 'stop-now' }
  /** Pre-positions what does not run. */
  | { do: 'prepare'; replicas: Ordinals }
  /** Looks again at a time, the clock's ms: the first of those that were named since the last look. */
  | { do: 'look-again'; at: number };

/** Nothing is done where that is nothing, or where replicas may not be ended. */
export function retire(
  view: ServiceView,
  replicas: readonly ReplicaView[],
  reason: RetireReason,
  says: Omit<RetireSaying, 'from'> | undefined,
): Step[] {
  if (replicas.length === 0 || !view.mayEnd) return [];
  const from = countsOf(view).ready;
  return [{ do: 'retire', replicas: ordinals(replicas), reason, says: says && { from, ...says } }];
}

export function revoke(replicas: readonly ReplicaView[], why: string): Step[] {
  return replicas.length === 0 ? [] : [{ do: 'revoke', replicas: ordinals(replicas), why }];
}

/** Nothing is done where that is nothing, or where replicas may not be ended. */
export function drop({ mayEnd }: ServiceView, replicas: readonly ReplicaView[], why: string): Step[] {
  return replicas.length === 0 || !mayEnd ? [] : [{ do: 'drop', replicas: ordinals(replicas), why }];
}

export function withdraw(replicas: readonly ReplicaView[]): Step[] {
  return replicas.length === 0 ? [] : [{ do: 'withdraw', replicas: ordinals(replicas) }];
}

export function callOff(replicas: readonly ReplicaView[]): Step[] {
  const begun = replicas.filter(({ doing }) => doing === 'start' || doing === 'adopt');
  return begun.length === 0 ? [] : [{ do: 'call-off', replicas: ordinals(begun) }];
}

export function callOffStarts(view: ServiceView): Step[] {
  return [...withdraw(queuedIn(view)), ...callOff(view.replicas)];
}

/** Pre-positions whatever does not run. */
export function prepareAll(view: ServiceView): Step[] {
  if (view.run?.contact !== 'known') return [];
  return prepare(
    view,
    Array.from({ length: view.scale.max }, (_, index) => index + 1),
  );
}

export function prepare({ run, intent }: ServiceView, replicas: readonly number[]): Step[] {
  return run?.prepares && intent.mode !== 'leaving' ? [{ do: 'prepare', replicas }] : [];
}

export function ordinals(replicas: readonly ReplicaView[]): number[] {
  return replicas.map(({ ordinal }) => ordinal);
}
