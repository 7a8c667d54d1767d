import { type Agenda, Call, type Happening } from '../agenda.ts';
import { DeadlineQueue } from '../edge/deadlines.ts';
import type { EdgeService } from '../edge/edge-service.ts';
import { createRandom, type Random, streamSeed } from '../random.ts';
import { SimulatedRequest } from '../request.ts';
import type { SimulatedService } from '../scenario.ts';
import type { ServiceTime } from '../service-time.ts';

/** The clients of one service. What chance decides of a request is decided when it is sent, whatever becomes of it. */
export class Traffic implements Happening {
  at = 0;
  order = 0;
  place = -1;
  readonly #agenda: Agenda;
  readonly #service: SimulatedService;
  readonly #edge: EdgeService;
  readonly #arrivals: Random;
  readonly #work: Random;
  readonly #patience: DeadlineQueue<SimulatedRequest> | undefined;
  #begunAt = 0;

  constructor(agenda: Agenda, service: SimulatedService, edge: EdgeService, seed: number) {
    const { name } = service.settings;
    this.#agenda = agenda;
    this.#service = service;
    this.#edge = edge;
    this.#arrivals = createRandom(streamSeed(seed, `${name} arrivals`));
    this.#work = createRandom(streamSeed(seed, `${name} work`));
    if (service.patienceMs !== undefined) {
      this.#patience = new DeadlineQueue(
        agenda,
        ({ stage }) => stage === 'ended',
        (request) => edge.abort(request),
      );
    }
  }

  /** The load begins now. */
  begin(): void {
    this.#begunAt = this.#agenda.now;
    const { load } = this.#service;
    if (load.kind === 'open') this.#await(0);
    else for (let client = 0; client < load.clients; client++) this.#think(client, load.think);
  }

  /** The next of an open load arrives. */
  happen(): void {
    this.#send(-1);
    this.#await(this.#agenda.now - this.#begunAt);
  }

  onEnded({ client }: SimulatedRequest): void {
    const { load } = this.#service;
    if (client >= 0 && load.kind === 'closed') this.#think(client, load.think);
  }

  #await(afterMs: number): void {
    const { load } = this.#service;
    const next = load.kind === 'open' ? load.next(afterMs, this.#arrivals) : undefined;
    if (next !== undefined) this.#agenda.enter(this, this.#begunAt + next);
  }

  #think(client: number, think: ServiceTime): void {
    this.#agenda.enter(new Call(() => this.#send(client)), this.#agenda.now + think.sample(this.#arrivals));
  }

  #send(client: number): void {
    const { now } = this.#agenda;
    const { app, patienceMs } = this.#service;
    const random = this.#work;
    const fails = app.errors !== undefined && random() < app.errors.share;
    const time = fails ? app.errors?.serviceTime : this.#serviceTime(now - this.#begunAt);
    const workMs = time?.sample(random) ?? 0;
    const sharedMs = fails ? 0 : (app.shared?.serviceTime.sample(random) ?? 0);
    const request = new SimulatedRequest(now, workMs, sharedMs, fails, client);
    if (patienceMs !== undefined) this.#patience?.add(request, now + patienceMs);
    this.#edge.arrive(request);
  }

  #serviceTime(sinceMs: number): ServiceTime {
    const { serviceTime, later = [] } = this.#service.app;
    return later.findLast(({ fromMs }) => fromMs <= sinceMs)?.serviceTime ?? serviceTime;
  }
}
