import {
  holdsCapacity,
  type ReplicaEvent,
  type ReplicaState,
  type StartCause,
  transition,
} from '../../model/replica.ts';
import type { Instance, Listener, ReplicaSpec, Runtime } from '../../model/runtime.ts';
import type { HostPort } from '../../model/settings.ts';
import type { SpanIdentity } from '../../model/traces.ts';
import type { StartBoundaries } from '../endpoints/registry.ts';
import type { Ticket } from '../start/gate.ts';
import { type ReplicaHealth, well } from './replica-health.ts';
import type { Retirement } from './retire.ts';

/** What is learnt of the last attempt to start a replica, for who asks why it failed. */
export interface StartAttempt {
  /** Where it was looked for last, and what came of it. */
  probe?: { address: string; result: string };
  exitCode?: number | undefined;
}

/** What is being done with a replica: at most one thing at a time. */
export type ReplicaTask =
  | { kind: 'none' }
  /** In the queue of the start gate. */
  | { kind: 'queued'; ticket: Ticket; cause: StartCause; askedAt: number }
  /** `exitSeen`: an exit was reported before it was known which run it is about. */
  | {
      kind: 'start';
      abort: AbortController;
      cause: StartCause;
      askedAt: number;
      /** When the runtime had started it, the clock's ms; undefined: not yet. */
      startedAt?: number | undefined;
      exitSeen: boolean;
      /** Undefined where it is not traced. */
      span?: SpanIdentity | undefined;
    }
  | { kind: 'adopt'; abort: AbortController }
  | { kind: 'retire'; retirement: Retirement }
  | { kind: 'pause'; reason: string }
  | { kind: 'stop'; reason: string };

/** One place of a service: what runs there, in which state, and what is being done with it. */
export class Replica {
  readonly ordinal: number;
  /** What runs there now, or ran last, or is to start next. */
  spec: ReplicaSpec;
  runtime: Runtime;
  task: ReplicaTask = { kind: 'none' };
  /** The run that the runtime told of; undefined unless it runs or is paused. */
  instance: Instance | undefined;
  /** Identity of this run for the edges; another start has another one. */
  endpoint = '';
  /** Undefined for an adopted one. */
  start: StartBoundaries | undefined;
  /** That was no start: it was paused before, and has gone on. */
  isResumed = false;
  attempt: StartAttempt = {};
  /** Its host, where it does not listen on the one that the runtime names but on the other loopback address. */
  otherHost: string | undefined;
  /** It is not at its address any more: nothing is sent there, whatever the runtime says of it. */
  loss: Extract<Listener, { by: 'stranger' | 'ended' }> | undefined;
  /** How often in a row it ended in order soon after it was ready, as it does when somebody ends it. */
  endedSoon = 0;
  /** When it became ready, the clock's ms. */
  readyAt = 0;
  /** When it was paused, or found so, the clock's ms. */
  pausedAt = 0;
  health: ReplicaHealth = well;
  /** Why another one has to take its place; undefined where none has. */
  leaving: string | undefined;
  /** A pre-positioning that is under way: a start waits for its end. */
  preparing: Promise<void> | undefined;
  #state: ReplicaState = 'created';
  readonly #onCapacity: (name: string, holds: boolean) => void;

  constructor(spec: ReplicaSpec, runtime: Runtime, onCapacity: (name: string, holds: boolean) => void) {
    this.ordinal = spec.ordinal;
    this.spec = spec;
    this.runtime = runtime;
    this.#onCapacity = onCapacity;
  }

  get name(): string {
    return `${this.spec.service}-${this.ordinal}`;
  }

  get state(): ReplicaState {
    return this.#state;
  }

  /** Where it listens; undefined unless it runs or is paused. */
  get address(): HostPort | undefined {
    const address = this.instance?.address;
    return address === undefined || this.otherHost === undefined ? address : { ...address, host: this.otherHost };
  }

  get doing(): ReplicaTask['kind'] {
    return this.task.kind;
  }

  /** Whether it runs, is about to, or is being stopped. */
  get isLive(): boolean {
    return isLive(this);
  }

  /** Whether something of it runs or is frozen, so that its place is not free. */
  get isThere(): boolean {
    return this.isLive || this.#state === 'paused';
  }

  /** Whether it may be dispatched to or is drained at present. */
  get isServing(): boolean {
    return this.#state === 'ready' || this.#state === 'cordoned' || this.#state === 'draining';
  }

  /** Takes it out of service where no edge has to acknowledge that. */
  takeOut(): void {
    if (this.task.kind === 'retire') this.task.retirement.cancel();
    this.apply('cordon');
    this.apply('acknowledged');
  }

  /** Applies an event. @returns false, without a change, where it means nothing in the present state */
  apply(event: ReplicaEvent): boolean {
    const next = transition(this.#state, event);
    if (next === undefined) return false;
    const before = holdsCapacity(this.#state);
    this.#state = next;
    const after = holdsCapacity(next);
    if (before !== after) this.#onCapacity(this.name, after);
    return true;
  }
}

/** Whether a replica runs, is about to, or is being stopped: what counts towards `max`. */
export function isLive({ state, doing }: { state: ReplicaState; doing: ReplicaTask['kind'] }): boolean {
  return holdsCapacity(state) || doing === 'queued';
}

/** Whether two reports are about the same run of the same replica, which runs and is reachable at the same place. */
export function isSameRun(a: Instance, b: Instance | undefined): boolean {
  return (
    b !== undefined &&
    b.state === 'running' &&
    isSameProcess(a, b) &&
    a.address?.host === b.address?.host &&
    a.address?.port === b.address?.port
  );
}

/** Whether what is known of a replica in some state is still so. */
export function isAsKnown(
  { state, instance }: Pick<Replica, 'state' | 'instance'>,
  now: Instance | undefined,
): boolean {
  if (instance === undefined || now === undefined) return false;
  if (state === 'paused') return now.state === 'paused' && isSameProcess(instance, now);
  // Between the two it is either.
  if (state === 'pausing' || state === 'resuming') {
    return (now.state === 'running' || now.state === 'paused') && isSameProcess(instance, now);
  }
  return isSameRun(instance, now);
}

function isSameProcess(a: Instance, b: Instance): boolean {
  return a.id === b.id && a.startedAt === b.startedAt;
}
