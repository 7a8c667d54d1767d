import { toPilotlightError } from '../model/errors.ts';
import { type ControlContext, detached } from './context.ts';
import { withDeadline } from './deadline.ts';
import type { Replica } from './replica.ts';
import { RUNTIME_CALL_MS } from './start-sequence.ts';

/** Pre-positioned at once, over all services. */
const CONCURRENCY = 2;

/** Pre-positions replicas in the background, so that a start is quick. A failure is no harm: the start does it then. */
export class Standby {
  readonly #context: ControlContext;
  /** Replicas in the order in which they were named, and their services. */
  readonly #queue = new Map<Replica, string>();
  /** Services of which a failure was told; told again only after a success. */
  readonly #told = new Set<string>();
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

  /** Forgets what was queued, and told, of a service. */
  forget(service: string): void {
    this.#told.delete(service);
    for (const [replica, of] of this.#queue) if (of === service) this.#queue.delete(replica);
  }

  #pump(): void {
    for (const [replica, service] of this.#queue) {
      if (this.#running >= CONCURRENCY || this.#context.life.aborted) return;
      this.#queue.delete(replica);
      if (replica.isLive || replica.task.kind !== 'none' || replica.preparing !== undefined) continue;
      this.#running++;
      const work = this.#run(service, replica).finally(() => {
        replica.preparing = undefined;
        this.#running--;
        this.#pump();
      });
      replica.preparing = work;
      detached(this.#context, `prepare ${replica.name}`, work);
    }
  }

  async #run(service: string, replica: Replica): Promise<void> {
    const { clock, life, logger, events } = this.#context;
    try {
      await withDeadline(clock, RUNTIME_CALL_MS, life, (signal) => replica.runtime.prepare(replica.spec, signal));
      this.#told.delete(service);
    } catch (thrown) {
      if (life.aborted || this.#told.has(service)) return;
      this.#told.add(service);
      const { message, code } = toPilotlightError(thrown);
      const line = `${replica.name} cannot be prepared: ${message}`;
      logger.warn({ service, code }, line);
      events.emit('runtime', service, line, { code });
    }
  }
}
