import type { Agenda, Happening } from '../agenda.ts';

/** A paced release doubles after so long at the latest, ms. */
const STEP_MS = 100;

/** Whose requests are released. */
export interface Releasing {
  readonly isReady: boolean;
  /** Every endpoint bounds what is in flight there. */
  readonly isBounded: boolean;
  readonly heldCount: number;
  /** Sends the first that waits. @returns whether there was one, and a place for it */
  releaseOne(): boolean;
}

/** Releases those who wait as the edge does: 1, 2, 4 …, doubling at each first byte or after 100 ms, or by free slots. */
export class Release implements Happening {
  at = 0;
  order = 0;
  place = -1;
  readonly #agenda: Agenda;
  readonly #service: Releasing;
  #step = 0;
  #left = 0;

  constructor(agenda: Agenda, service: Releasing) {
    this.#agenda = agenda;
    this.#service = service;
  }

  /** @param fresh how many endpoints are new */
  begin(fresh: number): void {
    if (this.place < 0) {
      this.#step = fresh;
      this.#left = fresh;
    }
    this.pump();
  }

  pump(): void {
    const service = this.#service;
    const paced = !service.isBounded;
    while (service.heldCount > 0 && (!paced || this.#left > 0) && service.releaseOne()) this.#left--;
    if (service.heldCount === 0 || !paced || !service.isReady) this.#agenda.strike(this);
    else if (this.place < 0) this.#agenda.enter(this, this.#agenda.now + STEP_MS);
  }

  onFirstByte(): void {
    if (!this.#service.isBounded) this.#faster();
  }

  happen(): void {
    this.#faster();
  }

  #faster(): void {
    this.#step = Math.min(Math.max(1, this.#step * 2), 1 << 20);
    this.#left = this.#step;
    this.pump();
  }
}
