/** Lets a few run at once, and some only alone. First come, first served, so that nobody waits for ever. */
export class Turns {
  readonly #places: number;
  readonly #waiting: { places: number; enter: () => void }[] = [];
  #taken = 0;

  constructor(places: number) {
    this.#places = places;
  }

  /** Runs `work` when there is a place for it (or, `alone`, when all are free). */
  async take<T>(alone: boolean, work: () => Promise<T>): Promise<T> {
    const places = alone ? this.#places : 1;
    await new Promise<void>((enter) => {
      this.#waiting.push({ places, enter });
      this.#admit();
    });
    try {
      return await work();
    } finally {
      this.#taken -= places;
      this.#admit();
    }
  }

  #admit(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (this.#taken + next.places > this.#places) return;
      this.#waiting.shift();
      this.#taken += next.places;
      next.enter();
    }
  }
}
