import type { Clock, Timer } from '../../util/clock.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { HoldQueue } from './hold-queue.ts';
import type { Seeker } from './waiter.ts';

/** A paced release doubles after so long at the latest, ms. */
const STEP_MS = 100;

/** The service that a release dispatches to. */
export interface Releasing {
  /** Whether anything may be dispatched, now or when a slot is free. */
  readonly isReady: boolean;
  /** Whether every endpoint bounds what is in flight on it. */
  readonly isBounded: boolean;
  /** Chooses an endpoint; undefined when the waiter has to wait on. */
  pick(seeker: Seeker, now: number): Endpoint | undefined;
}

/**
 * Releases held requests when a service is ready: 1, 2, 4 …, doubling at each first byte or after 100 ms, so that a new
 * replica is not flooded. Where every endpoint bounds its requests in flight, that bound is the pace.
 */
export class Release {
  readonly #service: Releasing;
  readonly #queue: HoldQueue;
  readonly #clock: Clock;
  #step = 0;
  #left = 0;
  #timer: Timer | undefined;

  constructor(service: Releasing, queue: HoldQueue, clock: Clock) {
    this.#service = service;
    this.#queue = queue;
    this.#clock = clock;
  }

  /**
   * The service can take requests.
   * @param fresh how many of its endpoints are new
   */
  begin(fresh: number): void {
    if (this.#timer === undefined) {
      this.#step = fresh;
      this.#left = fresh;
    }
    this.pump();
  }

  /** Releases as many as the pace and the free slots allow. */
  pump(): void {
    const service = this.#service;
    const queue = this.#queue;
    const paced = !service.isBounded;
    const now = this.#clock.now();
    for (let waiter = queue.first; waiter !== undefined; waiter = queue.first) {
      if (paced && this.#left <= 0) break;
      const endpoint = service.pick(waiter, now);
      if (endpoint === undefined) break;
      this.#left--;
      waiter.release(endpoint);
    }
    if (queue.size === 0 || !paced || !service.isReady) this.stop();
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

  /** Stops the timer of a paced release. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
