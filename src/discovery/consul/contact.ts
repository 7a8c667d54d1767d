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
  /** What fails now. */
  readonly #failing = new Set<string>();
  /** What was said since all was well. */
  readonly #said = new Set<string>();
  #last: PilotlightError | undefined;
  /** What the token may not read, by what was asked. */
  readonly #denials = new Map<string, string>();

  constructor(origin: string, logger: Logger) {
    this.#origin = origin;
    this.#logger = logger;
  }

  /** What is wrong now, as of the last failure; undefined while all is well. */
  get trouble(): PilotlightError | undefined {
    return this.#failing.size === 0 ? undefined : this.#last;
  }

  /**
   * @param key tells one question from others, whose answers say nothing of it
   * @param who what was asked for, such as `service shop`
   */
  failed(key: string, error: PilotlightError, who = key): void {
    this.#failing.add(key);
    const { code, message } = error;
    const line = code === 'DISCOVERY_UNREACHABLE' ? `does not answer: ${message}` : message;
    this.#last = new PilotlightError(code, `Consul at ${this.#origin} ${line}`, error);
    if (this.#said.has(line)) return;
    this.#said.add(line);
    const what = code === 'DISCOVERY_UNREACHABLE' ? '' : ` (asked for ${who})`;
    this.#logger.warn({ code }, `Consul at ${this.#origin} ${line}${what}; retrying`);
  }

  answered(key: string): void {
    if (!this.#failing.delete(key) || this.#failing.size > 0) return;
    this.#said.clear();
    this.#logger.info({}, `Consul at ${this.#origin} answers again`);
  }

  /** What an answer lacks because the token may not read it; undefined when it lacks nothing. */
  sees(key: string, denial: string | undefined, who = key): void {
    const before = this.#denials.get(key);
    if (denial === before) return;
    if (denial === undefined) {
      this.#denials.delete(key);
      if (this.#denials.size < MOST_DENIALS)
        this.#logger.info({}, `Consul at ${this.#origin}: the token may read ${who} again`);
      return;
    }
    this.#denials.set(key, denial);
    const excess = this.#denials.size - MOST_DENIALS;
    if (excess > 1 || (excess === 1 && before !== undefined)) return;
    const line = excess === 1 ? 'the token may not read further services either' : denial;
    this.#logger.warn({ code: 'DISCOVERY_DENIED' }, `Consul at ${this.#origin}: ${line}`);
  }

  /** Nobody asks this any more. */
  forget(key: string): void {
    this.#denials.delete(key);
    if (this.#failing.delete(key) && this.#failing.size === 0) this.#said.clear();
  }
}
