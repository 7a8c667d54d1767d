import type { Clock, Timer } from '../../util/clock.ts';
import type { Service } from '../service/service.ts';

/** A paced release doubles at the latest after this long, ms. */
const STEP_MS = 100;

/**
 * Lets held requests go when a service is ready: 1, 2, 4 …, doubling at each first byte or after 100 ms, so that a
 * replica that just started is not buried; where `concurrency` bounds what is in flight, that is the pace.
 */
export class Release {
  readonly #service: Service;
  readonly #clock: Clock;
  #step = 0;
  #left = 0;
  #timer: Timer | undefined;

  constructor(service: Service, clock: Clock) {
    this.#service = service;
    this.#clock = clock;
  }

  /** The service may be dispatched to; `fresh` of its endpoints are new. */
  begin(fresh: number): void {
    if (this.#timer === undefined) {
      this.#step = fresh;
      this.#left = fresh;
    }
    this.pump();
  }

  /** Dispatches as many as the pace and the free slots allow. */
  pump(): void {
    const service = this.#service;
    const paced = !service.isBounded;
    const now = this.#clock.now();
    for (let exchange = service.queue.first; exchange !== undefined; exchange = service.queue.first) {
      if (paced && this.#left <= 0) break;
      const endpoint = service.pick(exchange, now);
      if (endpoint === undefined) break;
      this.#left--;
      exchange.release(endpoint);
    }
    if (service.queue.size === 0 || !paced || !service.isReady) this.stop();
    else this.#timer ??= this.#clock.every(STEP_MS, () => this.#faster());
  }

  /** A released request got its first byte. */
  onFirstByte(): void {
    if (!this.#service.isBounded) this.#faster();
  }

  #faster(): void {
    this.#step = Math.min(Math.max(1, this.#step * 2), 1 << 20);
    this.#left = this.#step;
    this.pump();
  }

  /** Lets go no more by time. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
