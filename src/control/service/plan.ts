import type { RetireSaying } from '../journal/decision-log.ts';
import type { ReplicaView } from '../replica/replica-view.ts';
import type { RetireReason } from '../replica/retire.ts';
import { wantedReplicas } from '../scale/demand.ts';
import { idleVerdict } from '../scale/idle-policy.ts';
import { victimsFirst } from '../scale/victims.ts';
import { allowance, blockedUntil } from '../start/circuit.ts';
import { planReplacement } from './replacement.ts';
import { availableIn, countsOf, demandOf, isAsked, readyIn, type ServiceView, wantedIn } from './service-view.ts';
import { planShrink } from './shrink-plan.ts';
import { planStarts } from './start-plan.ts';
import { foresee, type Step } from './step.ts';

/** Part of a plan; the parts after it see what it brings about. */
type Part = (view: ServiceView) => Step[];

/** Whatever changed: brings about what is wanted as far as may be now. */
const lookParts: readonly Part[] = [answerDemand, takeBack, startMissing, replaceOutdated, rest];

/**
 * What is to be done about a service after its last news. It comes to rest: once it is carried out and nothing else has
 * happened, another look finds nothing to do.
 */
export function plan(view: ServiceView): Step[] {
  const { news } = view;
  switch (news.type) {
    case 'looked':
      return inTurn(view, view.intent.mode === 'leaving' ? [] : lookParts);

    case 'woken':
      return view.intent.isWoken && isBlocked(view) ? [{ do: 'forgive' }] : [];
    case 'slept':
      // What requests wait for is not called off: they would only ask again.
      return [
        { do: 'hurry-retires' },
        ...(view.held === 0 ? callOffStarts(view) : []),
        ...retire(view, readyIn(view), 'by-hand', {}),
      ];
    case 'scaled':
      return news.to < countsOf(view).ready
        ? retire(view, victimsFirst(readyIn(view)).slice(0, 1), 'scale-down', undefined)
        : [];
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
      return [...(isBlocked(view) ? withdraw(queuedIn(view)) : []), ...prepare(view, [news.replica.ordinal])];
    case 'adoption-failed':
    case 'exited':
    case 'stopped':
      return prepare(view, [news.replica.ordinal]);

    case 'edge-lost':
      return rest(view);

    case 'ready':
    case 'retiring':
    case 'revoked':
    case 'rested':
      return [];
  }
}

/**
 * Nothing of ours runs, nothing is asked for and nothing waits for its time: until something happens, which is looked
 * at then, another look would find nothing to do.
 */
export function isDormant(view: ServiceView): boolean {
  const { run, intent } = view;
  if (intent.mode === 'leaving') return false;
  if (run !== undefined && (run.contact !== 'known' || availableIn(view) > 0 || wantedIn(view) > 0)) return false;
  return countsOf(view).live === 0 && view.isSilent && !isBlocked(view);
}

function inTurn(view: ServiceView, parts: readonly Part[]): Step[] {
  const steps: Step[] = [];
  let seen = view;
  for (const part of parts) {
    const more = part(seen);
    steps.push(...more);
    seen = more.reduce(foresee, seen);
  }
  return steps;
}

// After a look

/** Requests wait for what sleeps, or an operator does: what retires is had back, and what is queued goes ahead. */
function answerDemand(view: ServiceView): Step[] {
  if (!mayStart(view) || !isAsked(view) || availableIn(view) > 0) return [];
  const isHeldUp = view.replicas.some(({ isLimited }) => isLimited);
  return [
    ...(isHeldUp ? [{ do: 'hurry-starts' } as const] : []),
    ...revoke(revocableIn(view).slice(0, wantedIn(view)), 'a request came'),
  ];
}

/** What drains without haste is there at once, and takes no room besides. */
function takeBack(view: ServiceView): Step[] {
  const { run, replicas } = view;
  const { queued, starting, ready, retiring } = countsOf(view);
  const missing = wantedIn(view) - queued - starting - ready;
  if (!mayStart(view) || retiring === 0 || missing <= 0) return [];
  const fit = replicas.filter(
    ({ reason, hash, isRevocable, isClosing }) =>
      reason === 'scale-down' && isRevocable && !isClosing && hash === run?.hash,
  );
  return revoke(fit.slice(0, missing), 'it is needed again');
}

/** Compares what there is, and what is coming, with what should be there. */
function startMissing(view: ServiceView): Step[] {
  const { news, scale, intent } = view;
  if (!mayStart(view)) return [];
  const counts = countsOf(view);
  const demand = demandOf(view);
  const wanted = wantedReplicas(demand);
  const { start, cause, ...planned } = planStarts({
    demand,
    wanted,
    target: intent.target,
    counts,
    startsAllowed: view.mayStart ? startsAllowed(view) : 0,
    min: scale.min,
    max: scale.max,
    otherwise: news.type === 'looked' ? news.cause : 'replacement',
  });
  // One that replaces another is not counted as wanted.
  const queued = queuedIn(view).filter((replica) => replica.cause !== 'new-run');
  const withdrawn = withdraw(queued.slice(0, planned.withdraw));
  if (start === 0) return withdrawn;
  const from = counts.queued + counts.starting + counts.ready;
  const action = demand.ready === 0 ? 'waking' : 'refilling';
  const isSaid = action === 'waking' || cause !== 'scale-up';
  const says = isSaid ? ({ action, from, inputs: { ...demand, wanted } } as const) : undefined;
  return [...withdrawn, { do: 'start', count: start, cause, says }];
}

/** Goes on with a change of `run`. */
function replaceOutdated(view: ServiceView): Step[] {
  const { run, replicas, scale } = view;
  if (run === undefined || !mayStart(view) || view.isDraining) return [];
  const wanted = wantedIn(view);
  const planned = planReplacement({
    replicas,
    hash: run.hash,
    wanted,
    max: scale.max,
    startsAllowed: startsAllowed(view),
  });
  if (planned.start) return [{ do: 'start', count: 1, cause: 'new-run', says: undefined }];
  return inTurn(
    view,
    planned.retire.map((replica) => (seen) => retire(seen, [replica], 'replaced', {})),
  );
}

/** Puts what is idle to sleep, or looks again when it will be. */
function rest(view: ServiceView): Step[] {
  const { now, scale, intent, isFresh, isBusy, lastActivityAt, isDraining } = view;
  const ready = readyIn(view);
  const verdict = idleVerdict({
    now,
    idleMs: isDraining ? 'never' : scale.idleMs,
    min: scale.min,
    ready: ready.length,
    fresh: isFresh,
    busy: isBusy,
    lastActivityAt,
    readyAt: ready[0]?.readyAt ?? 0,
    notBefore: intent.idleNotBefore,
  });
  if (verdict.verdict === 'stay') return [];
  if (verdict.verdict === 'later') return [{ do: 'look-again', at: verdict.at }];
  const { idleForMs } = verdict;
  const surplus = ready.slice(0, ready.length - scale.min);
  const idleFor = idleForMs < 1000 ? `${Math.round(idleForMs)} ms` : `${Math.round(idleForMs / 1000)} s`;
  const says = { text: `idle for ${idleFor}`, inputs: { idleForMs } };
  if (!scale.dryRun) return retire(view, surplus, 'idle', says);
  return [{ do: 'rest-dry', replicas: ordinals(surplus), idleForMs, says: { from: ready.length, ...says } }];
}

// After a change of the configuration

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
    ...callOff(outdated),
    ...(news.inPlace ? retire(view, readyIn(view), 'reconfigured', {}) : []),
    ...prepareAll(view),
  ];
}

/** Never without cause: during a replacement there is one more than `max`. */
function shrink(view: ServiceView): Step[] {
  const { news, run, replicas, scale } = view;
  if (news.type !== 'configured' || run === undefined || scale.max >= news.maxBefore) return [];
  const planned = planShrink({ replicas, hash: run.hash, max: scale.max });
  return [
    ...withdraw(planned.withdraw),
    ...callOff(planned.callOff),
    ...retire(view, planned.retire, 'scale-down', { text: `over max ${scale.max}` }),
  ];
}

function endAll(view: ServiceView): Step[] {
  return [{ do: 'hurry-retires' }, ...callOffStarts(view), ...retire(view, readyIn(view), 'removed', {})];
}

// Steps

/** Nothing is done where that is nothing, or where replicas may not be ended. */
function retire(
  view: ServiceView,
  replicas: readonly ReplicaView[],
  reason: RetireReason,
  says: Omit<RetireSaying, 'from'> | undefined,
): Step[] {
  if (replicas.length === 0 || !view.mayEnd) return [];
  const from = countsOf(view).ready;
  return [{ do: 'retire', replicas: ordinals(replicas), reason, says: says && { from, ...says } }];
}

function revoke(replicas: readonly ReplicaView[], why: string): Step[] {
  return replicas.length === 0 ? [] : [{ do: 'revoke', replicas: ordinals(replicas), why }];
}

function withdraw(replicas: readonly ReplicaView[]): Step[] {
  return replicas.length === 0 ? [] : [{ do: 'withdraw', replicas: ordinals(replicas) }];
}

function callOff(replicas: readonly ReplicaView[]): Step[] {
  const begun = replicas.filter(({ doing }) => doing === 'start' || doing === 'adopt');
  return begun.length === 0 ? [] : [{ do: 'call-off', replicas: ordinals(begun) }];
}

function callOffStarts(view: ServiceView): Step[] {
  return [...withdraw(queuedIn(view)), ...callOff(view.replicas)];
}

/** Pre-positions whatever does not run. */
function prepareAll(view: ServiceView): Step[] {
  if (view.run?.contact !== 'known') return [];
  return prepare(
    view,
    Array.from({ length: view.scale.max }, (_, index) => index + 1),
  );
}

function prepare({ run, intent }: ServiceView, replicas: readonly number[]): Step[] {
  return run?.prepares && intent.mode !== 'leaving' ? [{ do: 'prepare', replicas }] : [];
}

// What the view tells

/** Whether it can be started at all, and it is known what runs. */
function mayStart({ run }: ServiceView): boolean {
  return run?.contact === 'known';
}

function startsAllowed({ circuit, now }: ServiceView): number {
  return allowance(circuit, now);
}

/** Whether starts wait for the end of a back-off. */
function isBlocked({ circuit, now }: ServiceView): boolean {
  return blockedUntil(circuit, now) !== undefined;
}

/** Starts in the queue, the last place first. */
function queuedIn({ replicas }: ServiceView): ReplicaView[] {
  return replicas.filter(({ doing }) => doing === 'queued').reverse();
}

/** Retiring replicas that can be had back, those first that became ready last. */
function revocableIn({ replicas }: ServiceView): ReplicaView[] {
  return replicas.filter(({ isRevocable }) => isRevocable).sort((a, b) => b.readyAt - a.readyAt);
}

function ordinals(replicas: readonly ReplicaView[]): number[] {
  return replicas.map(({ ordinal }) => ordinal);
}
