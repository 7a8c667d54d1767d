const SLICES = 10;
const SLICE_MS = 1000;

/**
 * Limits the retries of a service to a share of its requests over the last 10 s, and never to fewer than 3 in 10 s, so
 * that a failing upstream is not hit by a multiple of its load.
 */
export class RetryBudget {
  readonly #requests = new Uint32Array(SLICES);
  readonly #retries = new Uint32Array(SLICES);
  #slice = 0;

  /** Counts a request that arrived at `now` (the clock's ms). */
  request(now: number): void {
    this.#turn(now);
    const index = this.#slice % SLICES;
    this.#requests[index] = (this.#requests[index] as number) + 1;
  }

  /** Returns whether a retry at `now` is within `share` (0 to 1) of the requests, and counts it if so. */
  take(now: number, share: number): boolean {
    this.#turn(now);
    let requests = 0;
    let retries = 0;
    for (let i = 0; i < SLICES; i++) {
      requests += this.#requests[i] as number;
      retries += this.#retries[i] as number;
    }
    if (retries >= Math.max(3, Math.floor(requests * share))) return false;
    const index = this.#slice % SLICES;
    this.#retries[index] = (this.#retries[index] as number) + 1;
    return true;
  }

  #turn(now: number): void {
    const slice = Math.floor(now / SLICE_MS);
    if (slice === this.#slice) return;
    const turns = Math.min(SLICES, Math.max(0, slice - this.#slice));
    for (let i = 1; i <= turns; i++) {
      this.#requests[(slice - turns + i) % SLICES] = 0;
      this.#retries[(slice - turns + i) % SLICES] = 0;
    }
    this.#slice = slice;
  }
}
