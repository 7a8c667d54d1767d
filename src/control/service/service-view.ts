import type { StartCause } from '../../model/replica.ts';
import type { ScaleSettings } from '../../model/settings.ts';
import type { ReplicaCounts, ReplicaView } from '../replica/replica-view.ts';
import { countReplicas } from '../replica/replica-view.ts';
import type { RuntimeContact } from '../replica/runtime-monitor.ts';
import type { ExpectedCall } from '../scale/arrival-forecast.ts';
import { type DemandInputs, wantedReplicas } from '../scale/demand.ts';
import type { Floor } from '../scale/floor.ts';
import type { Circuit } from '../start/circuit.ts';
import type { ServiceEvent } from './service-event.ts';

/** `slept`: an operator put it to sleep, so `min` is not kept until something asks for it. `leaving`: it was removed. */
type Mode = 'automatic' | 'slept' | 'leaving';

/** What is being done about replicas that stay unhealthy. */
type Sickness =
  | { state: 'none' }
  /** At least one was replaced, and none is known to be well since; `since`: when the first of them became unhealthy. */
  | { state: 'replacing'; since: number }
  /** A fresh one fell sick too, and no other is well: it is not the replicas. */
  | { state: 'given-up' };

/** What is intended with a service, and remembered from one look at it to the next. `apply` alone makes another one. */
export interface Intent {
  mode: Mode;
  /** Replicas of our own that it should have while it is awake. */
  target: number;
  /** An operator asked for it, and it is not ready yet. */
  isWoken: boolean;
  /** With how many replicas the operator wants it then; undefined: as many as it needs. */
  wokenTo: number | undefined;
  /** Arrivals per second just before it was asked for; undefined while nothing asks. */
  arrivalsBefore: number | undefined;
  /** Since when any endpoint may get requests, the clock's ms; undefined while none may. */
  awakeSince: number | undefined;
  /** It is not idle before this, the clock's ms: adopted replicas have to be watched for a while. */
  idleNotBefore: number;
  /** Somebody changed it by hand: others are given nothing of it before this, the clock's ms. */
  leftAloneUntil: number;
  sickness: Sickness;
  /** How often all starts came to nothing, or none could be made: whoever waited for one until then is turned away. */
  failures: number;
}

export const newIntent: Intent = {
  mode: 'automatic',
  target: 0,
  isWoken: false,
  wokenTo: undefined,
  arrivalsBefore: undefined,
  awakeSince: undefined,
  idleNotBefore: 0,
  leftAloneUntil: 0,
  sickness: { state: 'none' },
  failures: 0,
};

/** The `run` of a service, as far as decisions go by it. */
export interface RunView {
  hash: string;
  /** Whether it is known what runs. */
  contact: RuntimeContact['contact'];
  /** Whether replicas can be pre-positioned. */
  prepares: boolean;
}

/** All that is known of one service when something is decided about it: plain data, on real time or virtual. */
export interface ServiceView {
  /** The clock's ms. */
  now: number;
  /** What happened last: some of it calls for more than a look does. */
  news: ServiceEvent;
  intent: Intent;
  /** As it holds now: `min` is the most that it, the schedule or an expected call asks for. */
  scale: ScaleSettings;
  floor: Floor;
  /** A call that it is to be there for; undefined: none is expected, or nothing is done about it. */
  expected: ExpectedCall | undefined;
  /** How long it is kept when it is idle, ms. */
  keepMs: number | 'never';
  /** How long replicas are kept paused, ms. */
  pausedMs: number | 'ever';
  /** It is kept longer than pays: its wakes take more than their share of the starts. */
  isKeptLonger: boolean;
  /** Undefined where Pilotlight only routes. */
  run: RunView | undefined;
  /** By ordinal. */
  replicas: readonly ReplicaView[];
  /** Endpoints in use that others run. */
  external: number;
  circuit: Circuit;
  /** How many more replicas the budget of all services allows it; may be negative. */
  budgetLeft: number;
  /** It has more than its share of the budget: services to each of which it is to give up one. */
  gives: readonly string[];
  /** How long a replica has to stay unhealthy to be sick, ms; 0 where nothing checks. */
  sickAfterMs: number;
  /** Requests that wait. */
  held: number;
  /** Requests in flight that may wake it. */
  inFlight: number;
  /** Arrivals per second over the last window; only known while something asks for what sleeps. */
  arrivalsPerSecond: number;
  /** Answers per second that one replica is known to manage; undefined while unknown. */
  capacityPerSecond: number | undefined;
  /** Every edge reported within three ticks. */
  isFresh: boolean;
  /** Something is held or in flight. */
  isBusy: boolean;
  /** No edge has anything to say of it. */
  isSilent: boolean;
  /** End of the last activity on any edge, the clock's ms. */
  lastActivityAt: number;
  /** The proxy is about to end, or has not taken over yet: starts only for requests that wait, and no retires. */
  isDraining: boolean;
  /** An operator wants it neither scaled nor put to sleep for now. */
  isFrozen: boolean;
  /** Whether replicas may be started: not once a successor does. */
  mayStart: boolean;
  /** Whether replicas may be retired or stopped: not while another process uses them too. */
  mayEnd: boolean;
}

export function countsOf({ replicas }: ServiceView): ReplicaCounts {
  return countReplicas(replicas);
}

/** Endpoints that may get requests, those that others run included. */
export function availableIn(view: ServiceView): number {
  return countsOf(view).ready + view.external;
}

/** Ready replicas, those that became so last first. */
export function readyIn({ replicas }: Pick<ServiceView, 'replicas'>): ReplicaView[] {
  return replicas.filter(({ state }) => state === 'ready').sort((a, b) => b.readyAt - a.readyAt);
}

/** Those that leave anyway first, then those that fail their checks, of these the one that does so for longest; else in the order that they have. */
export function sickFirst(replicas: readonly ReplicaView[]): ReplicaView[] {
  const rank = ({ leaving, isUnhealthy, sickSince }: ReplicaView) =>
    leaving !== undefined ? -1 : (sickSince ?? (isUnhealthy ? Number.MAX_VALUE : Infinity));
  return replicas.toSorted((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b)));
}

/** Paused replicas of which nothing is asked, those first that have been so for longest. */
export function pausedIn({ replicas }: Pick<ServiceView, 'replicas'>): ReplicaView[] {
  return replicas
    .filter(({ state, doing }) => state === 'paused' && doing === 'none')
    .sort((a, b) => (a.pausedAt ?? 0) - (b.pausedAt ?? 0));
}

/** Whether a start is for a replica that goes once the new one is ready, and is not counted as wanted. */
export function isInPlaceOf(cause: StartCause | undefined): boolean {
  return cause === 'new-run' || cause === 'leaving' || cause === 'sick';
}

/** Starts in the queue, the last place first. */
export function queuedIn({ replicas }: ServiceView): ReplicaView[] {
  return replicas.filter(({ doing }) => doing === 'queued').reverse();
}

/** Retiring replicas that can be had back, those first that became ready last. */
export function revocableIn({ replicas }: Pick<ServiceView, 'replicas'>): ReplicaView[] {
  return replicas.filter(({ isRevocable }) => isRevocable).sort((a, b) => b.readyAt - a.readyAt);
}

/**
 * Replicas that others with the present `run` have taken over from, and which are kept until those have lived through
 * their probation; those first that became ready last.
 */
export function reserveIn(view: Pick<ServiceView, 'replicas'>): ReplicaView[] {
  return revocableIn(view).filter(({ reason, isClosing }) => reason === 'replaced' && !isClosing);
}

/** Those that drain without haste and are as they should be: there at once where they are needed again. */
export function returnableIn({ replicas, run }: Pick<ServiceView, 'replicas' | 'run'>): ReplicaView[] {
  return replicas.filter(
    ({ reason, hash, isRevocable, isClosing }) =>
      reason === 'scale-down' && isRevocable && !isClosing && hash === run?.hash,
  );
}

/** Whether requests wait for it, or an operator does. */
export function isAsked({ held, intent }: ServiceView): boolean {
  return held > 0 || intent.isWoken;
}

/** What decides how many replicas it should have. */
export function demandOf(view: ServiceView): DemandInputs {
  const { scale, intent, held, inFlight, isDraining, capacityPerSecond } = view;
  const { min, max, initial, concurrency, guards } = scale;
  return {
    min: isDraining ? 0 : min,
    max,
    initial: (intent.isWoken ? intent.wokenTo : undefined) ?? initial,
    concurrency,
    utilisation: guards.utilisation,
    held,
    inFlight,
    ready: availableIn(view),
    woken: Number(intent.isWoken),
    slept: Number(intent.mode === 'slept'),
    target: isDraining ? 0 : intent.target,
    arrivalsBeforePerSecond: intent.arrivalsBefore ?? 0,
    ...(capacityPerSecond !== undefined && { capacityPerSecond }),
  };
}

/** How many replicas it should have. */
export function wantedIn(view: ServiceView): number {
  return wantedReplicas(demandOf(view));
}
