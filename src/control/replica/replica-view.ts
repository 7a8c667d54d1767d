import type { ReplicaState, StartCause } from '../../model/replica.ts';
import type { ReplicaLoad } from '../link/telemetry.ts';
import { isLive, type Replica, type ReplicaTask } from './replica.ts';

/** One replica as plain data: what decisions about a service are made on. */
export interface ReplicaView extends ReplicaLoad {
  ordinal: number;
  state: ReplicaState;
  /** What is being done with it. */
  doing: ReplicaTask['kind'];
  /** Hash of the `run` that it is of. */
  hash: string;
  /** When it became ready, the clock's ms. */
  readyAt: number;
  /** When it was paused, the clock's ms; absent unless it is. */
  pausedAt?: number;
  /** Its health checks fail. */
  isUnhealthy?: boolean;
  /** Since when, the clock's ms, where that is long enough for it to be replaced. */
  sickSince?: number;
  /** Why another one has to take its place. */
  leaving?: string;
  /** Why it is started; absent unless it is, or stands in the queue. */
  cause?: StartCause;
  /** It stands in the queue behind a rate limit. */
  isLimited?: boolean;
  /** Its start was called off, and has not ended yet. */
  isCalledOff?: boolean;
  /** Why it retires or is stopped; absent unless it does. */
  reason?: string;
  /** It retires, and may be had back. */
  isRevocable?: boolean;
  /** It retires, and what was left on it is closed. */
  isClosing?: boolean;
}

export function viewOf(replica: Replica, load: ReplicaLoad): ReplicaView {
  const { ordinal, state, spec, readyAt, pausedAt, task, health, leaving } = replica;
  const { inFlight, oldestMs } = load;
  const view: ReplicaView = { ordinal, state, doing: task.kind, hash: spec.hash, readyAt, inFlight, oldestMs };
  if (state === 'paused') view.pausedAt = pausedAt;
  if (health.state !== 'well') view.isUnhealthy = true;
  if (health.state === 'sick') view.sickSince = health.since;
  if (leaving !== undefined) view.leaving = leaving;
  switch (task.kind) {
    case 'queued':
      return { ...view, cause: task.cause, isLimited: task.ticket.isLimited };
    case 'start':
      return { ...view, cause: task.cause, isCalledOff: task.abort.signal.aborted };
    case 'adopt':
      return { ...view, isCalledOff: task.abort.signal.aborted };
    case 'retire': {
      const { reason, revocable, isClosing } = task.retirement;
      return { ...view, reason, isRevocable: revocable, isClosing };
    }
    case 'pause':
    case 'stop':
      return { ...view, reason: task.reason };
    case 'none':
      return view;
  }
}

export interface ReplicaCounts {
  queued: number;
  /** Being started, had go on, or looked at after they were found. */
  starting: number;
  ready: number;
  /** Cordoned, draining or about to be paused. */
  retiring: number;
  stopping: number;
  /** All of these: what counts towards `max`. */
  live: number;
}

/** How many replicas there are, by what is being done with them. */
export function countReplicas(replicas: Iterable<Pick<ReplicaView, 'state' | 'doing'>>): ReplicaCounts {
  const counts = { queued: 0, starting: 0, ready: 0, retiring: 0, stopping: 0, live: 0 };
  for (const replica of replicas) {
    const { state, doing } = replica;
    if (isLive(replica)) counts.live++;
    if (doing === 'queued') counts.queued++;
    else if (state === 'starting' || state === 'resuming') counts.starting++;
    else if (state === 'ready') counts.ready++;
    else if (state === 'cordoned' || state === 'draining' || state === 'pausing') counts.retiring++;
    else if (state === 'stopping') counts.stopping++;
  }
  return counts;
}

/**
 * The place in which the next replica of a `run` starts: that of a paused one, which is there at once, else the lowest
 * free one.
 */
export function placeToStart(
  replicas: readonly Pick<ReplicaView, 'ordinal' | 'state' | 'doing' | 'hash'>[],
  hash: string,
): number {
  const paused = replicas.filter((each) => each.state === 'paused' && each.doing === 'none' && each.hash === hash);
  if (paused.length > 0) return Math.min(...paused.map(({ ordinal }) => ordinal));
  const isTaken = (each: (typeof replicas)[number]) => isLive(each) || each.state === 'paused' || each.doing !== 'none';
  const taken = new Set(replicas.filter(isTaken).map(({ ordinal }) => ordinal));
  for (let ordinal = 1; ; ordinal++) if (!taken.has(ordinal)) return ordinal;
}

/** Whether it gets no requests any more, and has yet to answer some. */
export function answersLast({ state, inFlight }: ReplicaView): boolean {
  return (state === 'cordoned' || state === 'draining') && inFlight > 0;
}
