import { PilotlightError } from '../../model/errors.ts';
import type { StartCause } from '../../model/replica.ts';
import type { Instance } from '../../model/runtime.ts';
import type { SpanIdentity } from '../../model/traces.ts';
import { detached } from '../context.ts';
import type { OwnedAddress, OwnedEndpoint } from '../endpoints/registry.ts';
import type { ReplicaLoad } from '../link/telemetry.ts';
import { PROBATION_MS } from '../start/circuit.ts';
import type { StartGate } from '../start/gate.ts';
import { Assurance } from './assurance.ts';
import type { Whereabouts } from './lost-port.ts';
import { isAsKnown, Replica } from './replica.ts';
import { nextHealth } from './replica-health.ts';
import { countReplicas, placeToStart, type ReplicaCounts, type ReplicaView, viewOf } from './replica-view.ts';
import { type CordonAck, IN_USE_MS, isPausable, isVoluntary, Retirement, type RetireReason } from './retire.ts';
import { ReplicaRunner } from './runner.ts';
import type { RunnerListener, RunnerOptions, RunnerSettings } from './runner-ports.ts';
import { SharedLooks } from './shared-looks.ts';

/** Shared until there is a replica: an empty map takes 180 bytes, and most of many services sleep. */
const NONE = new Map<number, Replica>();

/** What a replica set needs to know of its service's configuration at the moment. */
export interface ReplicaSettings extends RunnerSettings {
  drainMs: number;
  /** … where nobody is in a hurry. */
  patienceMs: number;
  idleMs: number;
  /** Whether what is put to sleep is paused. */
  pauses: boolean;
}

/** What becomes of replicas; called after the change, once each. */
export interface ReplicaSetListener extends RunnerListener {
  /** It is cordoned: whoever lists it elsewhere takes it out. */
  onCordoned(replica: Replica): void;
  /** Its retire was called off, because of `why`: it is ready again. */
  onRevoked(replica: Replica, why: string): void;
  /** A retire was called off by activity that the edges told of, after `onRevoked`. */
  onCalledOff(): void;
  /** So many streams of it are closed because no byte passed for long. */
  onQuietClosed(replica: Replica, count: number): void;
  onDrainForced(replica: Replica, inFlight: number): void;
  /** @returns whether the edge is ended for that, and will detach */
  onUnresponsive(edge: string): boolean;
}

interface ReplicaSetOptions extends RunnerOptions {
  gate: StartGate;
  /** What is in flight on an endpoint. */
  loadOf: (endpoint: string) => ReplicaLoad;
  settings: () => ReplicaSettings;
  listener: ReplicaSetListener;
}

/**
 * The replicas of one service, each in its place: which start, which retire, which are called off or taken back. When
 * to do which is decided elsewhere.
 */
export class ReplicaSet {
  readonly #options: ReplicaSetOptions;
  readonly #runner: ReplicaRunner;
  readonly #assurance: Assurance;
  /** Made when somebody asks: most of many services sleep. */
  #looks: SharedLooks<Whereabouts> | undefined;
  #replicas = NONE;

  constructor(options: ReplicaSetOptions) {
    this.#options = options;
    this.#runner = new ReplicaRunner(options);
    this.#assurance = new Assurance({
      context: options.context,
      look: async (endpoint) => {
        const replica = this.byEndpoint(endpoint);
        return replica === undefined ? false : this.#runner.verify(replica);
      },
    });
  }

  /** By ordinal. */
  get replicas(): Replica[] {
    return [...this.#replicas.values()].sort((a, b) => a.ordinal - b.ordinal);
  }

  get counts(): ReplicaCounts {
    return countReplicas(this.#replicas.values());
  }

  /** Replicas as plain data; all of them, by ordinal, where none is named. */
  views(replicas: readonly Replica[] = this.replicas): ReplicaView[] {
    return replicas.map((replica) => viewOf(replica, this.#options.loadOf(replica.endpoint)));
  }

  /**
   * Takes note of what the health checks say of ready replicas.
   * @param sickAfterMs how long one has to stay unhealthy to be sick, ms
   * @returns those that are sick since this look
   */
  examine(isUnhealthy: (endpoint: string) => boolean, sickAfterMs: number): Replica[] {
    const now = this.#options.context.clock.now();
    return this.replicas.filter((replica) => {
      const before = replica.health;
      const isIll = replica.state === 'ready' && isUnhealthy(replica.endpoint);
      const after = nextHealth(before, isIll, now, sickAfterMs);
      replica.health = after;
      return before.state !== 'sick' && after.state === 'sick';
    });
  }

  /** Of the start that began last; undefined where none is traced. */
  get startSpan(): SpanIdentity | undefined {
    return this.#runner.startSpan;
  }

  /** Whether every replica runs, or does not, and is to stay so. */
  get isSettled(): boolean {
    return this.replicas.every(({ task: { kind } }) => kind === 'none' || kind === 'queued');
  }

  /** What the edges should know of. */
  get endpoints(): OwnedEndpoint[] {
    return this.replicas.flatMap(({ isServing, address, endpoint, state, task, start, loss }) => {
      if (!isServing || address === undefined || loss !== undefined) return [];
      const closing = task.kind === 'retire' && task.retirement.isClosing;
      const view = state === 'ready' ? 'ready' : closing ? 'closing' : 'cordoned';
      return { id: endpoint, ...address, state: view, start };
    });
  }

  /** Addresses at which a replica of this service lives, or is paused. */
  get addresses(): OwnedAddress[] {
    return this.replicas.flatMap(({ isThere, address, task, isResumed }) =>
      isThere && address !== undefined ? [{ ...address, isNew: task.kind === 'start' && !isResumed }] : [],
    );
  }

  byEndpoint(endpoint: string): Replica | undefined {
    return this.replicas.find((replica) => replica.endpoint === endpoint);
  }

  /** The replica at a place, made if there was none. */
  at(ordinal: number): Replica {
    let replica = this.#replicas.get(ordinal);
    if (replica === undefined) {
      const { gate, settings, service } = this.#options;
      const { spec, runtime } = settings();
      replica = new Replica(spec(ordinal), runtime(), (name, holds) =>
        holds ? gate.occupy(service, name) : gate.vacate(service, name),
      );
      if (this.#replicas === NONE) this.#replicas = new Map();
      this.#replicas.set(ordinal, replica);
    }
    return replica;
  }

  /** Queues a start in a free place: a paused replica goes on, where there is one. */
  start(cause: StartCause): void {
    const { service, gate, context, settings } = this.#options;
    const replica = this.at(placeToStart(this.views(), settings().spec(1).hash));
    const askedAt = context.clock.now();
    const ticket = gate.request({
      service,
      replica: replica.name,
      limited: cause !== 'demand' && cause !== 'by-hand',
      granted: (permit) => this.#runner.start(replica, cause, askedAt, permit.release),
    });
    replica.task = { kind: 'queued', ticket, cause, askedAt };
  }

  /** Requests wait: starts that stand behind a rate limit go ahead. */
  hurryStarts(): void {
    for (const { task } of this.#replicas.values()) if (task.kind === 'queued') task.ticket.hurry();
  }

  /** Takes starts that were not let through yet out of the queue. */
  withdraw(replicas: readonly Replica[]): void {
    for (const replica of replicas) {
      if (replica.task.kind !== 'queued') continue;
      replica.task.ticket.cancel();
      replica.task = { kind: 'none' };
      // Somebody may have had a paused one go on meanwhile.
      if (replica.state === 'paused') this.verify(replica);
      this.#options.listener.onStartWithdrawn(replica);
    }
  }

  /** Calls off starts that are under way, and stops what they started. */
  callOff(replicas: readonly Replica[]): void {
    for (const { task } of replicas) {
      if (task.kind === 'start' || task.kind === 'adopt') {
        task.abort.abort(new PilotlightError('CANCELLED', 'the start was called off'));
      }
    }
  }

  /** Takes a running replica into service once it has proved itself. @returns whether its place was free */
  adopt(instance: Instance): boolean {
    return this.#runner.adopt(this.at(instance.ordinal), instance);
  }

  /** Takes note of a replica that was found paused: the next start has it go on. @returns whether its place was free */
  park(instance: Instance): boolean {
    return this.#runner.park(this.at(instance.ordinal), instance);
  }

  /** Stops paused replicas. */
  drop(replicas: readonly Replica[], reason: string): void {
    for (const replica of replicas) if (replica.state === 'paused') this.#runner.stop(replica, reason);
  }

  /** Begins the two-phase end of ready replicas. */
  retire(replicas: readonly Replica[], reason: RetireReason): void {
    const { listener, hub, publish, settings, context } = this.#options;
    const retiring = replicas.filter((replica) => replica.apply('cordon'));
    if (retiring.length === 0) return;
    for (const replica of retiring) listener.onCordoned(replica);
    const version = publish();
    const { drainMs, patienceMs, idleMs } = settings();
    const isPatient = reason === 'scale-down' || reason === 'given-up' || reason === 'drained';
    for (const replica of retiring) {
      const retirement = new Retirement({
        clock: context.clock,
        reason,
        version,
        edges: hub.edges,
        // When a service is idle, nothing is left that it would have to wait for but what does not count.
        drainMs: isPatient ? patienceMs : drainMs,
        keepMs: reason === 'replaced' ? PROBATION_MS : 0,
        idleMs: reason === 'memory' ? Math.min(idleMs, IN_USE_MS) : idleMs,
        isOutOfSight: () =>
          isVoluntary(reason) &&
          hub.absent.mayUse({ readyAt: replica.readyAt, isAdopted: replica.start === undefined }),
        acknowledged: () => {
          replica.apply('acknowledged');
          listener.onChange();
        },
        calledOff: () => {
          this.#revoke(replica, retirement, 'there was activity');
          listener.onCalledOff();
        },
        close: () => publish(),
        stop: () => this.#end(replica, reason),
        quiet: (count) => listener.onQuietClosed(replica, count),
        forced: (inFlight) => listener.onDrainForced(replica, inFlight),
        unresponsive: (edge) => listener.onUnresponsive(edge),
      });
      replica.task = { kind: 'retire', retirement };
    }
    for (const { task } of retiring) if (task.kind === 'retire') task.retirement.begin();
  }

  /** Somebody is in a hurry now: what still waits for requests in flight has no longer than `drainMs` from here. */
  hurryRetires(): void {
    const { drainMs } = this.#options.settings();
    for (const { task } of this.replicas) if (task.kind === 'retire') task.retirement.hurry(drainMs);
  }

  /** Makes replicas ready again whose retirement can be called off. @param why as in `because …` */
  revoke(replicas: readonly Replica[], why: string): void {
    for (const replica of replicas) {
      const { task } = replica;
      if (task.kind === 'retire' && task.retirement.revocable) this.#revoke(replica, task.retirement, why);
    }
  }

  onAck(edge: string, endpoint: string, ack: CordonAck): void {
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

  /** An edge that was out of sight is back. */
  onReturned(edge: string): void {
    for (const { task } of this.replicas) if (task.kind === 'retire') task.retirement.returned(edge);
  }

  /** Whether a start or stop of our own is under way at a place: what is reported of it is no news. */
  isBusy(ordinal: number): boolean {
    const task = this.#replicas.get(ordinal)?.task.kind;
    return task === 'start' || task === 'pause' || task === 'stop';
  }

  /** The runtime reported an exit, or that it is near. The event may be about an earlier run: the runtime is asked. */
  onExitEvent(ordinal: number, id: string): void {
    const replica = this.#replicas.get(ordinal);
    if (replica === undefined) return;
    if (replica.instance?.id === id) this.verify(replica);
    else if (replica.task.kind === 'start' && replica.instance === undefined) replica.task.exitSeen = true;
  }

  /** Asks the runtime whether the replica still is the run that it was; what cannot be asked stays as it is known. */
  verify(replica: Replica): void {
    detached(this.#options.context, `verify ${replica.name}`, this.#runner.verify(replica));
  }

  /**
   * Asks whether the run behind an endpoint still is there, after its connections closed unasked.
   * @param assured called when it is, or where that cannot be known; never where it is not
   * @returns whether nobody asks already
   */
  assure(endpoint: string, assured: () => void): boolean {
    const isNews = this.#assurance.ask(endpoint, assured);
    if (!isNews) detached(this.#options.context, `look at ${endpoint}`, this.#look(endpoint));
    return isNews;
  }

  /**
   * Asks whether a connection that was opened a moment ago leads to the run behind an endpoint.
   * @param proven called when it does, or where that cannot be known; never where it does not
   */
  prove(endpoint: string, proven: () => void): void {
    detached(this.#options.context, `look at ${endpoint}`, this.#prove(endpoint, proven));
  }

  async #prove(endpoint: string, proven: () => void): Promise<void> {
    const where = await this.#look(endpoint);
    if (where === 'there') proven();
    else if (where === 'unknown') this.#assurance.ask(endpoint, proven);
  }

  #look(endpoint: string): Promise<Whereabouts> {
    this.#looks ??= new SharedLooks(this.#options.context, (other) => this.#lookHere(other));
    return this.#looks.look(endpoint);
  }

  /** What the machine itself knows need not wait for a runtime that takes its time. */
  async #lookHere(endpoint: string): Promise<Whereabouts> {
    const replica = this.byEndpoint(endpoint);
    if (replica === undefined) return 'unknown';
    const isKnown = replica.loss !== undefined;
    const where = await this.#runner.lookHere(replica);
    if (where === 'lost' && !isKnown) await this.#runner.verify(replica);
    return where;
  }

  /** Brings the replicas in line with what the runtime lists: what it does not list as running is gone. */
  reconcile(instances: readonly Instance[]): void {
    for (const replica of this.replicas) {
      const { instance, ordinal, state } = replica;
      if (instance === undefined || state === 'stopping') continue;
      const listed = instances.find((other) => other.ordinal === ordinal);
      // The list may be older than what is known by now: only a look at the one replica counts.
      if (!isAsKnown(replica, listed) || listed?.leaving !== replica.leaving) this.verify(replica);
    }
  }

  /** Stops replicas without a drain, as nothing is sent to them any more. */
  stopNow(reason: string): void {
    this.withdraw(this.replicas.reverse());
    this.callOff(this.replicas);
    for (const replica of this.replicas) {
      if (replica.state === 'paused' || replica.state === 'pausing') this.#runner.stop(replica, reason);
      if (!replica.isServing) continue;
      replica.takeOut();
      this.#options.listener.onCordoned(replica);
      this.#runner.stop(replica, reason);
    }
  }

  /** Nothing is sent to it any more, and nothing is in flight there: it is paused, or else stopped. */
  #end(replica: Replica, reason: RetireReason): void {
    const { pauses, spec } = this.#options.settings();
    const isPaused = pauses && isPausable(reason) && replica.spec.hash === spec(replica.ordinal).hash;
    if (isPaused) this.#runner.pause(replica, reason);
    else this.#runner.stop(replica, reason);
  }

  #revoke(replica: Replica, retirement: Retirement, why: string): void {
    retirement.cancel();
    replica.apply('revoke');
    replica.task = { kind: 'none' };
    this.#options.publish();
    this.#options.listener.onRevoked(replica, why);
  }
}
