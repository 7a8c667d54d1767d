import { PilotlightError } from '../../model/errors.ts';
import type { Instance, ReplicaSpec, Runtime, RuntimeEvent } from '../../model/runtime.ts';
import { sleep } from '../../util/clock.ts';
import type { VirtualClock } from '../../util/virtual-clock.ts';
import { type Agenda, Call } from '../agenda.ts';
import { Replica, type Sender } from '../app/replica.ts';
import { SharedResource } from '../app/shared-resource.ts';
import type { Ailment } from '../app-model.ts';
import type { Random } from '../random.ts';
import type { SimulatedService } from '../scenario.ts';
import type { Ledger } from './ledger.ts';

const HOST = '127.0.0.1';
const FIRST_PORT = 10_000;
/** The runtime's own part of a start, ms at most. */
const CALL_MS = 100;
const STOP_MS = 100;

/** A replica that the runtime has started. */
export interface RunningReplica {
  instance: Instance;
  replica: Replica;
  phase: 'starting' | 'ready' | 'retiring';
}

interface Kind {
  service: SimulatedService;
  ledger: Ledger;
  sender: Sender;
  shared: SharedResource | undefined;
  random: Random;
  starts: number;
  /** Replicas that ran, those included that nobody started. */
  launched: number;
  /** Starts whose call has not ended. */
  calls: number;
}

/** All replicas of all services: what the runtime has started, and what is asked of it. */
export class Fleet {
  readonly #clock: VirtualClock;
  readonly #agenda: Agenda;
  readonly #kinds = new Map<string, Kind>();
  readonly #byPort = new Map<number, RunningReplica>();
  readonly #instances = new Map<string, Instance>();
  readonly #listeners = new Set<(event: RuntimeEvent) => void>();
  #count = 0;
  /** Called when a replica has ended, before its connections break. */
  onGone: (port: number) => void = () => {};

  constructor(clock: VirtualClock, agenda: Agenda) {
    this.#clock = clock;
    this.#agenda = agenda;
  }

  add(service: SimulatedService, ledger: Ledger, sender: Sender, random: Random): void {
    const { shared: model } = service.app;
    const shared = model && new SharedResource(this.#agenda, model.connections);
    this.#kinds.set(service.settings.name, {
      service,
      ledger,
      sender,
      shared,
      random,
      starts: 0,
      launched: 0,
      calls: 0,
    });
  }

  at(port: number): RunningReplica | undefined {
    return this.#byPort.get(port);
  }

  /** What the edges make of a replica. */
  mark(port: number, phase: RunningReplica['phase']): void {
    const running = this.#byPort.get(port);
    if (running === undefined || running.phase === phase) return;
    running.phase = phase;
    this.#tally(running.instance.service);
  }

  /** The runtime that starts them, under the name that a `run` gives. */
  runtime(name: string): Runtime {
    return {
      name,
      prepares: () => false,
      runsInPlace: () => false,
      prepare: async () => {},
      start: (spec, signal) => this.#start(spec, signal),
      inspect: async (id) => this.#instances.get(id),
      stop: (id, _stop, signal) => this.#stop(id, signal),
      clean: async () => {},
      list: async () => [...this.#byPort.values()].map(({ instance }) => instance),
      watch: (listener, signal) => {
        this.#listeners.add(listener);
        signal.addEventListener('abort', () => this.#listeners.delete(listener));
      },
      output: async () => [],
    };
  }

  /**
   * Has a replica run from now on.
   * @param healthyMs what ails it begins to count so long after it is ready
   */
  launch(service: string, ordinal: number, hash: string, readyInMs: number, healthyMs = 0): Instance {
    const kind = this.#kinds.get(service) as Kind;
    const { app } = kind.service;
    const run = ++this.#count;
    const port = FIRST_PORT + run;
    const readyAt = this.#clock.now() + readyInMs;
    const replica = new Replica(this.#agenda, app, kind.shared, kind.sender, readyAt);
    const instance: Instance = {
      id: `run-${run}`,
      service,
      ordinal,
      hash,
      state: 'running',
      address: { host: HOST, port },
      startedAt: this.#clock.wall(),
      health: 'none',
      exitCode: undefined,
    };
    this.#byPort.set(port, { instance, replica, phase: 'starting' });
    this.#instances.set(instance.id, instance);
    const index = kind.launched++;
    const from = readyAt + healthyMs;
    if (app.crash !== undefined && strikes(app.crash, index)) {
      this.#agenda.enter(new Call(() => this.#exit(instance.id, 1)), from + app.crash.afterMs);
    }
    if (app.sick !== undefined && strikes(app.sick, index)) replica.sicken(from + app.sick.afterMs);
    this.#tally(service);
    return instance;
  }

  async #start({ service, ordinal, hash }: ReplicaSpec, signal: AbortSignal): Promise<Instance> {
    const kind = this.#kinds.get(service);
    if (kind === undefined) throw new PilotlightError('RUNTIME_FAILED', `there is no ${service}`);
    const { start } = kind.service;
    const callMs = Math.min(CALL_MS, start.startMs / 2);
    kind.starts++;
    kind.ledger.started();
    const fails = kind.starts <= (start.failsFirst ?? 0) || kind.random() < (start.failShare ?? 0);
    kind.calls++;
    this.#tally(service);
    try {
      await sleep(this.#clock, callMs, signal);
    } finally {
      kind.calls--;
      this.#tally(service);
    }
    const left = start.startMs - callMs;
    const instance = this.launch(service, ordinal, hash, fails ? Number.POSITIVE_INFINITY : left);
    if (fails) {
      kind.ledger.startFailed();
      this.#agenda.enter(new Call(() => this.#exit(instance.id, 1)), this.#clock.now() + left);
    }
    return instance;
  }

  async #stop(id: string, signal: AbortSignal): Promise<void> {
    const instance = this.#instances.get(id);
    if (instance?.state !== 'running') return;
    const kind = this.#kinds.get(instance.service) as Kind;
    kind.ledger.stopped();
    this.mark(instance.address?.port ?? 0, 'retiring');
    await sleep(this.#clock, kind.service.start.stopMs ?? STOP_MS, signal);
    this.#exit(id, 0);
  }

  #exit(id: string, exitCode: number): void {
    const instance = this.#instances.get(id);
    const port = instance?.address?.port;
    if (instance === undefined || port === undefined) return;
    const { service, ordinal } = instance;
    const running = this.#byPort.get(port) as RunningReplica;
    this.#instances.set(id, { ...instance, state: 'stopped', address: undefined, exitCode });
    this.#byPort.delete(port);
    this.#tally(service);
    this.onGone(port);
    running.replica.kill();
    for (const listener of this.#listeners) listener({ type: 'exited', id, service, ordinal });
    this.#agenda.stir();
  }

  #tally(service: string): void {
    const kind = this.#kinds.get(service) as Kind;
    const tally = { ready: 0, starting: kind.calls, retiring: 0 };
    for (const { instance, phase } of this.#byPort.values()) if (instance.service === service) tally[phase]++;
    kind.ledger.tally(tally, this.#clock.now());
  }
}

/** Whether a replica is one of those that something happens to; the first has the index 0. */
function strikes({ every = 1, first = Number.POSITIVE_INFINITY }: Ailment, index: number): boolean {
  return index < first && index % every === 0;
}
