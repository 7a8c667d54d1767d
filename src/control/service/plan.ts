import { formatDuration } from '../../util/units.ts';
import type { ReplicaView } from '../replica/replica-view.ts';
import { victimsFirst } from '../scale/victims.ts';
import { blockedUntil } from '../start/circuit.ts';
import { inTurn, planLook, rest } from './look-plan.ts';
import { planMakeRoom } from './make-room-plan.ts';
import {
  availableIn,
  countsOf,
  isInPlaceOf,
  queuedIn,
  readyIn,
  reserveIn,
  revocableIn,
  type ServiceView,
  sickFirst,
  wantedIn,
} from './service-view.ts';
import { planShrink } from './shrink-plan.ts';
import { callOff, callOffStarts, drop, prepare, prepareAll, retire, revoke, type Step, withdraw } from './step.ts';

/**
 * What is to be done about a service after its last news. It comes to rest: once it is carried out and nothing else has
 * happened, another look finds nothing to do.
 */
export function plan(view: ServiceView): Step[] {
  const { news } = view;
  switch (news.type) {
    case 'looked':
      return planLook(view);

    case 'woken':
      return isBlocked(view) ? [{ do: 'forgive' }] : [];
    case 'slept':
      // What requests wait for is not called off: they would only ask again.
      return [
        { do: 'hurry-retires' },
        ...(view.held === 0 ? callOffStarts(view) : []),
        ...retire(view, readyIn(view), 'by-hand', {}),
      ];
    case 'scaled':
      return news.to < countsOf(view).ready
        ? retire(
            view,
            sickFirst(victimsFirst(readyIn(view))).slice(0, countsOf(view).ready - news.to),
            'scale-down',
            undefined,
          )
        : [];
    case 'scaled-by-hand':
      return [
        ...(isBlocked(view) ? [{ do: 'forgive' } as const] : []),
        ...shrinkTo(view, lasting(view), news.to, undefined),
      ];
    case 'drained-by-hand': {
      const isIt = ({ ordinal }: ReplicaView) => ordinal === news.ordinal;
      return news.drain
        ? retire(view, readyIn(view).filter(isIt), 'drained', {})
        : revoke(revocableIn(view).filter(isIt), 'by hand');
    }
    case 'configured':
      return inTurn(view, [changeRun, shrink]);
    case 'removed':
      return endAll(view);
    case 'ended':
      return [{ do: 'stop-now' }];
    case 'handed-over':
      // Nothing more is begun, and what can be had back of what retires is.
      return [...withdraw(queuedIn(view)), ...revoke(revocableIn(view), 'a request came')];
    case 'contacted':
      return prepareAll(view);

    case 'start-failed':
    case 'exited':
      return [
        ...(isBlocked(view) ? withdraw(queuedIn(view)) : []),
        ...giveBack(view, news.replica),
        ...prepare(view, [news.replica.ordinal]),
      ];
    case 'adoption-failed':
    case 'stopped':
    case 'frozen-ended':
      return prepare(view, [news.replica.ordinal]);

    case 'edge-lost':
      return rest(view);
    case 'room-wanted':
      return planMakeRoom(view);

    case 'ready':
    case 'retiring':
    case 'revoked':
    case 'rested':
    case 'gave-up':
    case 'resume-failed':
      return [];

    case 'paused':
      // It was on its way to that when the service went: nobody would have it go on.
      return view.run === undefined || view.intent.mode === 'leaving' ? dropPaused(view) : [];
  }
}

/**
 * Nothing of ours runs, nothing is asked for and nothing waits for its time: until something happens, which is looked
 * at then, another look would find nothing to do.
 */
export function isDormant(view: ServiceView): boolean {
  const { run, intent } = view;
  if (intent.mode === 'leaving' || view.isFrozen) return false;
  if (run !== undefined && (run.contact !== 'known' || availableIn(view) > 0 || wantedIn(view) > 0)) return false;
  const isPaused = view.replicas.some(({ state }) => state === 'paused');
  return countsOf(view).live === 0 && !isPaused && view.isSilent && !isBlocked(view);
}

function changeRun(view: ServiceView): Step[] {
  const { news, replicas, run, scale } = view;
  if (news.type !== 'configured') return [];
  if (news.run === 'none') return endAll(view);
  if (news.run === 'same') return scale.max > news.maxBefore ? prepareAll(view) : [];
  // What is only starting, with the old one, need not get ready first.
  const outdated = replicas.filter(({ hash }) => hash !== run?.hash);
  return [
    { do: 'hurry-retires' },
    { do: 'forgive' },
    // What was taken back is there at once.
    ...revoke(
      reserveIn(view).filter(({ hash }) => hash === run?.hash),
      'its run is the present one again',
    ),
    ...callOff(outdated),
    ...(news.inPlace ? retire(view, readyIn(view), 'reconfigured', {}) : []),
    ...prepareAll(view),
  ];
}

/** One with the present `run` ended while those that it took over from were kept for that: they serve again. */
function giveBack(view: ServiceView, { state, hash, readyAt }: ReplicaView): Step[] {
  const { intent, run, now } = view;
  if (intent.mode !== 'automatic' || state !== 'stopped' || hash !== run?.hash) return [];
  const { starting, ready } = countsOf(view);
  const missing = Math.max(0, intent.target - starting - ready);
  const why = `one with the present run ended ${formatDuration(Math.round(now - readyAt))} after it was ready`;
  return revoke(reserveIn(view).slice(0, missing), why);
}

/** Never without cause: during a replacement there is one more than `max`. */
function shrink(view: ServiceView): Step[] {
  const { news, scale } = view;
  if (news.type !== 'configured' || scale.max >= news.maxBefore) return [];
  return shrinkTo(view, view.replicas, scale.max, { text: `over max ${scale.max}` });
}

/** Without what is being started in place of another, which goes for it. */
function lasting({ replicas }: ServiceView): ReplicaView[] {
  return replicas.filter(({ cause }) => !isInPlaceOf(cause));
}

/** @param says undefined where the decision was told already */
function shrinkTo(
  view: ServiceView,
  replicas: readonly ReplicaView[],
  max: number,
  says: Parameters<typeof retire>[3],
): Step[] {
  const { run } = view;
  if (run === undefined) return [];
  const planned = planShrink({ replicas, hash: run.hash, max });
  return [
    ...withdraw(planned.withdraw),
    ...callOff(planned.callOff),
    ...retire(view, planned.retire, 'scale-down', says),
  ];
}

function endAll(view: ServiceView): Step[] {
  return [
    { do: 'hurry-retires' },
    ...callOffStarts(view),
    ...retire(view, readyIn(view), 'removed', {}),
    ...dropPaused(view),
  ];
}

function dropPaused(view: ServiceView): Step[] {
  const paused = view.replicas.filter(({ state }) => state === 'paused');
  return drop(view, paused, 'the service is not started any more');
}

/** Whether starts wait for the end of a back-off. */
function isBlocked({ circuit, now }: ServiceView): boolean {
  return blockedUntil(circuit, now) !== undefined;
}
