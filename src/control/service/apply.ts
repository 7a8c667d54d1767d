import type { ReplicaView } from '../replica/replica-view.ts';
import { blockedUntil, isFailing } from '../start/circuit.ts';
import type { ServiceEvent } from './service-event.ts';
import {
  availableIn,
  countsOf,
  type Intent,
  isAsked,
  newIntent,
  reserveIn,
  type ServiceView,
  wantedIn,
} from './service-view.ts';

/**
 * The view after an event: what is intended with the service from then on, and the replicas as they are then. The one
 * place in which that changes.
 */
export function apply(before: ServiceView, event: ServiceEvent): ServiceView {
  const view = { ...before, news: event, replicas: withReplicas(before.replicas, event) };
  const intent = intentAfter(view, event);
  return intent === view.intent ? view : { ...view, intent };
}

function intentAfter(view: ServiceView, event: ServiceEvent): Intent {
  // By far the most frequent.
  if (event.type === 'looked') return afterLook(view);
  const { intent, now, scale } = view;
  const { queued, starting, ready } = countsOf(view);
  switch (event.type) {
    case 'woken':
      return { ...woken(intent, ready), wokenTo: intent.isWoken ? intent.wokenTo : undefined };
    case 'slept':
      return { ...intent, mode: 'slept', isWoken: false };
    case 'scaled':
      return { ...intent, target: event.to };
    case 'scaled-by-hand':
      return {
        ...woken(intent, ready),
        wokenTo: event.to,
        target: event.to,
        leftAloneUntil: now + scale.guards.cooldownMs,
      };
    case 'configured': {
      const mode = intent.mode === 'leaving' ? 'automatic' : intent.mode;
      const sickness = event.run === 'same' ? intent.sickness : newIntent.sickness;
      return { ...intent, mode, sickness, isWoken: intent.isWoken && event.run !== 'none' };
    }
    case 'removed':
      return { ...intent, mode: 'leaving', isWoken: false };
    case 'ended':
      return { ...intent, mode: 'leaving' };
    case 'contacted':
      // Nothing can be started: who waits for it is answered.
      return view.run?.contact === 'unreachable' && availableIn(view) === 0
        ? { ...intent, failures: intent.failures + 1 }
        : intent;

    case 'ready': {
      if (!event.isAdopted) return intent;
      const watchMs = Math.max(view.keepMs === 'never' ? 0 : view.keepMs, scale.latency.windowMs);
      return { ...raised(intent, ready), idleNotBefore: Math.max(intent.idleNotBefore, now + watchMs) };
    }
    case 'start-failed': {
      const coming = comingIn(view);
      return {
        ...intent,
        isWoken: false,
        failures: intent.failures + Number(isOut(view)),
        // Whether the rest is enough is the scaler's to say, from what it measures then.
        target: ready > 0 ? withReserve(view, ready + coming) : intent.target,
      };
    }
    case 'exited': {
      // An idle one, or the last one, may have been stopped on purpose: it waits until somebody asks.
      const isLeft = availableIn(view) === 0 || !(event.wasInUse || event.isLost);
      const failures = intent.failures + Number(isOut(view));
      return { ...intent, failures, target: isLeft ? withReserve(view, ready + starting + queued) : intent.target };
    }
    case 'retiring':
      if (event.reason === 'replaced' || event.reason === 'leaving') return intent;
      return event.reason === 'unhealthy' ? replacing(intent, event.replicas) : { ...intent, target: ready };
    case 'revoked': {
      const back = raised(intent, ready);
      return raised(back, wantedIn({ ...view, intent: back }));
    }
    case 'rested':
      return { ...intent, idleNotBefore: Math.max(intent.idleNotBefore, now + Math.max(1000, event.idleForMs)) };

    case 'gave-up':
      return { ...intent, sickness: { state: 'given-up' } };

    case 'drained-by-hand':
    case 'handed-over':
    case 'edge-lost':
    case 'room-wanted':
    case 'adoption-failed':
    case 'stopped':
    case 'paused':
    case 'frozen-ended':
    case 'resume-failed':
      return intent;
  }
}

function woken(intent: Intent, ready: number): Intent {
  return { ...intent, mode: 'automatic', isWoken: intent.isWoken || ready === 0, sickness: { state: 'none' } };
}

/** Starts that go on; while starts are blocked, what is queued is withdrawn. */
function comingIn(view: ServiceView): number {
  const { queued, starting } = countsOf(view);
  return starting + (blockedUntil(view.circuit, view.now) === undefined ? queued : 0);
}

/** Nothing serves, and nothing will before the back-off is over: nobody waits for it. */
function isOut(view: ServiceView): boolean {
  return isFailing(view.circuit) && comingIn(view) + availableIn(view) + reserveIn(view).length === 0;
}

/** So many replicas, and those in reserve for the ones that are missing: they serve again. */
function withReserve(view: ServiceView, count: number): number {
  return Math.max(count, Math.min(view.intent.target, count + reserveIn(view).length));
}

/** Whether it is awake by now, and whether anything asks for it. */
function afterLook(view: ServiceView): Intent {
  const isAwake = availableIn(view) > 0;
  const intent = recovered(view, isAwake ? satisfied(view) : asleep(view.intent));
  if (intent.mode === 'leaving' || view.run?.contact !== 'known') return intent;
  const seen = { ...view, intent };
  if (isAwake) {
    const asked = isAsked(seen) ? { ...intent, mode: 'automatic' as const } : intent;
    return raised(asked, wantedIn({ ...view, intent: asked }));
  }
  if (!isAsked(seen)) return forgotten(seen);
  const asked: Intent = {
    ...intent,
    mode: 'automatic',
    arrivalsBefore: intent.arrivalsBefore ?? view.arrivalsPerSecond,
  };
  // What can be had back may be enough: how much it has to be then is seen when it is there.
  const isRevoked = view.replicas.some(({ isRevocable }) => isRevocable);
  return isRevoked ? asked : raised(asked, wantedIn({ ...view, intent: asked }));
}

function replacing(intent: Intent, retiring: readonly ReplicaView[]): Intent {
  if (intent.sickness.state !== 'none') return intent;
  const since = Math.min(...retiring.map(({ sickSince = Number.POSITIVE_INFINITY }) => sickSince));
  return { ...intent, sickness: { state: 'replacing', since } };
}

/** One that is well, and has been checked for long enough, shows that replicas can be. */
function recovered({ replicas, now, sickAfterMs }: ServiceView, intent: Intent): Intent {
  if (intent.sickness.state === 'none') return intent;
  const isWell = ({ state, isUnhealthy = false, readyAt }: ReplicaView) =>
    state === 'ready' && !isUnhealthy && now - readyAt >= sickAfterMs;
  return replicas.some(isWell) ? { ...intent, sickness: { state: 'none' } } : intent;
}

/** It is awake: what it was asked for is there. */
function satisfied({ intent, now }: ServiceView): Intent {
  const { awakeSince, isWoken, arrivalsBefore } = intent;
  if (awakeSince !== undefined && !isWoken && arrivalsBefore === undefined) return intent;
  return { ...intent, awakeSince: awakeSince ?? now, isWoken: false, arrivalsBefore: undefined };
}

function asleep(intent: Intent): Intent {
  return intent.awakeSince === undefined ? intent : { ...intent, awakeSince: undefined };
}

/**
 * Nobody is held: what was asked for is no measure of what the next one needs. What is being started may go on, and who
 * looks at a waiting page still waits for a start in the queue.
 */
function forgotten(view: ServiceView): Intent {
  const { intent, scale } = view;
  const { queued, starting } = countsOf(view);
  const least = intent.arrivalsBefore === undefined ? 0 : Math.max(1, scale.initial, scale.min);
  const target = Math.min(queued + starting, Math.max(starting, least));
  const arrivalsBefore = queued + starting === 0 ? undefined : intent.arrivalsBefore;
  if (target === intent.target && arrivalsBefore === intent.arrivalsBefore) return intent;
  return { ...intent, target, arrivalsBefore };
}

function raised(intent: Intent, to: number): Intent {
  return to > intent.target ? { ...intent, target: to } : intent;
}

function withReplicas(replicas: readonly ReplicaView[], event: ServiceEvent): readonly ReplicaView[] {
  if ('replica' in event) return put(replicas, event.replica);
  return event.type === 'retiring' ? event.replicas.reduce(put, replicas) : replicas;
}

/** With one replica as it is now. */
export function put(replicas: readonly ReplicaView[], replica: ReplicaView): readonly ReplicaView[] {
  const others = replicas.filter(({ ordinal }) => ordinal !== replica.ordinal);
  return [...others, replica].sort((a, b) => a.ordinal - b.ordinal);
}
