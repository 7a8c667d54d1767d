/** A check that waits for its turn. */
export interface GatedCheck {
  /** Its turn has come; it has to leave the gate later. */
  begin(): void;
}

/** Lets a bounded number of checks run at once; others wait, first come first served. */
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

  /** A check that began is done. */
  leave(): void {
    this.#free++;
    const next = this.#waiting.values().next();
    if (next.done === true) return;
    this.#waiting.delete(next.value);
    this.enter(next.value);
  }

  /** A check gives up its wait. */
  giveUp(waiting: GatedCheck): void {
    this.#waiting.delete(waiting);
  }
}
