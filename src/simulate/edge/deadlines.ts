import type { Agenda, Happening } from '../agenda.ts';
import { Queue } from '../app/queue.ts';

/** What may be overdue. */
interface Entry<Item> {
  item: Item;
  due: number;
}

/**
 * Limits that are all of (nearly) the same length, so that they end in the order in which they began: one happening for
 * all of them, and none for what is over before its time.
 */
export class DeadlineQueue<Item> implements Happening {
  at = 0;
  order = 0;
  place = -1;
  readonly #agenda: Agenda;
  readonly #isOver: (item: Item) => boolean;
  readonly #onDue: (item: Item) => void;
  readonly #queue = new Queue<Entry<Item>>();

  constructor(agenda: Agenda, isOver: (item: Item) => boolean, onDue: (item: Item) => void) {
    this.#agenda = agenda;
    this.#isOver = isOver;
    this.#onDue = onDue;
  }

  add(item: Item, due: number): void {
    // Most are over soon: kept until they are due they would outlive every collection of young memory.
    while (this.#queue.first !== undefined && this.#isOver(this.#queue.first.item)) this.#queue.shift();
    this.#queue.push({ item, due });
    if (this.place < 0) this.#agenda.enter(this, due);
  }

  happen(): void {
    for (let first = this.#queue.first; first !== undefined; first = this.#queue.first) {
      if (!this.#isOver(first.item)) {
        if (first.due > this.#agenda.now) {
          this.#agenda.enter(this, first.due);
          return;
        }
        this.#onDue(first.item);
      }
      this.#queue.shift();
    }
  }
}
