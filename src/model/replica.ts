/**
 * The states of a replica; `created` is pre-positioned, `paused` is frozen between two times in service: it has its
 * memory and its place, and gets neither requests nor probes. All but these two, `stopped` and `failed` hold capacity.
 */
export type ReplicaState =
  | 'created'
  | 'starting'
  | 'ready'
  | 'cordoned'
  | 'draining'
  | 'pausing'
  | 'paused'
  | 'resuming'
  | 'stopping'
  | 'stopped'
  | 'failed';

/** What can happen to a replica. */
export type ReplicaEvent =
  /** The start gate let it through to the runtime. */
  | 'start'
  /** Probed and identified: it may get requests. */
  | 'ready'
  /** The start did not succeed. */
  | 'fail'
  /** It is to retire: every edge is told to send nothing new. */
  | 'cordon'
  /** Every edge acknowledged the cordon. */
  | 'acknowledged'
  /** A request needs it, or the retire was called off. */
  | 'revoke'
  /** The stop was issued to the runtime: there is no way back. */
  | 'stop'
  /** The runtime is asked to freeze it, in place of a stop. */
  | 'pause'
  /** It is frozen. */
  | 'paused'
  /** The start gate let it through: the runtime is asked to have it go on. */
  | 'resume'
  /** The runtime says that it runs no more. */
  | 'exit'
  /** Found frozen at boot, or frozen by someone else. */
  | 'found-paused'
  /** Found running at boot or started by someone else: it must prove itself like a started one. */
  | 'adopt';

const transitions: Record<ReplicaState, Partial<Record<ReplicaEvent, ReplicaState>>> = {
  created: { start: 'starting', adopt: 'starting', 'found-paused': 'paused' },
  starting: { ready: 'ready', fail: 'failed' },
  ready: { cordon: 'cordoned', exit: 'stopped' },
  cordoned: { acknowledged: 'draining', revoke: 'ready', exit: 'stopped' },
  draining: { revoke: 'ready', pause: 'pausing', stop: 'stopping', exit: 'stopped' },
  pausing: { paused: 'paused', stop: 'stopping', exit: 'stopped' },
  paused: { resume: 'resuming', adopt: 'starting', stop: 'stopping', exit: 'stopped' },
  resuming: { ready: 'ready', fail: 'failed' },
  stopping: { exit: 'stopped' },
  stopped: { start: 'starting', adopt: 'starting', 'found-paused': 'paused' },
  failed: { start: 'starting', adopt: 'starting', 'found-paused': 'paused', stop: 'stopping' },
};

/** The state after an event; undefined where the event means nothing in that state. */
export function transition(state: ReplicaState, event: ReplicaEvent): ReplicaState | undefined {
  return transitions[state][event];
}

/** Whether a replica in this state counts towards `max` and the global budget. */
export function holdsCapacity(state: ReplicaState): boolean {
  return state !== 'created' && state !== 'paused' && state !== 'stopped' && state !== 'failed';
}

/** Why a replica is started. */
export type StartCause =
  /** A request waits. */
  | 'demand'
  /** An operator asked. */
  | 'by-hand'
  /** `min` is not reached. */
  | 'min'
  /** Its group is awake. */
  | 'group'
  /** A window of the schedule is open, or will be when it is ready. */
  | 'schedule'
  /** A call is expected. */
  | 'expected'
  | 'scale-up'
  /** In place of one that ended by itself. */
  | 'replacement'
  /** In place of one with an older `run`. */
  | 'new-run'
  /** In place of one that is about to end, or whose host is lost. */
  | 'leaving'
  /** In place of one that stays unhealthy. */
  | 'sick';
