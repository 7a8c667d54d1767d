import { PilotlightError, toPilotlightError } from '../model/errors.ts';
import type { ProbeRequest } from '../model/link.ts';
import type { Instance, ReplicaSpec, Runtime } from '../model/runtime.ts';
import type { HostPort, ReadySettings } from '../model/settings.ts';
import type { Timer } from '../util/clock.ts';
import { type ControlContext, detached } from './context.ts';
import { withDeadline } from './deadline.ts';
import type { LinkHub } from './link-hub.ts';
import { persist } from './persist.ts';
import type { OwnedEndpoint } from './registry.ts';
import { isSameRun, Replica, type StartCause } from './replica.ts';
import { Retirement, type RetireReason } from './retire.ts';
import { PROBATION_MS } from './start-breaker.ts';
import type { StartGate } from './start-gate.ts';
import {
  endedEarly,
  exitText,
  isPortClash,
  launch,
  proveReady,
  type ReadinessContext,
  RUNTIME_CALL_MS,
  untilNoClash,
} from './start-sequence.ts';

/** A permit covers this much of the time until a started replica is ready, ms. */
const PERMIT_READINESS_MS = 2000;
/** Between attempts to stop a replica whose runtime does not answer, ms. */
const STOP_RETRY = { base: 1000, cap: 30_000, jitter: 0.2 };

/** Shared until there is a replica: an empty map takes 180 bytes, and most of many services sleep. */
const NONE = new Map<number, Replica>();

type QueuedTask = Extract<Replica['task'], { kind: 'queued' }>;
type StartTask = Extract<Replica['task'], { kind: 'start' }>;

/** What a replica set needs to know of its service's configuration at the moment. */
export interface ReplicaSettings {
  spec: (ordinal: number) => ReplicaSpec;
  runtime: () => Runtime;
  ready: ReadySettings;
  check: ProbeRequest['check'];
  drainMs: number;
  idleMs: number;
}

/** What becomes of replicas; called after the change, once each. */
export interface ReplicaSetListener {
  /** Something changed that the edges should know soon. */
  onChange(): void;
  /** `cause` is undefined for an adopted one. */
  onReady(replica: Replica, cause: StartCause | undefined): void;
  /** A start came to nothing, or its replica ended within 10 s of being ready. `run`: the runtime's id of it, if any. */
  onStartFailed(replica: Replica, error: PilotlightError, askedAt: number, run: string | undefined): void;
  /** A start was called off. */
  onStartWithdrawn(replica: Replica): void;
  /** A found replica did not prove itself. */
  onAdoptFailed(replica: Replica, error: PilotlightError): void;
  /** A ready replica ended by itself, or by somebody else's doing. */
  onExited(replica: Replica, detail: string): void;
  /** It is cordoned: whoever lists it elsewhere takes it out. */
  onCordoned(replica: Replica): void;
  /** Its retire was called off, because of `why`: it is ready again. */
  onRevoked(replica: Replica, why: string): void;
  onDrainForced(replica: Replica, inFlight: number): void;
  /** @returns whether the edge is ended for that, and will detach */
  onUnresponsive(edge: string): boolean;
  /** A replica that was to be stopped runs no more. */
  onStopped(replica: Replica, reason: string): void;
  /** What the runtime knows is not certain any more: list again. */
  onUncertain(): void;
}

export interface ReplicaCounts {
  queued: number;
  /** Being started or looked at after they were found. */
  starting: number;
  ready: number;
  /** Cordoned or draining. */
  retiring: number;
  stopping: number;
  /** All of these: what counts towards `max`. */
  live: number;
}

export interface ReplicaSetOptions {
  service: string;
  context: ControlContext;
  gate: StartGate;
  hub: LinkHub;
  settings: () => ReplicaSettings;
  listener: ReplicaSetListener;
  /** Sends the service's state to the edges at once. @returns its version */
  publish: () => number;
  /** Whether replicas may be stopped; else one that comes to nothing is left to be found again. */
  mayEnd: () => boolean;
}

/** The replicas of one service: how each starts, proves itself, retires, ends. When to do which is decided elsewhere. */
export class ReplicaSet {
  readonly #options: ReplicaSetOptions;
  #replicas = NONE;
  #incarnations = 0;

  constructor(options: ReplicaSetOptions) {
    this.#options = options;
  }

  /** By ordinal. */
  get replicas(): Replica[] {
    return [...this.#replicas.values()].sort((a, b) => a.ordinal - b.ordinal);
  }

  get counts(): ReplicaCounts {
    const counts = { queued: 0, starting: 0, ready: 0, retiring: 0, stopping: 0, live: 0 };
    for (const { state, task, isLive } of this.#replicas.values()) {
      if (isLive) counts.live++;
      if (task.kind === 'queued') counts.queued++;
      else if (state === 'starting') counts.starting++;
      else if (state === 'ready') counts.ready++;
      else if (state === 'cordoned' || state === 'draining') counts.retiring++;
      else if (state === 'stopping') counts.stopping++;
    }
    return counts;
  }

  /** Whether every replica runs, or does not, and is to stay so. */
  get isSettled(): boolean {
    return this.replicas.every(({ task: { kind } }) => kind === 'none' || kind === 'queued');
  }

  /** What the edges should know of. */
  get endpoints(): OwnedEndpoint[] {
    return this.replicas.flatMap(({ isServing, instance, endpoint, state, task, start }) => {
      if (!isServing || instance?.address === undefined) return [];
      const closing = task.kind === 'retire' && task.retirement.isClosing;
      const view = state === 'ready' ? 'ready' : closing ? 'closing' : 'cordoned';
      return { id: endpoint, ...instance.address, state: view, start };
    });
  }

  /** Addresses at which a replica of this service lives. */
  get addresses(): HostPort[] {
    return this.replicas.flatMap(({ isLive, instance }) => (isLive ? (instance?.address ?? []) : []));
  }

  byEndpoint(endpoint: string): Replica | undefined {
    return this.replicas.find((replica) => replica.endpoint === endpoint);
  }

  /** The replica at a place, made if there was none. */
  at(ordinal: number): Replica {
    let replica = this.#replicas.get(ordinal);
    if (replica === undefined) {
      const { gate, settings } = this.#options;
      const { spec, runtime } = settings();
      replica = new Replica(spec(ordinal), runtime(), (name, holds) => (holds ? gate.occupy(name) : gate.vacate(name)));
      if (this.#replicas === NONE) this.#replicas = new Map();
      this.#replicas.set(ordinal, replica);
    }
    return replica;
  }

  /** Queues a start in the lowest free place. */
  start(cause: StartCause): Replica {
    const { service, gate, context, settings } = this.#options;
    const replica = this.#freePlace();
    const askedAt = context.clock.now();
    const ticket = gate.request({
      service,
      replica: replica.name,
      limited: cause !== 'demand' && cause !== 'by-hand',
      granted: (permit) => {
        const { spec, runtime } = settings();
        replica.spec = spec(replica.ordinal);
        replica.runtime = runtime();
        replica.apply('start');
        const abort = new AbortController();
        replica.task = { kind: 'start', abort, cause, askedAt, exitSeen: false };
        this.#options.listener.onChange();
        const run = this.#runStart(replica, replica.task, context.clock.now(), permit.release);
        detached(context, `start ${replica.name}`, run.finally(permit.release));
      },
    });
    replica.task = { kind: 'queued', ticket, cause, askedAt };
    return replica;
  }

  /** Requests wait: starts that stand behind a rate limit go ahead. */
  hurry(): void {
    for (const { task } of this.#replicas.values()) if (task.kind === 'queued') task.ticket.hurry();
  }

  /** Takes up to `count` starts (of those that `which` names) out of the queue that were not let through yet. */
  withdrawQueued(count = Number.POSITIVE_INFINITY, which: (task: QueuedTask) => boolean = () => true): void {
    for (const replica of this.replicas.reverse()) {
      if (replica.task.kind !== 'queued' || !which(replica.task) || count-- <= 0) continue;
      replica.task.ticket.cancel();
      replica.task = { kind: 'none' };
      this.#options.listener.onStartWithdrawn(replica);
    }
  }

  /** Calls off starts that are under way (those that `which` names) and stops what they started. */
  withdrawStarting(which: (replica: Replica) => boolean): void {
    for (const { task } of this.replicas.filter(which)) {
      if (task.kind === 'start' || task.kind === 'adopt') {
        task.abort.abort(new PilotlightError('CANCELLED', 'the start was called off'));
      }
    }
  }

  /** Takes a running replica into service once it has proved itself. Does nothing where the place is taken. */
  adopt(instance: Instance): Replica | undefined {
    const replica = this.at(instance.ordinal);
    if (replica.isLive || replica.task.kind !== 'none') return undefined;
    const { spec, runtime } = this.#options.settings();
    replica.spec = { ...spec(instance.ordinal), hash: instance.hash };
    replica.runtime = runtime();
    if (!replica.apply('adopt')) return undefined;
    const abort = new AbortController();
    replica.task = { kind: 'adopt', abort };
    replica.start = undefined;
    replica.instance = instance;
    replica.endpoint = this.#newEndpoint(replica);
    detached(this.#options.context, `adopt ${replica.name}`, this.#runAdopt(replica, instance, abort.signal));
    return replica;
  }

  /** Begins the two-phase end of ready replicas. */
  retire(replicas: readonly Replica[], reason: RetireReason): void {
    const { listener, hub, publish, settings, context } = this.#options;
    const retiring = replicas.filter((replica) => replica.apply('cordon'));
    if (retiring.length === 0) return;
    for (const replica of retiring) listener.onCordoned(replica);
    const version = publish();
    const { drainMs, idleMs } = settings();
    for (const replica of retiring) {
      const retirement = new Retirement({
        clock: context.clock,
        reason,
        version,
        edges: hub.edges,
        drainMs,
        idleMs,
        acknowledged: () => {
          replica.apply('acknowledged');
          listener.onChange();
        },
        calledOff: () => this.#revoke(replica, retirement, 'there was activity'),
        close: () => publish(),
        stop: () => this.#stop(replica, reason),
        forced: (inFlight) => listener.onDrainForced(replica, inFlight),
        unresponsive: (edge) => listener.onUnresponsive(edge),
      });
      replica.task = { kind: 'retire', retirement };
    }
    for (const { task } of retiring) if (task.kind === 'retire') task.retirement.begin();
  }

  /** Makes up to `count` retiring replicas ready again, those first that were cordoned last. @returns how many */
  revoke(count: number): number {
    let revoked = 0;
    for (const replica of this.replicas.sort((a, b) => b.readyAt - a.readyAt)) {
      if (revoked >= count) break;
      if (replica.task.kind !== 'retire' || !replica.task.retirement.revocable) continue;
      this.#revoke(replica, replica.task.retirement, 'a request came');
      revoked++;
    }
    return revoked;
  }

  onAck(edge: string, endpoint: string, ack: { version: number; inFlight: number; quiet: number; idleForMs: number }) {
    const task = this.byEndpoint(endpoint)?.task;
    if (task?.kind === 'retire') task.retirement.acknowledge(edge, ack);
  }

  onDrained(edge: string, endpoint: string, message: { version: number; quiet: number }): void {
    const task = this.byEndpoint(endpoint)?.task;
    if (task?.kind === 'retire') task.retirement.drained(edge, message);
  }

  onDetached(edge: string): void {
    for (const { task } of this.replicas) if (task.kind === 'retire') task.retirement.detached(edge);
  }

  /** Whether a start or stop of our own is under way at a place: what is reported of it is no news. */
  isBusy(ordinal: number): boolean {
    const task = this.#replicas.get(ordinal)?.task.kind;
    return task === 'start' || task === 'stop';
  }

  /** The runtime reported an exit. The event may be about an earlier run: the runtime is asked. */
  onExitEvent(ordinal: number, id: string): void {
    const replica = this.#replicas.get(ordinal);
    if (replica === undefined) return;
    if (replica.instance?.id === id) this.verify(replica);
    else if (replica.task.kind === 'start' && replica.instance === undefined) replica.task.exitSeen = true;
  }

  /** Asks the runtime whether the replica still is the run that it was; what cannot be asked stays as it is known. */
  verify(replica: Replica): void {
    const { instance } = replica;
    if (instance === undefined || replica.state === 'stopping') return;
    const verified = this.#inspect(replica, instance.id).then(
      (now) => {
        if (replica.instance === instance && !isSameRun(instance, now)) this.#gone(replica, now);
      },
      (cause) => this.#options.context.logger.warn({ replica: replica.name, cause: String(cause) }, 'cannot inspect'),
    );
    detached(this.#options.context, `verify ${replica.name}`, verified);
  }

  /** Brings the replicas in line with what the runtime lists: what it does not list as running is gone. */
  reconcile(instances: readonly Instance[]): void {
    for (const replica of this.replicas) {
      const { instance, ordinal, state } = replica;
      if (instance === undefined || state === 'stopping') continue;
      // The list may be older than what is known by now: only a look at the one replica counts.
      if (
        !isSameRun(
          instance,
          instances.find((other) => other.ordinal === ordinal),
        )
      )
        this.verify(replica);
    }
  }

  /** Stops replicas without a drain, as nothing is sent to them any more. */
  stopNow(reason: string): void {
    this.withdrawQueued();
    this.withdrawStarting(() => true);
    for (const replica of this.replicas) {
      if (!replica.isServing) continue;
      if (replica.task.kind === 'retire') replica.task.retirement.cancel();
      replica.apply('cordon');
      replica.apply('acknowledged');
      this.#options.listener.onCordoned(replica);
      this.#stop(replica, reason);
    }
  }

  #freePlace(): Replica {
    for (let ordinal = 1; ; ordinal++) {
      const replica = this.at(ordinal);
      if (!replica.isLive && replica.task.kind === 'none') return replica;
    }
  }

  #newEndpoint(replica: Replica): string {
    return `${replica.name}#${++this.#incarnations}`;
  }

  async #runStart(replica: Replica, task: StartTask, permitAt: number, releasePermit: () => void): Promise<void> {
    const { life } = this.#options.context;
    try {
      await untilNoClash(() => this.#tryStart(replica, task, permitAt, releasePermit), life);
    } catch (thrown) {
      if (!life.aborted) this.#startEnded(replica, task.askedAt, toPilotlightError(thrown, 'RUNTIME_FAILED'));
      return;
    }
    this.#becomeReady(replica, task.cause);
  }

  async #tryStart(replica: Replica, task: StartTask, permitAt: number, releasePermit: () => void): Promise<void> {
    const { context } = this.#options;
    const { clock } = context;
    // What broke off the attempt before is no reason to break off this one.
    if (isPortClash(task.abort.signal.reason)) task.abort = new AbortController();
    const { signal } = task.abort;
    task.exitSeen = false;
    replica.instance = undefined;
    replica.endpoint = this.#newEndpoint(replica);
    let permitTimer: Timer | undefined;
    try {
      await replica.preparing;
      signal.throwIfAborted();
      // Not under the task's signal: a start that is broken off half-way may leave a replica that nobody knows of.
      const instance = await launch(clock, replica.runtime, replica.spec, context.life);
      const started = clock.now();
      replica.instance = instance;
      // From here the address is ours: what others list there is not used any more.
      this.#options.publish();
      permitTimer = clock.after(PERMIT_READINESS_MS, releasePermit);
      signal.throwIfAborted();
      if (task.exitSeen) this.verify(replica);
      await proveReady(this.#readiness(replica), instance, signal);
      replica.start = { asked: task.askedAt, permit: permitAt, started, ready: clock.now() };
    } finally {
      permitTimer?.cancel();
    }
  }

  async #runAdopt(replica: Replica, instance: Instance, signal: AbortSignal): Promise<void> {
    const { context, listener } = this.#options;
    try {
      if (!isSameRun(instance, await this.#inspect(replica, instance.id))) {
        throw new PilotlightError('REPLICA_EXITED', 'it ended before it could be taken over');
      }
      await proveReady(this.#readiness(replica), instance, signal);
    } catch (thrown) {
      if (context.life.aborted) return;
      const error = toPilotlightError(thrown, 'RUNTIME_FAILED');
      this.#endStart(replica, error);
      listener.onAdoptFailed(replica, error);
      return;
    }
    this.#becomeReady(replica, undefined);
  }

  #becomeReady(replica: Replica, cause: StartCause | undefined): void {
    replica.apply('ready');
    replica.task = { kind: 'none' };
    replica.readyAt = this.#options.context.clock.now();
    this.#options.publish();
    this.#options.listener.onReady(replica, cause);
  }

  #startEnded(replica: Replica, askedAt: number, error: PilotlightError): void {
    const { listener } = this.#options;
    // A start of which the runtime told nothing may have come to something all the same.
    if (replica.instance === undefined && error.code === 'RUNTIME_FAILED') listener.onUncertain();
    const run = replica.instance?.id;
    this.#endStart(replica, error);
    if (error.code === 'CANCELLED') listener.onStartWithdrawn(replica);
    else listener.onStartFailed(replica, error, askedAt, run);
  }

  #endStart(replica: Replica, error: PilotlightError): void {
    replica.apply('fail');
    replica.task = { kind: 'none' };
    const ended = error.code === 'REPLICA_EXITED' || error.code === 'PORT_CLASH';
    if (ended || !this.#options.mayEnd()) replica.instance = undefined;
    if (replica.instance !== undefined) this.#stop(replica, 'failed');
  }

  #revoke(replica: Replica, retirement: Retirement, why: string): void {
    retirement.cancel();
    replica.apply('revoke');
    replica.task = { kind: 'none' };
    this.#options.publish();
    this.#options.listener.onRevoked(replica, why);
  }

  /** From here there is no way back. */
  #stop(replica: Replica, reason: string): void {
    replica.apply('stop');
    replica.task = { kind: 'stop', reason };
    this.#options.publish();
    detached(this.#options.context, `stop ${replica.name}`, this.#runStop(replica, reason));
  }

  async #runStop(replica: Replica, reason: string): Promise<void> {
    const { context, listener } = this.#options;
    const id = replica.instance?.id ?? '';
    const { stop } = replica.spec.run;
    const limitMs = stop.graceMs + RUNTIME_CALL_MS;
    await persist(context, `stop of ${replica.name}`, STOP_RETRY, () =>
      withDeadline(context.clock, limitMs, context.life, (signal) => replica.runtime.stop(id, stop, signal)),
    );
    replica.apply('exit');
    replica.task = { kind: 'none' };
    replica.instance = undefined;
    listener.onStopped(replica, reason);
  }

  /** The run that is known of ended; `now` is what the runtime knows of the replica instead. */
  #gone(replica: Replica, now: Instance | undefined): void {
    const { context, listener, publish } = this.#options;
    const detail = `it ended by itself${exitText(now)}`;
    const { task } = replica;
    if (task.kind === 'start' || task.kind === 'adopt') {
      task.abort.abort(endedEarly('it ended before it was ready', now));
      return;
    }
    if (!replica.isServing) return;
    const wasReady = replica.state === 'ready';
    const run = replica.instance?.id;
    if (task.kind === 'retire') task.retirement.cancel();
    replica.apply('exit');
    replica.task = { kind: 'none' };
    replica.instance = undefined;
    publish();
    const { start } = replica;
    if (wasReady && start !== undefined && context.clock.now() - start.ready < PROBATION_MS) {
      const error = new PilotlightError('REPLICA_EXITED', `it ended soon after it was ready${exitText(now)}`);
      listener.onStartFailed(replica, error, start.asked, run);
    } else if (task.kind === 'retire') {
      listener.onStopped(replica, task.retirement.reason);
    } else {
      listener.onExited(replica, detail);
    }
    // It was started anew behind our back: another run, which has to prove itself.
    if (now?.state === 'running') this.adopt(now);
  }

  #inspect(replica: Replica, id: string): Promise<Instance | undefined> {
    const { clock, life } = this.#options.context;
    return withDeadline(clock, RUNTIME_CALL_MS, life, (signal) => replica.runtime.inspect(id, signal));
  }

  #readiness(replica: Replica): ReadinessContext {
    const { context, hub, service, settings } = this.#options;
    const { ready, check } = settings();
    const probe: ReadinessContext['probe'] = (order, signal) => hub.probe(order, signal);
    return { clock: context.clock, probe, runtime: replica.runtime, service, endpoint: replica.endpoint, ready, check };
  }
}
