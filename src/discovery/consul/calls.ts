import { EventEmitter } from 'node:events';
import { PilotlightError } from '../../model/errors.ts';
import type { Clock } from '../../util/clock.ts';
import { type ConsulConnection, explainFailure, oneLine } from './connection.ts';
import { inTime } from './deadline.ts';

/** What is used of the package; its own types are out of date. */
interface ConsulPackage<Api> {
  new (options: object): Api;
}

/** Single calls through the package, each within its time. `Api` is the part of it that is used. */
export class ConsulCalls<Api> {
  readonly #connection: ConsulConnection;
  readonly #clock: Clock;
  #api: Promise<Api> | undefined;
  /** With which it was opened: the package keeps its fields for good. */
  #headers: Record<string, string> | undefined;

  constructor(connection: ConsulConnection, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
  }

  /**
   * @param what completes "cannot", for messages
   * @param ms how long it may take
   * @throws DISCOVERY_UNREACHABLE, DISCOVERY_FAILED, CANCELLED
   */
  async call<T>(
    what: string,
    ms: number,
    signal: AbortSignal,
    call: (api: Api, ctx: EventEmitter) => Promise<T>,
  ): Promise<T> {
    const { place } = this.#connection;
    try {
      return await inTime(this.#clock, ms, signal, async (limit) => {
        const api = await this.#open();
        limit.throwIfAborted();
        // The package's way to call something off.
        const ctx = new EventEmitter();
        limit.addEventListener('abort', () => ctx.emit('cancel'), { once: true });
        return call(api, ctx);
      });
    } catch (thrown) {
      const error = this.#failure(what, thrown);
      // The next of several agents is asked the next time.
      if (error.code === 'DISCOVERY_UNREACHABLE' && this.#connection.leave(place)) this.#api = undefined;
      throw error;
    }
  }

  #open(): Promise<Api> {
    const { headers } = this.#connection;
    if (headers !== this.#headers) this.#api = undefined;
    this.#headers = headers;
    this.#api ??= this.#load().catch((thrown) => {
      this.#api = undefined;
      throw thrown;
    });
    return this.#api;
  }

  async #load(): Promise<Api> {
    const { place, headers } = this.#connection;
    const [module, agent] = await Promise.all([import('consul'), this.#connection.openAgent(place, false)]);
    const Consul = module.default as unknown as ConsulPackage<Api>;
    return new Consul({ baseUrl: `${place.origin}/v1`, agent, headers });
  }

  /** The package's own errors carry the request with the token, so they are never passed on as a cause. */
  #failure(what: string, thrown: unknown): PilotlightError {
    const task = `${what} at ${this.#connection.origins}`;
    if (thrown instanceof PilotlightError) return new PilotlightError(thrown.code, `${task}: ${thrown.message}`);
    const answer = answerOf(thrown);
    if (answer === undefined) return new PilotlightError('DISCOVERY_UNREACHABLE', `${task}: ${explainFailure(thrown)}`);
    const text = oneLine(this.#connection.redact(answer.text));
    return new PilotlightError('DISCOVERY_FAILED', `${task}: status ${answer.status}${text === '' ? '' : `: ${text}`}`);
  }
}

interface FailedAnswer {
  status: number;
  text: string;
}

/** What Consul answered to a call that failed; undefined where it did not answer. */
export function answerOf(thrown: unknown): FailedAnswer | undefined {
  const { response } = thrown as { response?: { statusCode?: number; body?: unknown } };
  if (response?.statusCode === undefined) return undefined;
  const { statusCode: status, body } = response;
  return { status, text: Buffer.isBuffer(body) ? body.toString() : String(body ?? '') };
}
