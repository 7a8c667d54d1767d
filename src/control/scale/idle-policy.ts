/** What the idle policy looks at; times are the clock's ms. */
export interface IdleInputs {
  now: number;
  /** Idle time after which replicas above `min` retire, ms. */
  idleMs: number | 'never';
  min: number;
  /** Replicas that may get requests. */
  ready: number;
  /** Every edge reported within three ticks. */
  fresh: boolean;
  /** Something is held or in flight. */
  busy: boolean;
  /** End of the last activity on any edge. */
  lastActivityAt: number;
  /** When the replica that was ready last became so. */
  readyAt: number;
  /** No sleep before this: an adopted replica has to be watched first. */
  notBefore: number;
}

type IdleVerdict =
  /** Nothing to do until something changes. */
  | { verdict: 'stay' }
  /** Not yet; the moment at which it will be, if nothing happens. */
  | { verdict: 'later'; at: number }
  /** All above `min` may retire. */
  | { verdict: 'retire'; idleForMs: number };

/** A timer may fire this much early, ms. */
const TIMER_SLACK_MS = 1;

/** Whether a service has been idle for long enough, or when it will have been. */
export function idleVerdict(inputs: IdleInputs): IdleVerdict {
  const { now, idleMs, lastActivityAt, readyAt, notBefore } = inputs;
  if (idleMs === 'never' || inputs.ready <= inputs.min || !inputs.fresh || inputs.busy) return { verdict: 'stay' };
  const since = Math.max(lastActivityAt, readyAt);
  const at = Math.max(since + idleMs, notBefore);
  return now >= at - TIMER_SLACK_MS ? { verdict: 'retire', idleForMs: now - since } : { verdict: 'later', at };
}
