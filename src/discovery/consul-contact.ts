import { PilotlightError } from '../model/errors.ts';
import type { Logger } from '../model/observe.ts';

/**
 * Tells the operator when Consul is in trouble and when it is over: one line for each kind of trouble, however many
 * questions fail of it and however often.
 */
export class ConsulContact {
  readonly #origin: string;
  readonly #logger: Logger;
  /** Who is failing now. */
  readonly #failing = new Set<string>();
  /** What was said since all was well. */
  readonly #said = new Set<string>();
  #last: PilotlightError | undefined;

  constructor(origin: string, logger: Logger) {
    this.#origin = origin;
    this.#logger = logger;
  }

  /** What is wrong now, as of the last failure; undefined while all is well. */
  get trouble(): PilotlightError | undefined {
    return this.#failing.size === 0 ? undefined : this.#last;
  }

  /** @param who what was asked for, such as `service shop` */
  failed(who: string, error: PilotlightError): void {
    this.#failing.add(who);
    const { code, message } = error;
    const line = code === 'DISCOVERY_UNREACHABLE' ? `does not answer: ${message}` : message;
    this.#last = new PilotlightError(code, `Consul at ${this.#origin} ${line}`, error);
    if (this.#said.has(line)) return;
    this.#said.add(line);
    const what = code === 'DISCOVERY_UNREACHABLE' ? '' : ` (asked for ${who})`;
    this.#logger.warn({ code }, `Consul at ${this.#origin} ${line}${what}; retrying`);
  }

  answered(who: string): void {
    if (!this.#failing.delete(who) || this.#failing.size > 0) return;
    this.#said.clear();
    this.#logger.info({}, `Consul at ${this.#origin} answers again`);
  }

  /** Nobody asks this any more. */
  forget(who: string): void {
    if (this.#failing.delete(who) && this.#failing.size === 0) this.#said.clear();
  }
}
