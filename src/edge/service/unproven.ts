import type { Clock, Timer } from '../../util/clock.ts';
import type { Endpoint } from '../upstream/endpoint.ts';

/** Without a word from control for so long, what was last known holds, ms. */
const PATIENCE_MS = 1000;

/** A connection that may lead to another program than the replica that it was opened to. */
export interface Opened {
  /** It is still open. */
  readonly usable: boolean;
}

/** Whoever opened such a connection. */
export interface Opener {
  /** It leads to the replica, or may not: then nothing may be sent on it. */
  onProven(connection: Opened, isProven: boolean): void;
}

interface Waiting {
  opener: Opener;
  endpoint: Endpoint;
  connection: Opened;
  /** The question whose answer it waits for. */
  doubt: number;
}

/**
 * Connections that were opened to a replica after all others to it had closed unasked. The look before the dial may be
 * outdated by the time of it; so the request is written only when another one, made after, says that the replica still
 * has the address: then the connection leads to it, and to no program that took the port in between.
 */
export class Unproven {
  readonly #clock: Clock;
  readonly #ask: (endpoint: Endpoint) => void;
  #waiting: Waiting[] = [];
  #timer: Timer | undefined;

  /** @param ask asks control for a look at the endpoint, as the endpoint's `doubt` */
  constructor(clock: Clock, ask: (endpoint: Endpoint) => void) {
    this.#clock = clock;
    this.#ask = ask;
  }

  add(opener: Opener, endpoint: Endpoint, connection: Opened): void {
    const doubt = ++endpoint.doubt;
    this.#waiting.push({ opener, endpoint, connection, doubt });
    this.#timer ??= this.#clock.after(PATIENCE_MS, () => this.#giveUp());
    this.#ask(endpoint);
  }

  /** A look after that doubt found the replica. */
  trust(endpoint: Endpoint, doubt: number): void {
    this.#settle((each) => each.endpoint === endpoint && each.doubt <= doubt, true);
  }

  /** The replica is gone. */
  disown(endpoint: Endpoint): void {
    this.#settle((each) => each.endpoint === endpoint, false);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #giveUp(): void {
    this.#timer = undefined;
    this.#settle(() => true, true);
  }

  #settle(which: (each: Waiting) => boolean, isProven: boolean): void {
    if (this.#waiting.length === 0) return;
    const settled = this.#waiting.filter(which);
    this.#waiting = this.#waiting.filter((each) => !settled.includes(each));
    if (this.#waiting.length === 0) this.close();
    for (const { opener, endpoint, connection } of settled) {
      if (isProven && connection.usable) endpoint.isUnproven = false;
      opener.onProven(connection, isProven);
    }
  }
}
