import { type Clock, sleep } from '../../util/clock.ts';

/** Between the beginnings of two looks at one replica, ms: to read the tables of the machine may take some of these. */
export const LOOK_EVERY_MS = 25;

/**
 * Looks at replicas for whoever asks: one in 25 ms for each, however many ask, as one that resets its connections as a
 * habit is asked about at every new one. What is answered was seen after it was asked.
 */
export class SharedLooks<Value> {
  readonly #clock: Clock;
  readonly #life: AbortSignal;
  readonly #look: (endpoint: string) => Promise<Value>;
  /** When the last look at each began, the clock's ms. */
  readonly #beganAt = new Map<string, number>();
  /** What has yet to begin. */
  readonly #next = new Map<string, Promise<Value>>();

  constructor({ clock, life }: { clock: Clock; life: AbortSignal }, look: (endpoint: string) => Promise<Value>) {
    this.#clock = clock;
    this.#life = life;
    this.#look = look;
  }

  look(endpoint: string): Promise<Value> {
    const beganAt = this.#beganAt.get(endpoint) ?? Number.NEGATIVE_INFINITY;
    const rest = beganAt + LOOK_EVERY_MS - this.#clock.now();
    return this.#next.get(endpoint) ?? (rest > 0 ? this.#later(endpoint, rest) : this.#begin(endpoint));
  }

  #later(endpoint: string, ms: number): Promise<Value> {
    const next = sleep(this.#clock, ms, this.#life).then(() => {
      this.#next.delete(endpoint);
      return this.#begin(endpoint);
    });
    this.#next.set(endpoint, next);
    return next;
  }

  #begin(endpoint: string): Promise<Value> {
    const now = this.#clock.now();
    for (const [other, at] of this.#beganAt) if (now - at >= LOOK_EVERY_MS) this.#beganAt.delete(other);
    this.#beganAt.set(endpoint, now);
    return this.#look(endpoint);
  }
}
