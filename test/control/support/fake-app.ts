import type { Clock } from '../../../src/util/clock.ts';

/** A request inside an app. */
export interface AppRequest {
  /** Called at the first byte, with the status of the answer. */
  answered: (status: number) => void;
  /** Called when the app ends before. */
  reset: () => void;
  cancelled: boolean;
}

/** How an app treats requests, beside how long each takes; shared by all replicas of a runtime. */
export interface FakeWork {
  /** Time that one request takes, ms. */
  timeMs: (serviceMs: number) => number;
  /** Status of an answer. */
  status: () => number;
  /** So many more requests than workers are turned away with 503. */
  shedsBeyond: number;
  /** Only one request at a time, of all replicas together. */
  isLocked: boolean;
}

export const plainWork: FakeWork = {
  timeMs: (serviceMs) => serviceMs,
  status: () => 200,
  shedsBeyond: Number.POSITIVE_INFINITY,
  isLocked: false,
};

/** When the lock that all replicas share is free, the clock's ms. */
const lockedUntil = new WeakMap<FakeWork, number>();

/** A small app as a queue: so many workers, each busy with one request for so long. */
export class FakeApp {
  readonly #clock: Clock;
  readonly #work: FakeWork;
  readonly workers: number;
  serviceMs: number;
  readonly #queue: AppRequest[] = [];
  readonly #inside = new Set<AppRequest>();
  #busy = 0;
  /** Most requests that were inside at once. */
  peak = 0;
  alive = true;
  /** Of its answers; undefined: as its work has it. */
  status: number | undefined;

  constructor(clock: Clock, workers: number, serviceMs: number, work: FakeWork = plainWork) {
    this.#clock = clock;
    this.#work = work;
    this.workers = workers;
    this.serviceMs = serviceMs;
  }

  accept(request: AppRequest): void {
    this.#inside.add(request);
    this.peak = Math.max(this.peak, this.#inside.size);
    if (this.#queue.length >= this.#work.shedsBeyond) {
      this.#inside.delete(request);
      this.#clock.after(1, () => request.answered(503));
      return;
    }
    this.#queue.push(request);
    this.#pump();
  }

  /** It ends at once, and with it every connection. */
  kill(): void {
    this.alive = false;
    this.#queue.length = 0;
    for (const request of [...this.#inside]) request.reset();
    this.#inside.clear();
  }

  #pump(): void {
    while (this.#busy < this.workers) {
      const request = this.#queue.shift();
      if (request === undefined) return;
      if (request.cancelled) {
        this.#inside.delete(request);
        continue;
      }
      this.#busy++;
      this.#clock.after(this.#timeMs(), () => {
        this.#busy--;
        this.#inside.delete(request);
        if (this.alive) request.answered(this.status ?? this.#work.status());
        this.#pump();
      });
    }
  }

  /** Until the request that begins now is answered, ms. */
  #timeMs(): number {
    const timeMs = this.#work.timeMs(this.serviceMs);
    if (!this.#work.isLocked) return timeMs;
    const now = this.#clock.now();
    const begins = Math.max(now, lockedUntil.get(this.#work) ?? 0);
    lockedUntil.set(this.#work, begins + timeMs);
    return begins + timeMs - now;
  }
}
