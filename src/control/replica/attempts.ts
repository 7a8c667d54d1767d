import type { Instance } from '../../model/runtime.ts';
import type { Timer } from '../../util/clock.ts';
import { detached } from '../context.ts';
import { giveUpPort } from './lost-port.ts';
import type { Replica } from './replica.ts';
import type { RunnerOptions } from './runner-ports.ts';
import { callRuntime, never } from './runtime-call.ts';
import { isDisturbed, isPortClash, launch, proveReady } from './start-sequence.ts';

/** A permit covers this much of the time until a started replica is ready, ms. */
export const PERMIT_READINESS_MS = 2000;
/** A replica that does not answer so long after it was had go on is given up for a fresh one, ms. */
const RESUME_READY_MS = 5000;

export type StartTask = Extract<Replica['task'], { kind: 'start' }>;

/** Which start an attempt belongs to. */
export interface BegunStart {
  task: StartTask;
  /** When it passed the start gate, the clock's ms. */
  permitAt: number;
  /** Lets the next start begin; called more than once. */
  releasePermit: () => void;
}

/** Single attempts to have a replica run, from the call of its runtime until it is proved ready. */
export class Attempts {
  readonly #options: RunnerOptions;
  readonly #verify: (replica: Replica) => Promise<unknown>;
  #incarnations = 0;

  /** @param verify looks at a replica of which an end was told before it was known which run that was about */
  constructor(options: RunnerOptions, verify: (replica: Replica) => Promise<unknown>) {
    this.#options = options;
    this.#verify = verify;
  }

  /** It is another endpoint from now on: what the edges know of the one before does not speak for this one. */
  newRun(replica: Replica): void {
    replica.endpoint = `${replica.name}#${++this.#incarnations}`;
    replica.loss = undefined;
    replica.attempt = {};
    replica.otherHost = undefined;
  }

  /** @throws what the runtime throws, what keeps it from being ready, or why the start was broken off */
  async start(replica: Replica, { task, permitAt, releasePermit }: BegunStart): Promise<void> {
    const { context, publish, mayEnd } = this.#options;
    const { clock } = context;
    // What broke off the attempt before is no reason to break off this one.
    if (isDisturbed(task.abort.signal.reason)) task.abort = new AbortController();
    const { signal } = task.abort;
    task.exitSeen = false;
    replica.instance = undefined;
    this.newRun(replica);
    let permitTimer: Timer | undefined;
    try {
      await replica.preparing;
      signal.throwIfAborted();
      // Not under the task's signal: a start that is broken off half-way may leave a replica that nobody knows of.
      const instance = await launch(clock, replica.runtime, replica.spec, context.life);
      const started = clock.now();
      task.startedAt = started;
      replica.instance = instance;
      replica.leaving = instance.leaving;
      // From here the address is ours: what others list there is not used any more.
      publish();
      permitTimer = clock.after(PERMIT_READINESS_MS, releasePermit);
      signal.throwIfAborted();
      if (task.exitSeen) detached(context, `verify ${replica.name}`, this.#verify(replica));
      await this.prove(replica, instance, signal);
      replica.start = { asked: task.askedAt, permit: permitAt, started, ready: clock.now(), span: task.span };
    } catch (thrown) {
      if (isPortClash(thrown)) await giveUpPort(context, replica, mayEnd(), thrown);
      throw thrown;
    } finally {
      permitTimer?.cancel();
    }
  }

  /** Has it go on where it is paused. @throws as `start` */
  async resume(replica: Replica, { task, permitAt, releasePermit }: BegunStart): Promise<void> {
    const { clock, life } = this.#options.context;
    const { runtime, instance: before } = replica;
    const { signal } = task.abort;
    this.newRun(replica);
    const instance = await callRuntime(clock, RESUME_READY_MS, life, (inner) =>
      runtime.resume === undefined ? never(runtime) : runtime.resume(before?.id ?? '', inner),
    );
    const started = clock.now();
    task.startedAt = started;
    replica.instance = instance;
    const permitTimer = clock.after(PERMIT_READINESS_MS, releasePermit);
    try {
      signal.throwIfAborted();
      await this.prove(replica, instance, signal, RESUME_READY_MS);
      replica.start = { asked: task.askedAt, permit: permitAt, started, ready: clock.now(), span: task.span };
    } finally {
      permitTimer.cancel();
    }
  }

  /**
   * Resolves when what runs is ready.
   * @param mostMs it has no longer than this, nor than its configuration says
   * @throws what keeps it from being ready, or the signal's reason
   */
  async prove(replica: Replica, instance: Instance, signal: AbortSignal, mostMs = Number.POSITIVE_INFINITY) {
    const { context, hub, service, settings } = this.#options;
    const { ready, check } = settings();
    const { endpoint, runtime, attempt } = replica;
    const readiness = {
      clock: context.clock,
      probe: hub.probe.bind(hub),
      runtime,
      service,
      endpoint,
      ready: { ...ready, timeoutMs: Math.min(mostMs, ready.timeoutMs) },
      check,
      attempt,
    };
    const host = await proveReady(readiness, instance, signal);
    if (host !== instance.address?.host) replica.otherHost = host;
  }
}
