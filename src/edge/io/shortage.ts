import type { Logger } from '../../model/observe.ts';
import type { Clock } from '../../util/clock.ts';
import { OWN_WANTS } from '../../util/own-wants.ts';
import { Throttle } from '../../util/throttle.ts';

/**
 * Logs that connections could not be made for want of something here: at once, then once a minute with their number.
 */
export class Shortage {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #limit: number | undefined;
  readonly #said = new Throttle();

  /** @param limit file descriptors that the process may have open */
  constructor(clock: Clock, logger: Logger, limit: number | undefined) {
    this.#clock = clock;
    this.#logger = logger;
    this.#limit = limit;
  }

  /** @param what it was for, such as the address of an endpoint */
  note(code: string, what: string): void {
    const count = this.#said.note(code, this.#clock.now());
    if (count === 0) return;
    const limit = code === 'EMFILE' && this.#limit !== undefined ? ` of ${this.#limit}` : '';
    const times = count === 1 ? 'a connection' : `${count} connections`;
    const fields = { code, count, what, ...(limit === '' ? {} : { limit: this.#limit }) };
    this.#logger.error(fields, `${times} not made: ${OWN_WANTS[code] ?? code}${limit} (${code}, last for ${what})`);
  }
}
