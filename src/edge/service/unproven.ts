import type { Clock, Timer } from '../../util/clock.ts';
import type { Endpoint } from '../upstream/endpoint.ts';

/**
 * After so long without an answer of control, a connection is used all the same, ms. What is opened from then on does not
 * wait until control is heard again, of which it is asked so often.
 */
const PATIENCE_MS = 1000;

/** A new connection that may lead to another program than its replica. */
export interface Opened {
  /** Whether it is still open and unused. */
  readonly usable: boolean;
}

/** Whoever opened such a connection. */
export interface Opener {
  /** Tells whether the connection leads to the replica. If not, nothing may be sent on it. */
  onProven(connection: Opened, isProven: boolean): void;
}

interface Unanswered {
  opener: Opener;
  endpoint: Endpoint;
  connection: Opened;
  /** Number of the doubt that has to be answered. */
  doubt: number;
  /** What the endpoint had lost when it was asked about. */
  losses: number;
  /** Until when it waits, the clock's ms. */
  until: number;
}

/** What control was asked of an endpoint, and has not answered yet. */
interface Question {
  doubt: number;
  /** When it was asked first, and last, the clock's ms. */
  since: number;
  at: number;
}

/** `unknown`: nobody said in time. Then what was opened is used, and what is opened next has to be proven again. */
type Answer = 'proven' | 'unknown' | 'disowned';

/**
 * Keeps connections that were opened to a replica after all others to it had closed unasked. What control saw before
 * the connect may be outdated. So a request is written only after control has looked once more and found the replica at
 * its address: then the connection leads to it, and not to a program that took the port in between.
 */
export class Unproven {
  readonly #clock: Clock;
  readonly #ask: (endpoint: Endpoint) => void;
  #waiting: Unanswered[] = [];
  /** One for each endpoint: who comes while it is open is asked about when it is answered. */
  readonly #questions = new Map<Endpoint, Question>();
  #timer: Timer | undefined;

  /** @param ask asks control to look at the endpoint; the answer names the endpoint's present `doubt` */
  constructor(clock: Clock, ask: (endpoint: Endpoint) => void) {
    this.#clock = clock;
    this.#ask = ask;
  }

  add(opener: Opener, endpoint: Endpoint, connection: Opened): void {
    const doubt = ++endpoint.doubt;
    const now = this.#clock.now();
    const question = this.#questions.get(endpoint);
    const isUnheard = question !== undefined && now - question.since >= PATIENCE_MS;
    if (question === undefined || now - question.at >= PATIENCE_MS) this.#question(endpoint, now, question?.since);
    if (isUnheard) {
      opener.onProven(connection, true);
      return;
    }
    this.#waiting.push({ opener, endpoint, connection, doubt, losses: endpoint.losses, until: now + PATIENCE_MS });
    this.#timer ??= this.#clock.after(PATIENCE_MS, () => this.#giveUp());
  }

  /** Another control plane is asked, which has its own time to answer. */
  askAgain(): void {
    const endpoints = new Set(this.#waiting.map((each) => each.endpoint));
    this.#questions.clear();
    for (const endpoint of endpoints) this.#question(endpoint, this.#clock.now());
  }

  /** Control looked after that doubt, and found the replica. */
  trust(endpoint: Endpoint, doubt: number): void {
    const question = this.#questions.get(endpoint);
    if (question !== undefined && question.doubt <= doubt) this.#questions.delete(endpoint);
    this.#settle((each) => each.endpoint === endpoint && each.doubt <= doubt, 'proven');
    const isAwaited = this.#waiting.some((each) => each.endpoint === endpoint);
    if (isAwaited && !this.#questions.has(endpoint)) this.#question(endpoint, this.#clock.now());
  }

  /** The replica is gone. */
  disown(endpoint: Endpoint): void {
    this.#questions.delete(endpoint);
    this.#settle((each) => each.endpoint === endpoint, 'disowned');
  }

  #question(endpoint: Endpoint, now: number, since = now): void {
    this.#questions.set(endpoint, { doubt: endpoint.doubt, since, at: now });
    this.#ask(endpoint);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #giveUp(): void {
    this.#timer = undefined;
    const now = this.#clock.now();
    this.#settle(({ until }) => until <= now, 'unknown');
    const [next] = this.#waiting;
    if (next !== undefined) this.#timer ??= this.#clock.after(next.until - now, () => this.#giveUp());
  }

  #settle(which: (each: Unanswered) => boolean, answer: Answer): void {
    if (this.#waiting.length === 0) return;
    const settled = this.#waiting.filter(which);
    this.#waiting = this.#waiting.filter((each) => !settled.includes(each));
    if (this.#waiting.length === 0) this.close();
    for (const { opener, endpoint, connection, losses } of settled) {
      // What closed since is no older than the look.
      const isProof = answer === 'proven' && connection.usable && losses === endpoint.losses;
      if (isProof) endpoint.isUnproven = false;
      opener.onProven(connection, answer !== 'disowned');
    }
  }
}
