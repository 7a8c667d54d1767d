import type { Clock } from '../../../src/util/clock.ts';

/** A request inside an app. */
export interface AppRequest {
  /** Called at the first byte, with the status of the answer. */
  answered: (status: number) => void;
  /** Called when the app ends before. */
  reset: () => void;
  cancelled: boolean;
}

/** A small app as a queue: so many workers, each busy with one request for so long. */
export class FakeApp {
  readonly #clock: Clock;
  readonly workers: number;
  serviceMs: number;
  readonly #queue: AppRequest[] = [];
  readonly #inside = new Set<AppRequest>();
  #busy = 0;
  /** Most requests that were inside at once. */
  peak = 0;
  alive = true;
  /** Of its answers. */
  status = 200;

  constructor(clock: Clock, workers: number, serviceMs: number) {
    this.#clock = clock;
    this.workers = workers;
    this.serviceMs = serviceMs;
  }

  accept(request: AppRequest): void {
    this.#inside.add(request);
    this.peak = Math.max(this.peak, this.#inside.size);
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
      this.#clock.after(this.serviceMs, () => {
        this.#busy--;
        this.#inside.delete(request);
        if (this.alive) request.answered(this.status);
        this.#pump();
      });
    }
  }
}
