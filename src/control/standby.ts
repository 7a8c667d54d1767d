import { toPilotlightError } from '../model/errors.ts';
import { type ControlContext, detached } from './context.ts';
import { withDeadline } from './deadline.ts';
import type { Replica } from './replica.ts';
import { RUNTIME_CALL_MS } from './start-sequence.ts';

/** Pre-positioned at once, over all services. */
const CONCURRENCY = 2;

interface Order {
  service: string;
  replica: Replica;
}

/** Pre-positions replicas in the background, so that a start is quick. A failure is no harm: the start does it then. */
export class Standby {
  readonly #context: ControlContext;
  readonly #queue: Order[] = [];
  /** Services of which a failure was told; told again only after a success. */
  readonly #told = new Set<string>();
  #running = 0;

  constructor(context: ControlContext) {
    this.#context = context;
  }

  /** Pre-positions a replica soon, unless it runs by then. */
  prepare(service: string, replica: Replica): void {
    if (this.#queue.some((order) => order.replica === replica)) return;
    this.#queue.push({ service, replica });
    this.#pump();
  }

  /** Forgets what was queued, and told, of a service. */
  forget(service: string): void {
    this.#told.delete(service);
    const rest = this.#queue.filter((order) => order.service !== service);
    this.#queue.splice(0, this.#queue.length, ...rest);
  }

  #pump(): void {
    while (this.#running < CONCURRENCY && !this.#context.life.aborted) {
      const order = this.#queue.shift();
      if (order === undefined) return;
      const { replica } = order;
      if (replica.isLive || replica.task.kind !== 'none' || replica.preparing !== undefined) continue;
      this.#running++;
      const work = this.#run(order).finally(() => {
        replica.preparing = undefined;
        this.#running--;
        this.#pump();
      });
      replica.preparing = work;
      detached(this.#context, `prepare ${replica.name}`, work);
    }
  }

  async #run({ service, replica }: Order): Promise<void> {
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
