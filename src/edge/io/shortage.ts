import type { Logger } from '../../model/observe.ts';
import type { Clock } from '../../util/clock.ts';
import { NO_DESCRIPTOR } from '../../util/descriptors.ts';
import { Throttle } from '../../util/throttle.ts';

/**
 * The codes with which connect(2) and socket(2) fail because the proxy or its machine lacks something, in words. They
 * say nothing about the endpoint.
 */
const WANTS: Record<string, string> = {
  ...NO_DESCRIPTOR,
  EADDRNOTAVAIL: 'no local port is left for the address, or the machine cannot send to it',
  EADDRINUSE: 'no local port is left for the address',
  ENOBUFS: 'the system has no buffers left',
  ENOMEM: 'the system has no memory left',
  EAGAIN: 'no local port is left, or no entry in the routing cache',
  EACCES: 'the system does not let this process connect',
  EPERM: 'the system, such as a firewall on this machine, does not let this process connect',
};

/** Whether a connect failed for a reason of the proxy's own. */
export function isOwnWant(code: string | undefined): code is string {
  return code !== undefined && Object.hasOwn(WANTS, code);
}

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
    this.#logger.error(fields, `${times} not made: ${WANTS[code] ?? code}${limit} (${code}, last for ${what})`);
  }
}
