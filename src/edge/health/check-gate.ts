/** A check that waits for its turn. */
export interface GatedCheck {
  /** It is its turn: it has to leave again. */
  begin(): void;
}

/** Lets so many do something at once; others wait, first come first served. */
export class CheckGate {
  #free: number;
  readonly #waiting = new Set<GatedCheck>();

  /** @param most how many at once, at least 1 */
  constructor(most: number) {
    this.#free = most;
  }

  enter(waiting: GatedCheck): void {
    if (this.#free === 0) {
      this.#waiting.add(waiting);
      return;
    }
    this.#free--;
    waiting.begin();
  }

  /** One that began is done. */
  leave(): void {
    this.#free++;
    const next = this.#waiting.values().next();
    if (next.done === true) return;
    this.#waiting.delete(next.value);
    this.enter(next.value);
  }

  /** One that waits does so no more. */
  giveUp(waiting: GatedCheck): void {
    this.#waiting.delete(waiting);
  }
}
