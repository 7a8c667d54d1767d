import { Heap, type HeapEntry } from '../../util/heap.ts';
import type { Agenda, Happening } from '../agenda.ts';
import type { Work } from '../request.ts';

interface Share extends HeapEntry {
  work: Work;
}

/** One processor that all requests of a replica share: of `n`, each gets a part of 1 ÷ n. */
export class Processor implements Happening {
  at = 0;
  order = 0;
  place = -1;
  readonly #agenda: Agenda;
  readonly #done: (work: Work) => void;
  /** By the work that each request will have got when it is done, of one that was there from the beginning. */
  readonly #shares = new Heap<Share>();
  /** The work that one that was there from the beginning has got, ms. */
  #given = 0;
  #lookedAt = 0;
  #count = 0;

  constructor(agenda: Agenda, done: (work: Work) => void) {
    this.#agenda = agenda;
    this.#done = done;
  }

  add(work: Work, ms: number): void {
    this.#look();
    this.#shares.add({ at: this.#given + ms, order: this.#count++, place: -1, work });
    this.#arm();
  }

  clear(): void {
    while (this.#shares.take() !== undefined);
    this.#agenda.strike(this);
  }

  happen(): void {
    this.#look();
    const share = this.#shares.take();
    if (share === undefined) return;
    this.#given = Math.max(this.#given, share.at);
    this.#arm();
    this.#done(share.work);
  }

  #look(): void {
    const { now } = this.#agenda;
    if (this.#shares.size > 0) this.#given += (now - this.#lookedAt) / this.#shares.size;
    this.#lookedAt = now;
  }

  #arm(): void {
    const next = this.#shares.first;
    if (next === undefined) this.#agenda.strike(this);
    else this.#agenda.enter(this, this.#agenda.now + Math.max(0, next.at - this.#given) * this.#shares.size);
  }
}
