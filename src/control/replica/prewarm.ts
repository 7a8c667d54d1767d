import { type PilotlightError, toPilotlightError } from '../../model/errors.ts';
import type { Trouble } from '../../model/status.ts';
import { backoffDelay } from '../../util/backoff.ts';
import type { Timer } from '../../util/clock.ts';
import { printable } from '../../util/printable.ts';
import { type ControlContext, detached } from '../context.ts';
import type { Replica } from './replica.ts';
import { callRuntime, RUNTIME_CALL_MS } from './runtime-call.ts';

/** Pre-positioned at once, over all services. */
const CONCURRENCY = 2;
const MESSAGE_LENGTH = 600;

/** After a failure it is tried again: what was missing may be there by then, ms. */
const RETRY = { base: 5_000, cap: 60_000, jitter: 0.2 };

/** Pre-positions replicas in the background, so that a start is quick. A failure is no harm: the start does it then. */
export class Prewarm {
  readonly #context: ControlContext;
  /** Replicas in the order in which they were named, and their services. */
  readonly #queue = new Map<Replica, string>();
  /** By service, why its replicas cannot be prepared: told once, and again only after a success. */
  readonly #troubles = new Map<string, Trouble>();
  /** What failed, until it succeeds or need not any more; failures in a row. */
  readonly #retries = new Map<Replica, { service: string; failures: number; timer: Timer | undefined }>();
  #running = 0;

  constructor(context: ControlContext) {
    this.#context = context;
  }

  /** Pre-positions a replica soon, unless it runs by then. */
  prepare(service: string, replica: Replica): void {
    if (this.#queue.has(replica)) return;
    this.#queue.set(replica, service);
    this.#pump();
  }

  /** Why replicas of the service cannot be pre-positioned; undefined while they can. */
  trouble(service: string): Trouble | undefined {
    return this.#troubles.get(service);
  }

  /** A replica of the service started all the same. Others that could not be prepared are tried again in their time. */
  mend(service: string): void {
    this.#troubles.delete(service);
  }

  /** Forgets what was queued, and told, of a service: what could not be prepared is not what would be now. */
  forget(service: string): void {
    this.mend(service);
    for (const [replica, of] of this.#queue) if (of === service) this.#queue.delete(replica);
    for (const [replica, retry] of this.#retries) if (retry.service === service) this.#settle(replica);
  }

  #pump(): void {
    for (const [replica, service] of this.#queue) {
      if (this.#running >= CONCURRENCY || this.#context.life.aborted) return;
      this.#queue.delete(replica);
      if (replica.isThere) this.#settle(replica);
      if (replica.isThere || replica.task.kind !== 'none' || replica.preparing !== undefined) continue;
      this.#running++;
      const { hash } = replica.spec;
      const work = this.#run(service, replica).finally(() => {
        replica.preparing = undefined;
        this.#running--;
        // Another `run` came meanwhile.
        if (replica.spec.hash !== hash) this.#queue.set(replica, service);
        this.#pump();
      });
      replica.preparing = work;
      detached(this.#context, `prepare ${replica.name}`, work);
    }
  }

  async #run(service: string, replica: Replica): Promise<void> {
    const { clock, life } = this.#context;
    const { spec } = replica;
    try {
      await callRuntime(clock, RUNTIME_CALL_MS, life, (signal) => replica.runtime.prepare(spec, signal));
      this.mend(service);
      this.#settle(replica);
    } catch (thrown) {
      // With another `run` by now, it is prepared again anyway.
      if (!life.aborted && replica.spec === spec) this.#failed(service, replica, toPilotlightError(thrown));
    }
  }

  /** It is prepared, or need not be any more. */
  #settle(replica: Replica): void {
    this.#retries.get(replica)?.timer?.cancel();
    this.#retries.delete(replica);
  }

  #failed(service: string, replica: Replica, { message, code }: PilotlightError): void {
    const { clock, logger, events, random } = this.#context;
    const retry = this.#retries.get(replica) ?? { service, failures: 0, timer: undefined };
    this.#retries.set(replica, retry);
    retry.failures++;
    retry.timer?.cancel();
    retry.timer = clock.after(backoffDelay(retry.failures, RETRY, random), () => this.prepare(service, replica));
    if (this.#troubles.has(service)) return;
    const line = `${replica.name} cannot be prepared: ${printable(message, MESSAGE_LENGTH)}`;
    this.#troubles.set(service, { code, message: line, since: new Date(clock.wall()).toISOString() });
    logger.warn({ service, code }, line);
    events.emit('runtime', service, line, { code });
  }
}
