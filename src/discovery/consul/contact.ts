import { PilotlightError } from '../../model/errors.ts';
import type { Logger } from '../../model/observe.ts';

/** Most services of which it is said one by one that the token may not read them. */
const MOST_DENIALS = 20;

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
  /** What the token may not read, by who asked. */
  readonly #denials = new Map<string, string>();

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

  /** What an answer lacks because the token may not read it; undefined when it lacks nothing. */
  sees(who: string, denial: string | undefined): void {
    const before = this.#denials.get(who);
    if (denial === before) return;
    if (denial === undefined) {
      this.#denials.delete(who);
      if (this.#denials.size < MOST_DENIALS)
        this.#logger.info({}, `Consul at ${this.#origin}: the token may read ${who} again`);
      return;
    }
    this.#denials.set(who, denial);
    const excess = this.#denials.size - MOST_DENIALS;
    if (excess > 1 || (excess === 1 && before !== undefined)) return;
    const line = excess === 1 ? 'the token may not read further services either' : denial;
    this.#logger.warn({ code: 'DISCOVERY_DENIED' }, `Consul at ${this.#origin}: ${line}`);
  }

  /** Nobody asks this any more. */
  forget(who: string): void {
    this.#denials.delete(who);
    if (this.#failing.delete(who) && this.#failing.size === 0) this.#said.clear();
  }
}
