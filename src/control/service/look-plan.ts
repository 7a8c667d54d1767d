import type { ReplicaView } from '../replica/replica-view.ts';
import { wantedReplicas } from '../scale/demand.ts';
import { idleVerdict } from '../scale/idle-policy.ts';
import { allowance, CRASH_MS, scalingAllowance } from '../start/circuit.ts';
import { foresee } from './foresee.ts';
import { planGiveUp } from './give-up-plan.ts';
import { planReplacement } from './replacement.ts';
import {
  availableIn,
  countsOf,
  demandOf,
  isAsked,
  isInPlaceOf,
  queuedIn,
  readyIn,
  reserveIn,
  returnableIn,
  revocableIn,
  type ServiceView,
  sickFirst,
  wantedIn,
} from './service-view.ts';
import { planSick } from './sick-plan.ts';
import { planStandby } from './standby-plan.ts';
import { planStarts } from './start-plan.ts';
import { ordinals, retire, revoke, type Step, withdraw } from './step.ts';

/** Part of a plan. */
type Part = (view: ServiceView) => Step[];

/** What is to be done whatever changed: brings about what is wanted as far as may be now. */
export function planLook(view: ServiceView): Step[] {
  if (view.intent.mode === 'leaving') return [];
  // While it is not known what runs, nothing is started.
  const isKnown = view.run?.contact === 'known';
  return onceAgain(
    inTurn(
      view,
      isKnown
        ? [answerDemand, takeBack, planSick, planGiveUp, startMissing, replaceOutdated, planStandby, rest]
        : [rest],
    ),
  );
}

/** Of several times to look again at the first one alone, which brings about the others. */
function onceAgain(steps: readonly Step[]): Step[] {
  const times = steps.flatMap((step) => (step.do === 'look-again' ? [step.at] : []));
  if (times.length < 2) return [...steps];
  return [...steps.filter((step) => step.do !== 'look-again'), { do: 'look-again', at: Math.min(...times) }];
}

/** The steps of one part after the other, each of which sees what those before it bring about. */
export function inTurn(view: ServiceView, parts: readonly Part[]): Step[] {
  const steps: Step[] = [];
  let seen = view;
  for (const part of parts) {
    const more = part(seen);
    steps.push(...more);
    seen = more.reduce(foresee, seen);
  }
  return steps;
}

/** Requests wait for what sleeps, or an operator does: what retires is had back, and what is queued goes ahead. */
function answerDemand(view: ServiceView): Step[] {
  if (!isAsked(view) || availableIn(view) > 0) return [];
  const isHeldUp = view.replicas.some(({ isLimited }) => isLimited);
  return [
    ...(isHeldUp ? [{ do: 'hurry-starts' } as const] : []),
    ...revoke(revocableIn(view).slice(0, wantedIn(view)), 'a request came'),
  ];
}

/** What drains without haste, or is kept in reserve, is there at once, and takes no room besides. */
function takeBack(view: ServiceView): Step[] {
  const { queued, starting, ready, retiring } = countsOf(view);
  if (retiring === 0) return [];
  const missing = wantedIn(view) - queued - starting - ready;
  const back = [...returnableIn(view), ...reserveIn(view)].slice(0, Math.max(0, missing));
  return revoke(back, 'it is needed again');
}

/** Compares what there is, and what is coming, with what should be there. */
function startMissing(view: ServiceView): Step[] {
  const { news, scale, intent } = view;
  const counts = countsOf(view);
  const demand = demandOf(view);
  const wanted = wantedReplicas(demand);
  const { cause, ...planned } = planStarts({
    demand,
    wanted,
    target: intent.target,
    counts,
    startsAllowed: view.mayStart ? missingAllowed(view) : 0,
    min: scale.min,
    minCause: view.floor.cause,
    max: scale.max,
    otherwise: news.type === 'looked' ? news.cause : 'replacement',
  });
  // One that replaces another is not counted as wanted.
  const queued = queuedIn(view).filter(({ cause }) => !isInPlaceOf(cause));
  const withdrawn = withdraw(queued.slice(0, planned.withdraw));
  // What is about to be paused is there again sooner than what is started.
  const pausing = view.replicas.filter(({ state }) => state === 'pausing').length;
  const start = Math.max(0, planned.start - pausing);
  if (start === 0) return withdrawn;
  const from = counts.queued + counts.starting + counts.ready;
  const action = demand.ready === 0 ? 'waking' : 'refilling';
  const isSaid = action === 'waking' || (cause !== 'scale-up' && cause !== 'by-hand');
  const says = isSaid ? ({ action, from, inputs: { ...demand, wanted } } as const) : undefined;
  return [...withdrawn, { do: 'start', count: start, cause, says }];
}

/** Goes on with a change of `run`, and replaces what leaves. */
function replaceOutdated(view: ServiceView): Step[] {
  const { run, replicas, scale } = view;
  if (run === undefined || view.isDraining) return [];
  const planned = planReplacement({
    replicas,
    hash: run.hash,
    wanted: wantedIn(view),
    max: scale.max,
    startsAllowed: startsAllowed(view),
  });
  if (planned.start) return [{ do: 'start', count: 1, cause: replacing(view, run.hash), says: undefined }];
  return inTurn(
    view,
    planned.retire.map((replica) => (seen) => {
      const { leaving: text } = replica;
      return text === undefined
        ? retire(seen, [replica], 'replaced', {})
        : retire(seen, [replica], 'leaving', { text });
    }),
  );
}

/** What a replacement is for; one of the present `run` serves for both. */
function replacing({ replicas }: ServiceView, hash: string): 'new-run' | 'leaving' {
  const isOutdated = (each: ReplicaView) => each.state === 'ready' && each.hash !== hash;
  return replicas.some(isOutdated) ? 'new-run' : 'leaving';
}

/** Puts what is idle to sleep, or looks again when it will be. */
export function rest(view: ServiceView): Step[] {
  const { now, scale, keepMs, intent, isFresh, isBusy, lastActivityAt, isDraining } = view;
  const ready = readyIn(view);
  const verdict = idleVerdict({
    now,
    idleMs: isDraining || view.isFrozen ? 'never' : keepMs,
    min: scale.min,
    ready: ready.length,
    fresh: isFresh,
    busy: isBusy,
    lastActivityAt,
    readyAt: lastReadyAt(view, ready),
    notBefore: intent.idleNotBefore,
  });
  const { changesAt = Number.POSITIVE_INFINITY } = view.floor;
  const again = Math.min(changesAt, verdict.verdict === 'later' ? verdict.at : Number.POSITIVE_INFINITY);
  const lookAgain: Step[] = again === Number.POSITIVE_INFINITY ? [] : [{ do: 'look-again', at: again }];
  if (verdict.verdict !== 'retire') return lookAgain;
  const { idleForMs } = verdict;
  const surplus = sickFirst(ready).slice(0, ready.length - scale.min);
  const idleFor = idleForMs < 999.5 ? `${Math.round(idleForMs)} ms` : `${Math.round(idleForMs / 1000)} s`;
  const longer = view.isKeptLonger ? ', kept longer since its wakes take more than their share of the starts' : '';
  const late = isInVain(view, ready) ? '; the call that was expected did not come' : '';
  const says = { text: `idle for ${idleFor}${longer}${late}`, inputs: { idleForMs } };
  if (!scale.dryRun) return [...retire(view, surplus, 'idle', says), ...lookAgain];
  return [
    ...lookAgain,
    { do: 'rest-dry', replicas: ordinals(surplus), idleForMs, says: { from: ready.length, ...says } },
  ];
}

/** A replica that was started ahead of a call that did not come is not kept for longer. */
function isInVain({ expected, lastActivityAt }: ServiceView, [last]: readonly ReplicaView[]): boolean {
  if (expected === undefined || last === undefined || lastActivityAt > expected.fromAt) return false;
  return last.readyAt >= expected.fromAt && last.readyAt <= expected.untilAt;
}

/** When it began to be idle, if nothing was asked of it. */
function lastReadyAt(view: ServiceView, ready: readonly ReplicaView[]): number {
  return isInVain(view, ready) ? 0 : (ready[0]?.readyAt ?? 0);
}

/** What scaling asks for need not wait for the end of a back-off after crashes. */
function missingAllowed(view: ServiceView): number {
  const { news, circuit, now, replicas, run } = view;
  const isScaling = news.type === 'looked' && news.cause === 'scale-up' && availableIn(view) > 0;
  if (!isScaling) return startsAllowed(view);
  const isProven = ({ state, hash, readyAt }: ReplicaView) =>
    state === 'ready' && hash === run?.hash && now - readyAt >= CRASH_MS;
  return scalingAllowance(circuit, now, replicas.some(isProven));
}

function startsAllowed({ circuit, now }: ServiceView): number {
  return allowance(circuit, now);
}
