import type { Agenda } from '../agenda.ts';
import type { Work } from '../request.ts';
import { Queue } from './queue.ts';

/** What all replicas of a service share: so many at a time may have it, first come, first served. */
export class SharedResource {
  readonly #agenda: Agenda;
  readonly #connections: number;
  readonly #waiting = new Queue<Work>();
  #taken = 0;

  constructor(agenda: Agenda, connections: number) {
    this.#agenda = agenda;
    this.#connections = connections;
  }

  /** Asks for it, for as long as the request needs it. */
  ask(work: Work): void {
    work.stage = 'awaiting-shared';
    this.#waiting.push(work);
    this.#grant();
  }

  /** It is free again. */
  giveBack(): void {
    this.#taken--;
    this.#grant();
  }

  #grant(): void {
    while (this.#taken < this.#connections) {
      const work = this.#waiting.shift();
      if (work === undefined) return;
      // Its replica has ended.
      if (work.stage !== 'awaiting-shared') continue;
      this.#taken++;
      work.stage = 'using-shared';
      this.#agenda.enter(work, this.#agenda.now + work.request.sharedMs);
    }
  }
}
