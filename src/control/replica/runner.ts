import { type ErrorCode, PilotlightError, toPilotlightError } from '../../model/errors.ts';
import type { ProbeRequest } from '../../model/link.ts';
import type { StartCause } from '../../model/replica.ts';
import type { Instance, ReplicaSpec, Runtime } from '../../model/runtime.ts';
import type { ReadySettings } from '../../model/settings.ts';
import type { Timer } from '../../util/clock.ts';
import { type ControlContext, detached } from '../context.ts';
import type { LinkHub } from '../link/hub.ts';
import { retrying } from '../retry.ts';
import { CRASH_MS, PROBATION_MS } from '../start/circuit.ts';
import { isSameRun, type Replica } from './replica.ts';
import { well } from './replica-health.ts';
import { callRuntime, RUNTIME_CALL_MS } from './runtime-call.ts';
import {
  ended,
  endedEarly,
  exitText,
  isPortClash,
  launch,
  proveReady,
  type ReadinessContext,
  untilNoClash,
} from './start-sequence.ts';

/** A permit covers this much of the time until a started replica is ready, ms. */
export const PERMIT_READINESS_MS = 2000;
/** Between attempts to stop a replica whose runtime does not answer, ms. */
const STOP_RETRY = { base: 1000, cap: 30_000, jitter: 0.2 };

/**
 * Whether somebody had a replica end. One that is not known any more was removed; one that ended in order is believed
 * to have been asked to, but not again and again.
 */
function isByHand(now: Instance | undefined, inARow: number): boolean {
  if (now === undefined || now.endedByHand === 'yes') return true;
  return now.endedByHand === 'perhaps' && inARow <= 1;
}

function endText(now: Instance | undefined): string {
  if (now === undefined) return 'somebody removed it';
  if (now.outOfMemory === 'yes') return 'it ran out of memory';
  if (now.endedByHand === undefined) return 'it ended by itself';
  return now.endedByHand === 'yes' ? 'somebody ended it' : 'it ended in order';
}

/** Errors that say that nothing runs any more. */
const endings: ReadonlySet<ErrorCode> = new Set(['REPLICA_EXITED', 'OUT_OF_MEMORY', 'COMMAND_NOT_FOUND', 'PORT_CLASH']);

type StartTask = Extract<Replica['task'], { kind: 'start' }>;

/** What is run in each place, and when it counts as ready, as the service's configuration has it at the moment. */
export interface RunnerSettings {
  spec: (ordinal: number) => ReplicaSpec;
  runtime: () => Runtime;
  ready: ReadySettings;
  check: ProbeRequest['check'];
}

/** What comes of starts, adoptions and stops, and of replicas that ended; called after the change, once each. */
export interface RunnerListener {
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
  /**
   * A ready replica ended by itself, or by somebody else's doing.
   * @param crashedAfterMs how long it was ready, where it ended by itself and too soon for that to be in order
   */
  onExited(replica: Replica, detail: string, crashedAfterMs: number | undefined): void;
  /** A replica that was to be stopped runs no more. */
  /** @param stopMs how long the runtime took to stop it; undefined where it ended by itself */
  onStopped(replica: Replica, reason: string, stopMs: number | undefined): void;
  /** What the runtime knows is not certain any more: list again. */
  onUncertain(): void;
}

export interface RunnerOptions {
  service: string;
  context: ControlContext;
  hub: LinkHub;
  settings: () => RunnerSettings;
  listener: RunnerListener;
  /** Sends the service's state to the edges at once. @returns its version */
  publish: () => number;
  /** Whether replicas may be stopped; else one that comes to nothing is left to be found again. */
  mayEnd: () => boolean;
}

/**
 * Has the runtime start and stop single replicas of a service, and sees each through: a start until it is proved ready
 * or came to nothing, a stop until it runs no more.
 */
export class ReplicaRunner {
  readonly #options: RunnerOptions;
  #incarnations = 0;

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  /** Starts what the configuration says now. @param releasePermit lets the next start begin; called more than once */
  start(replica: Replica, cause: StartCause, askedAt: number, releasePermit: () => void): void {
    const { context, listener, settings } = this.#options;
    const { spec, runtime } = settings();
    replica.spec = spec(replica.ordinal);
    replica.runtime = runtime();
    replica.apply('start');
    replica.task = { kind: 'start', abort: new AbortController(), cause, askedAt, exitSeen: false };
    listener.onChange();
    const run = this.#runStart(replica, replica.task, context.clock.now(), releasePermit);
    detached(context, `start ${replica.name}`, run.finally(releasePermit));
  }

  /** Takes what runs into service once it has proved itself. @returns false, without a change, where the place is taken */
  adopt(replica: Replica, instance: Instance): boolean {
    if (replica.isLive || replica.task.kind !== 'none') return false;
    const { context, settings } = this.#options;
    const { spec, runtime } = settings();
    replica.spec = { ...spec(replica.ordinal), hash: instance.hash };
    replica.runtime = runtime();
    if (!replica.apply('adopt')) return false;
    const abort = new AbortController();
    replica.task = { kind: 'adopt', abort };
    replica.start = undefined;
    replica.attempt = {};
    replica.otherHost = undefined;
    replica.instance = instance;
    replica.endpoint = this.#newEndpoint(replica);
    detached(context, `adopt ${replica.name}`, this.#runAdopt(replica, instance, abort.signal));
    return true;
  }

  /** Ends what runs, without a drain. From here there is no way back. */
  stop(replica: Replica, reason: string): void {
    const { context, publish } = this.#options;
    replica.apply('stop');
    replica.task = { kind: 'stop', reason };
    publish();
    detached(context, `stop ${replica.name}`, this.#runStop(replica, reason));
  }

  /**
   * Asks the runtime whether the replica still is the run that it was, and follows where it is not.
   * @returns undefined where that cannot be known: then all stays as it is known
   */
  async verify(replica: Replica): Promise<boolean | undefined> {
    const { context } = this.#options;
    const { instance } = replica;
    if (instance === undefined || replica.state === 'stopping') return undefined;
    let now: Instance | undefined;
    try {
      now = await this.#inspect(replica, instance.id);
    } catch (cause) {
      context.logger.warn({ replica: replica.name, cause: String(cause) }, 'cannot inspect');
      return undefined;
    }
    if (replica.instance !== instance) return undefined;
    if (isSameRun(instance, now)) return true;
    this.#gone(replica, now);
    return false;
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
    const { context, publish } = this.#options;
    const { clock } = context;
    // What broke off the attempt before is no reason to break off this one.
    if (isPortClash(task.abort.signal.reason)) task.abort = new AbortController();
    const { signal } = task.abort;
    task.exitSeen = false;
    replica.instance = undefined;
    replica.endpoint = this.#newEndpoint(replica);
    replica.attempt = {};
    replica.otherHost = undefined;
    let permitTimer: Timer | undefined;
    try {
      await replica.preparing;
      signal.throwIfAborted();
      // Not under the task's signal: a start that is broken off half-way may leave a replica that nobody knows of.
      const instance = await launch(clock, replica.runtime, replica.spec, context.life);
      const started = clock.now();
      replica.instance = instance;
      // From here the address is ours: what others list there is not used any more.
      publish();
      permitTimer = clock.after(PERMIT_READINESS_MS, releasePermit);
      signal.throwIfAborted();
      if (task.exitSeen) detached(context, `verify ${replica.name}`, this.verify(replica));
      this.#listens(replica, instance, await proveReady(this.#readiness(replica), instance, signal));
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
      this.#listens(replica, instance, await proveReady(this.#readiness(replica), instance, signal));
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
    const { context, listener, publish } = this.#options;
    replica.apply('ready');
    replica.task = { kind: 'none' };
    replica.readyAt = context.clock.now();
    replica.health = well;
    publish();
    listener.onReady(replica, cause);
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
    if (endings.has(error.code) || !this.#options.mayEnd()) replica.instance = undefined;
    if (replica.instance !== undefined) this.stop(replica, 'failed');
  }

  async #runStop(replica: Replica, reason: string): Promise<void> {
    const { context, listener } = this.#options;
    const id = replica.instance?.id ?? '';
    const began = context.clock.now();
    const { stop } = replica.spec.run;
    const limitMs = stop.graceMs + RUNTIME_CALL_MS;
    await retrying(context, `stop of ${replica.name}`, STOP_RETRY, () =>
      callRuntime(context.clock, limitMs, context.life, (signal) => replica.runtime.stop(id, stop, signal)),
    );
    replica.apply('exit');
    replica.task = { kind: 'none' };
    replica.instance = undefined;
    listener.onStopped(replica, reason, context.clock.now() - began);
  }

  /** The run that is known of ended; `now` is what the runtime knows of the replica instead. */
  #gone(replica: Replica, now: Instance | undefined): void {
    const { context, listener, publish } = this.#options;
    const { task } = replica;
    if (task.kind === 'start' || task.kind === 'adopt') {
      task.abort.abort(endedEarly('it ended before it was ready', now, replica.attempt));
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
    const { start, readyAt } = replica;
    const livedMs = context.clock.now() - readyAt;
    const isYoung = wasReady && livedMs < CRASH_MS;
    replica.endedSoon = isYoung ? replica.endedSoon + 1 : 0;
    const isCrash = isYoung && !isByHand(now, replica.endedSoon);
    if (isCrash && start !== undefined && livedMs < PROBATION_MS) {
      const error = ended('it ended soon after it was ready', now, replica.attempt);
      listener.onStartFailed(replica, error, start.asked, run);
    } else if (task.kind === 'retire') {
      listener.onStopped(replica, task.retirement.reason, undefined);
    } else {
      listener.onExited(replica, `${endText(now)}${exitText(now)}`, isCrash ? livedMs : undefined);
    }
    // It was started anew behind our back: another run, which has to prove itself.
    if (now?.state === 'running') this.adopt(replica, now);
  }

  #inspect(replica: Replica, id: string): Promise<Instance | undefined> {
    const { clock, life } = this.#options.context;
    return callRuntime(clock, RUNTIME_CALL_MS, life, (signal) => replica.runtime.inspect(id, signal));
  }

  #readiness(replica: Replica): ReadinessContext {
    const { context, hub, service, settings } = this.#options;
    const { ready, check } = settings();
    const { endpoint, runtime, attempt } = replica;
    const probe: ReadinessContext['probe'] = (order, signal, onTry) => hub.probe(order, signal, onTry);
    return { clock: context.clock, probe, runtime, service, endpoint, ready, check, attempt };
  }

  #listens(replica: Replica, { address }: Instance, host: string): void {
    if (host !== address?.host) replica.otherHost = host;
  }

  #newEndpoint(replica: Replica): string {
    return `${replica.name}#${++this.#incarnations}`;
  }
}
