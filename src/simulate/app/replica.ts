import type { Agenda } from '../agenda.ts';
import type { AppModel } from '../app-model.ts';
import { type SimulatedRequest, Work, type Worker } from '../request.ts';
import { Processor } from './processor.ts';
import { Queue } from './queue.ts';
import type { SharedResource } from './shared-resource.ts';

/** Who sent a request to a replica, and hears what becomes of it. */
export interface Sender {
  onAnswer(request: SimulatedRequest, status: number): void;
  /** The connection broke before an answer. */
  onReset(request: SimulatedRequest): void;
}

const SHED_STATUS = 503;

/** One running app: so many slots, a queue before them, and what ails it. */
export class Replica implements Worker {
  /** When it answers probes, the clock's ms. */
  readonly readyAt: number;
  readonly #agenda: Agenda;
  readonly #app: AppModel;
  readonly #shared: SharedResource | undefined;
  readonly #sender: Sender;
  readonly #processor: Processor | undefined;
  readonly #queue = new Queue<Work>();
  readonly #inside = new Set<Work>();
  #busy = 0;
  #waiting = 0;
  #isAlive = true;
  /** Since when it is sick, the clock's ms. */
  #sickAt = Number.POSITIVE_INFINITY;

  /** @param shared what it shares with the other replicas of its service */
  constructor(agenda: Agenda, app: AppModel, shared: SharedResource | undefined, sender: Sender, readyAt: number) {
    this.#agenda = agenda;
    this.#app = app;
    this.#shared = shared;
    this.#sender = sender;
    this.readyAt = readyAt;
    if (app.sharesProcessor) this.#processor = new Processor(agenda, (work) => this.#worked(work));
  }

  /** Gets sick at a moment, the clock's ms. */
  sicken(at: number): void {
    this.#sickAt = at;
  }

  get isSick(): boolean {
    return this.#agenda.now >= this.#sickAt;
  }

  /** Whether a probe is answered now. */
  get answersProbes(): boolean {
    return this.#isAlive && this.#agenda.now >= this.readyAt;
  }

  /** Takes a request in. */
  accept(request: SimulatedRequest): void {
    const work = new Work(request, this);
    request.work = work;
    this.#inside.add(work);
    const { shedsAbove } = this.#app;
    if (this.isSick) this.#suffer(work);
    else if (shedsAbove !== undefined && this.#waiting >= shedsAbove) this.#end(work, SHED_STATUS);
    else {
      this.#queue.push(work);
      this.#waiting++;
      this.#pump();
    }
  }

  /** Nobody waits for the answer any more: it is not begun, or worked on for nothing. */
  abandon(work: Work): void {
    work.isAbandoned = true;
    if (work.stage !== 'queued') return;
    this.#waiting--;
    this.#leave(work);
  }

  /** It ends at once, and with it every connection. */
  kill(): void {
    this.#isAlive = false;
    this.#processor?.clear();
    const inside = [...this.#inside];
    for (const work of inside) {
      if (work.stage === 'using-shared') this.#shared?.giveBack();
      this.#agenda.strike(work);
      this.#leave(work);
    }
    for (const { isAbandoned, request } of inside) if (!isAbandoned) this.#sender.onReset(request);
  }

  /** What was to happen to a request happens. */
  onDue(work: Work): void {
    if (work.stage === 'using-shared') {
      this.#shared?.giveBack();
      this.#finish(work);
    } else if (work.stage === 'working') this.#worked(work);
    else this.#end(work, 500);
  }

  #pump(): void {
    while (this.#busy < this.#app.slots) {
      const work = this.#queue.shift();
      if (work === undefined) return;
      if (work.stage !== 'queued') continue;
      this.#waiting--;
      this.#busy++;
      this.#begin(work);
    }
  }

  #begin(work: Work): void {
    const { warmUp } = this.#app;
    const { now } = this.#agenda;
    const isCold = warmUp !== undefined && now - this.readyAt < warmUp.forMs;
    const ms = work.request.workMs * (isCold ? warmUp.factor : 1);
    work.stage = 'working';
    if (this.#processor === undefined) this.#agenda.enter(work, now + ms);
    else this.#processor.add(work, ms);
  }

  #worked(work: Work): void {
    if (work.request.sharedMs > 0 && this.#shared !== undefined) this.#shared.ask(work);
    else this.#finish(work);
  }

  #finish(work: Work): void {
    this.#busy--;
    this.#end(work, work.request.fails ? 500 : 200);
    this.#pump();
  }

  /** A sick one answers with 500 at once, or never. */
  #suffer(work: Work): void {
    work.stage = 'working';
    if (this.#app.sick?.answers !== 'nothing') this.#end(work, 500);
  }

  #end(work: Work, status: number): void {
    this.#leave(work);
    if (!work.isAbandoned) this.#sender.onAnswer(work.request, status);
  }

  #leave(work: Work): void {
    this.#inside.delete(work);
    work.stage = 'left';
  }
}
