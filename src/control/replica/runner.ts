import { PilotlightError, toPilotlightError } from '../../model/errors.ts';
import type { StartCause } from '../../model/replica.ts';
import type { Instance } from '../../model/runtime.ts';
import type { SpanIdentity } from '../../model/traces.ts';
import { detached } from '../context.ts';
import { retrying } from '../retry.ts';
import { CRASH_MS, PROBATION_MS } from '../start/circuit.ts';
import { Attempts, type BegunStart, type StartTask } from './attempts.ts';
import { endings, endText, isByHand, withdrawals } from './endings.ts';
import { GIVEN_UP_GRACE_MS, lossText, type Whereabouts, whereIs } from './lost-port.ts';
import { isAsKnown, isSameRun, type Replica } from './replica.ts';
import { well } from './replica-health.ts';
import type { RunnerOptions } from './runner-ports.ts';
import { callRuntime, never, RUNTIME_CALL_MS } from './runtime-call.ts';
import { ended, endedEarly, exitText, untilUndisturbed } from './start-sequence.ts';
import { startSpan, traceStart } from './start-trace.ts';

/** A call to freeze a replica takes no longer than this, ms: requests may come for it meanwhile. */
const PAUSE_MS = 5000;
/** Between attempts to stop a replica whose runtime does not answer, ms. */
const STOP_RETRY = { base: 1000, cap: 30_000, jitter: 0.2 };

/**
 * Has the runtime start and stop single replicas of a service, and sees each through: a start until it is proved ready
 * or came to nothing, a stop until it runs no more.
 */
export class ReplicaRunner {
  /** Of the start that began last; undefined where none is traced. */
  startSpan: SpanIdentity | undefined;
  readonly #options: RunnerOptions;
  readonly #attempts: Attempts;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#attempts = new Attempts(options, (replica) => this.verify(replica));
  }

  /**
   * Starts what the configuration says now, or has it go on where it is paused.
   * @param releasePermit lets the next start begin; called more than once
   */
  start(replica: Replica, cause: StartCause, askedAt: number, releasePermit: () => void): void {
    const { context, listener, settings } = this.#options;
    const now = context.clock.now();
    const span = startSpan(context);
    this.startSpan = span;
    const task: StartTask = { kind: 'start', abort: new AbortController(), cause, askedAt, exitSeen: false, span };
    replica.isResumed = replica.apply('resume');
    if (!replica.isResumed) {
      const { spec, runtime } = settings();
      replica.spec = spec(replica.ordinal);
      replica.runtime = runtime();
      replica.apply('start');
    }
    replica.task = task;
    listener.onChange();
    const begun = { task, permitAt: now, releasePermit };
    const run = replica.isResumed ? this.#runResume(replica, begun) : this.#runStart(replica, begun);
    detached(context, `start ${replica.name}`, run.finally(releasePermit));
  }

  /** Takes what runs into service once it has proved itself. @returns false, without a change, where the place is taken */
  adopt(replica: Replica, instance: Instance): boolean {
    if (!this.#find(replica, instance, 'adopt')) return false;
    const abort = new AbortController();
    replica.task = { kind: 'adopt', abort };
    this.#attempts.newRun(replica);
    const adopted = this.#runAdopt(replica, instance, abort.signal);
    detached(this.#options.context, `adopt ${replica.name}`, adopted);
    return true;
  }

  /** Takes note of what is frozen. @returns false, without a change, where the place is taken */
  park(replica: Replica, instance: Instance): boolean {
    if (!this.#park(replica, instance)) return false;
    this.#options.publish();
    this.#options.listener.onPaused(replica, undefined);
    return true;
  }

  #park(replica: Replica, instance: Instance): boolean {
    if (!this.#find(replica, instance, 'found-paused')) return false;
    replica.pausedAt = this.#options.context.clock.now();
    replica.attempt = {};
    replica.otherHost = undefined;
    return true;
  }

  #find(replica: Replica, instance: Instance, event: 'adopt' | 'found-paused'): boolean {
    if (replica.isLive || replica.task.kind !== 'none' || !replica.apply(event)) return false;
    const { spec, runtime } = this.#options.settings();
    replica.spec = { ...spec(replica.ordinal), hash: instance.hash };
    replica.runtime = runtime();
    replica.start = undefined;
    replica.isResumed = false;
    replica.leaving = instance.leaving;
    replica.instance = instance;
    return true;
  }

  /** Freezes what gets nothing and has nothing in flight any more. Where that fails it is stopped. */
  pause(replica: Replica, reason: string): void {
    const { context, publish } = this.#options;
    replica.apply('pause');
    replica.task = { kind: 'pause', reason };
    // The edges close what they keep open to it.
    publish();
    detached(context, `pause ${replica.name}`, this.#runPause(replica, reason));
  }

  /**
   * Ends what runs or is paused, without a drain. From here there is no way back.
   * @param mostGraceMs it has no longer than this from the signal to the kill
   */
  stop(replica: Replica, reason: string, mostGraceMs = Number.POSITIVE_INFINITY): void {
    const { context, publish } = this.#options;
    replica.apply('stop');
    replica.task = { kind: 'stop', reason };
    publish();
    detached(context, `stop ${replica.name}`, this.#runStop(replica, reason, mostGraceMs));
  }

  /**
   * Asks the runtime whether the replica still is the run that it was, and follows where it is not.
   * @returns undefined where that cannot be known: then all stays as it is known
   */
  async verify(replica: Replica): Promise<boolean | undefined> {
    const { instance } = replica;
    if (instance === undefined || replica.state === 'stopping') return undefined;
    let now: Instance | undefined = instance;
    try {
      await this.lookHere(replica);
      now = await this.#inspect(replica, instance.id);
    } catch (cause) {
      this.#options.context.logger.warn({ replica: replica.name, cause: String(cause) }, 'cannot inspect');
      if (replica.loss === undefined) return undefined;
    }
    if (replica.instance !== instance) return undefined;
    if (isAsKnown(replica, now) && replica.loss === undefined) {
      this.#noteLeaving(replica, now);
      return true;
    }
    if (isAsKnown(replica, now)) this.#lost(replica);
    else this.#gone(replica, now);
    return false;
  }

  /** By what the machine itself knows: the edges are told before the runtime is asked. */
  lookHere(replica: Replica): Promise<Whereabouts> {
    return whereIs(this.#options.context, replica, this.#options.publish);
  }

  /** The runtime has it run, and it is not at its address any more: of no use, but nothing that it is to blame for. */
  #lost(replica: Replica): void {
    if (!replica.isServing) return;
    const detail = lossText(replica);
    // The edges know it no more: none would acknowledge that it retires.
    replica.takeOut();
    if (this.#options.mayEnd()) {
      this.stop(replica, 'failed');
    } else {
      replica.apply('exit');
      replica.task = { kind: 'none' };
      replica.instance = undefined;
    }
    this.#options.listener.onExited(replica, { detail, crashedAfterMs: undefined, isLost: false });
  }

  #noteLeaving(replica: Replica, now: Instance | undefined): void {
    const isNews = now?.leaving !== undefined && replica.leaving === undefined;
    replica.leaving = now?.leaving;
    if (isNews) this.#options.listener.onLeaving(replica);
  }

  async #runStart(replica: Replica, begun: BegunStart): Promise<void> {
    const { life } = this.#options.context;
    const { task, permitAt } = begun;
    try {
      await untilUndisturbed(() => this.#attempts.start(replica, begun), life);
    } catch (thrown) {
      if (life.aborted) return;
      const error = toPilotlightError(thrown, 'RUNTIME_FAILED');
      traceStart(this.#options.context, replica, task, permitAt, error);
      this.#startEnded(replica, task.askedAt, error);
      return;
    }
    traceStart(this.#options.context, replica, task, permitAt, undefined);
    this.#becomeReady(replica, task.cause);
  }

  async #runResume(replica: Replica, begun: BegunStart): Promise<void> {
    const { context, listener } = this.#options;
    const { task, permitAt } = begun;
    try {
      await this.#attempts.resume(replica, begun);
    } catch (thrown) {
      if (context.life.aborted) return;
      const error = toPilotlightError(thrown, 'RUNTIME_FAILED');
      traceStart(context, replica, task, permitAt, error);
      this.#endStart(replica, error, GIVEN_UP_GRACE_MS);
      if (withdrawals.has(error.code)) listener.onStartWithdrawn(replica);
      else listener.onResumeFailed(replica, error);
      return;
    }
    traceStart(context, replica, task, permitAt, undefined);
    this.#becomeReady(replica, task.cause);
  }

  async #runPause(replica: Replica, reason: string): Promise<void> {
    const { context, listener } = this.#options;
    const { clock, life } = context;
    const { runtime, instance } = replica;
    const began = clock.now();
    const isPausing = () => replica.state === 'pausing' && replica.instance === instance;
    try {
      await callRuntime(clock, PAUSE_MS, life, (signal) =>
        runtime.pause === undefined ? never(runtime) : runtime.pause(instance?.id ?? '', signal),
      );
    } catch (thrown) {
      if (life.aborted || !isPausing()) return;
      listener.onPauseFailed(replica, toPilotlightError(thrown, 'RUNTIME_FAILED'));
      this.stop(replica, reason);
      return;
    }
    // It may have ended, or be stopped, by now.
    if (!isPausing()) return;
    replica.apply('paused');
    replica.task = { kind: 'none' };
    replica.pausedAt = clock.now();
    listener.onPaused(replica, clock.now() - began);
  }

  async #runAdopt(replica: Replica, instance: Instance, signal: AbortSignal): Promise<void> {
    const { context, listener } = this.#options;
    try {
      const now = await this.#inspect(replica, instance.id);
      if (!isSameRun(instance, now)) {
        throw new PilotlightError('REPLICA_EXITED', 'it ended before it could be taken over');
      }
      // It may have been told before it was known here.
      replica.leaving = now?.leaving;
      await this.#attempts.prove(replica, instance, signal);
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
    if (withdrawals.has(error.code)) listener.onStartWithdrawn(replica);
    else listener.onStartFailed(replica, error, askedAt, run);
  }

  #endStart(replica: Replica, error: PilotlightError, mostGraceMs?: number): void {
    replica.apply('fail');
    replica.task = { kind: 'none' };
    if (endings.has(error.code) || !this.#options.mayEnd()) replica.instance = undefined;
    if (replica.instance !== undefined) this.stop(replica, 'failed', mostGraceMs);
  }

  async #runStop(replica: Replica, reason: string, mostGraceMs: number): Promise<void> {
    const { context, listener } = this.#options;
    const id = replica.instance?.id ?? '';
    const began = context.clock.now();
    const { signal: name, graceMs } = replica.spec.run.stop;
    const stop = { signal: name, graceMs: Math.min(graceMs, mostGraceMs) };
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
    if (replica.state === 'paused' || replica.state === 'pausing') {
      this.#frozenGone(replica, now);
      return;
    }
    if (!replica.isServing) return;
    const wasReady = replica.state === 'ready';
    const run = replica.instance?.id;
    if (task.kind === 'retire') task.retirement.cancel();
    replica.apply('exit');
    replica.task = { kind: 'none' };
    replica.instance = undefined;
    const { start, readyAt } = replica;
    // Somebody froze it: the next start has it go on.
    const isFrozen = now?.state === 'paused' && replica.runtime.resume !== undefined && this.#park(replica, now);
    publish();
    const livedMs = context.clock.now() - readyAt;
    const isLost = now?.lost !== undefined;
    const isYoung = wasReady && livedMs < CRASH_MS && !isLost;
    replica.endedSoon = isYoung ? replica.endedSoon + 1 : 0;
    const isCrash = isYoung && !isByHand(now, replica.endedSoon);
    if (isCrash && start !== undefined && livedMs < PROBATION_MS) {
      const error = ended('it ended soon after it was ready', now, replica.attempt);
      listener.onStartFailed(replica, error, start.asked, run);
    } else if (task.kind === 'retire') {
      listener.onStopped(replica, task.retirement.reason, undefined);
    } else {
      const crashedAfterMs = isCrash ? livedMs : undefined;
      listener.onExited(replica, { detail: `${endText(now)}${exitText(now)}`, crashedAfterMs, isLost });
    }
    // It was started anew behind our back: another run, which has to prove itself.
    if (now?.state === 'running') this.adopt(replica, now);
    if (isFrozen) listener.onPaused(replica, undefined);
  }

  /** What was paused ended, or somebody had it go on. A start that waits for its turn there is then another one. */
  #frozenGone(replica: Replica, now: Instance | undefined): void {
    const { listener, publish } = this.#options;
    if (now?.state === 'running') {
      if (replica.state === 'paused') this.adopt(replica, now);
      return;
    }
    replica.apply('exit');
    replica.instance = undefined;
    if (replica.task.kind !== 'queued') replica.task = { kind: 'none' };
    publish();
    listener.onFrozenEnded(replica, `${endText(now)}${exitText(now)}`);
  }

  #inspect(replica: Replica, id: string): Promise<Instance | undefined> {
    const { clock, life } = this.#options.context;
    return callRuntime(clock, RUNTIME_CALL_MS, life, (signal) => replica.runtime.inspect(id, signal));
  }
}
