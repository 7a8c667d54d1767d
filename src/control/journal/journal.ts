import type { Decision } from '../../model/decision.ts';

/** The last decisions about one service, oldest first. */
export class Journal {
  readonly #limit: number;
  readonly #decisions: Decision[] = [];

  /** @param limit most decisions kept */
  constructor(limit = 100) {
    this.#limit = limit;
  }

  add(decision: Decision): void {
    this.#decisions.push(decision);
    if (this.#decisions.length > this.#limit) this.#decisions.shift();
  }

  get last(): Decision | null {
    return this.#decisions.at(-1) ?? null;
  }

  get decisions(): readonly Decision[] {
    return this.#decisions;
  }
}
