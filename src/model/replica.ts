/**
 * The states of a replica; `paused` and `created` are pre-positioned, `starting` to `stopping` hold capacity. Nothing
 * pauses a replica yet: the admin API names the state for those that are frozen between their runs.
 */
export type ReplicaState =
  | 'created'
  | 'starting'
  | 'ready'
  | 'cordoned'
  | 'draining'
  | 'stopping'
  | 'stopped'
  | 'paused'
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
  /** The runtime says that it runs no more. */
  | 'exit'
  /** Found running at boot or started by someone else: it must prove itself like a started one. */
  | 'adopt';

const transitions: Record<ReplicaState, Partial<Record<ReplicaEvent, ReplicaState>>> = {
  created: { start: 'starting', adopt: 'starting' },
  starting: { ready: 'ready', fail: 'failed' },
  ready: { cordon: 'cordoned', exit: 'stopped' },
  cordoned: { acknowledged: 'draining', revoke: 'ready', exit: 'stopped' },
  draining: { revoke: 'ready', stop: 'stopping', exit: 'stopped' },
  stopping: { exit: 'stopped' },
  stopped: { start: 'starting', adopt: 'starting' },
  paused: { start: 'starting', adopt: 'starting' },
  failed: { start: 'starting', adopt: 'starting', stop: 'stopping' },
};

/** The state after an event; undefined where the event means nothing in that state. */
export function transition(state: ReplicaState, event: ReplicaEvent): ReplicaState | undefined {
  return transitions[state][event];
}

/** Whether a replica in this state counts towards `max` and the global budget. */
export function holdsCapacity(state: ReplicaState): boolean {
  return (
    state === 'starting' || state === 'ready' || state === 'cordoned' || state === 'draining' || state === 'stopping'
  );
}

/** Why a replica is started. */
export type StartCause =
  /** A request waits. */
  | 'demand'
  /** An operator asked. */
  | 'by-hand'
  /** `min` is not reached. */
  | 'min'
  | 'scale-up'
  /** In place of one that ended by itself. */
  | 'replacement'
  /** In place of one with an older `run`. */
  | 'new-run'
  /** In place of one that stays unhealthy. */
  | 'sick';
