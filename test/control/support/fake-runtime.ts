import { PilotlightError } from '../../../src/model/errors.ts';
import type { Instance, Listener, ReplicaSpec, Runtime, RuntimeEvent } from '../../../src/model/runtime.ts';
import type { HostPort, RunSettings } from '../../../src/model/settings.ts';
import { type Clock, sleep } from '../../../src/util/clock.ts';
import { FakeApp, type FakeWork, plainWork } from './fake-app.ts';

/** How the fake behaves; tests change it at any time. */
export interface FakeBehaviour {
  /** From the call to the runtime's answer, ms. */
  startMs: number;
  /** From the runtime's answer to the first answered probe, ms; 'never'. */
  readyMs: number | 'never';
  /** From the signal to the exit, ms. */
  stopMs: number;
  /** Until the runtime has frozen a replica, and had it go on, ms. */
  pauseMs: number;
  resumeMs: number;
  /** One that goes on answers no more. */
  isDeafAfterPause: boolean;
  /** Thrown by every `pause`. */
  unpausable: PilotlightError | undefined;
  /** Ends by itself so long after the start, ms. */
  exitAfterMs: number | undefined;
  /** So many starts end before they are ready because another program took their port. */
  clashes: number;
  /** In so many starts another program listens at the port before the replica does, which runs on. */
  strangers: number;
  /** Thrown by `start`, one per call. */
  failures: PilotlightError[];
  /** Thrown by every `start`. */
  broken: PilotlightError | undefined;
  /** Every call is refused. */
  unreachable: boolean;
  workers: number;
  serviceMs: number;
  work: FakeWork;
}

interface Slot {
  instance: Instance;
  app: FakeApp;
  readyAt: number;
}

/** A runtime whose replicas are small apps on virtual time; it remembers what was asked of it. */
export class FakeRuntime implements Runtime {
  readonly name: string;
  readonly behaviour: FakeBehaviour = {
    startMs: 150,
    readyMs: 50,
    stopMs: 100,
    pauseMs: 20,
    resumeMs: 20,
    isDeafAfterPause: false,
    unpausable: undefined,
    exitAfterMs: undefined,
    clashes: 0,
    strangers: 0,
    failures: [],
    broken: undefined,
    unreachable: false,
    workers: 100,
    serviceMs: 5,
    work: plainWork,
  };
  /** `start a-1`, `stop a-1` …, in order. */
  readonly calls: string[] = [];
  /** The `run` of each start. */
  readonly runs: RunSettings[] = [];
  readonly prepared = new Set<string>();
  readonly cleaned: string[] = [];
  /** Events are lost. */
  silent = false;
  /** Ports at which another program listens. */
  readonly taken = new Set<number>();
  /** Called before each pause. */
  onPause: (name: string, id: string) => void = () => {};
  /** Called before each stop. */
  onStop: (name: string, id: string) => void = () => {};
  /** Called before each start, and when its call ends. */
  onStart: (name: string) => void = () => {};
  onStarted: (name: string) => void = () => {};
  readonly #clock: Clock;
  readonly #slots = new Map<string, Slot>();
  readonly #listeners = new Set<(event: RuntimeEvent) => void>();
  #runs = 0;

  constructor(clock: Clock, name = 'process') {
    this.#clock = clock;
    this.name = name;
  }

  prepares(): boolean {
    return this.name !== 'process';
  }

  /** What cannot run twice, as an existing container. */
  runsInPlace({ kind }: RunSettings): boolean {
    return kind === 'docker-container' || kind === 'the-only-one';
  }

  async prepare({ service, ordinal }: ReplicaSpec): Promise<void> {
    this.#assertReachable();
    this.prepared.add(`${service}-${ordinal}`);
  }

  async start(spec: ReplicaSpec, signal: AbortSignal): Promise<Instance> {
    const name = `${spec.service}-${spec.ordinal}`;
    this.calls.push(`start ${name}`);
    this.runs.push(spec.run);
    this.onStart(name);
    try {
      this.#assertReachable();
      const { startMs, broken, failures } = this.behaviour;
      const failure = failures.shift() ?? broken;
      await sleep(this.#clock, startMs, signal);
      if (failure !== undefined) throw failure;
      return this.launch(spec.service, spec.ordinal, spec.hash);
    } finally {
      this.onStarted(name);
    }
  }

  /** Makes a replica run without a call, as somebody else would. */
  launch(service: string, ordinal: number, hash: string): Instance {
    const { readyMs, exitAfterMs, workers, serviceMs, work } = this.behaviour;
    const name = `${service}-${ordinal}`;
    const run = ++this.#runs;
    const instance: Instance = {
      id: `run-${run}`,
      service,
      ordinal,
      hash,
      state: 'running',
      address: { host: '127.0.0.1', port: 10_000 + run },
      startedAt: this.#clock.wall(),
      health: 'none',
      exitCode: undefined,
    };
    const readyAt = readyMs === 'never' ? Number.POSITIVE_INFINITY : this.#clock.now() + readyMs;
    this.#slots.set(name, { instance, app: new FakeApp(this.#clock, workers, serviceMs, work), readyAt });
    this.#emit({ type: 'started', id: instance.id, service, ordinal });
    if (this.behaviour.strangers-- > 0) this.taken.add(10_000 + run);
    if (this.behaviour.clashes-- > 0) this.#clock.after(20, () => this.exit(name, instance.id, 1, true));
    if (exitAfterMs !== undefined) this.#clock.after(exitAfterMs, () => this.exit(name, instance.id));
    return { ...instance };
  }

  async inspect(id: string): Promise<Instance | undefined> {
    this.#assertReachable();
    const slot = this.#byId(id);
    return slot === undefined ? undefined : { ...slot.instance };
  }

  async listener(_id: string, { port }: HostPort): Promise<Listener | undefined> {
    return this.taken.has(port) ? { by: 'stranger', pid: 7 } : undefined;
  }

  async stop(id: string, _stop: unknown, signal: AbortSignal): Promise<void> {
    this.#assertReachable();
    const slot = this.#byId(id);
    if (slot === undefined || slot.instance.state === 'stopped') return;
    const name = `${slot.instance.service}-${slot.instance.ordinal}`;
    this.calls.push(`stop ${name}`);
    this.onStop(name, id);
    await sleep(this.#clock, this.behaviour.stopMs, signal);
    this.exit(name, id);
  }

  async pause(id: string, signal: AbortSignal): Promise<void> {
    this.#assertReachable();
    const { name } = this.#there(id);
    this.calls.push(`pause ${name}`);
    this.onPause(name, id);
    await sleep(this.#clock, this.behaviour.pauseMs, signal);
    if (this.behaviour.unpausable !== undefined) throw this.behaviour.unpausable;
    this.#there(id);
    this.freeze(name);
  }

  async resume(id: string, signal: AbortSignal): Promise<Instance> {
    this.#assertReachable();
    const { name, slot } = this.#there(id);
    this.calls.push(`resume ${name}`);
    if (slot.instance.state === 'paused') this.onStart(name);
    try {
      await sleep(this.#clock, this.behaviour.resumeMs, signal);
      this.#there(id);
      this.thaw(name);
      if (this.behaviour.isDeafAfterPause) slot.readyAt = Number.POSITIVE_INFINITY;
      return { ...slot.instance };
    } finally {
      this.onStarted(name);
    }
  }

  /** A replica is frozen, by a call or by somebody else. */
  freeze(name: string): void {
    this.#become(name, 'paused', 'exited');
  }

  /** It goes on. */
  thaw(name: string): void {
    this.#become(name, 'running', 'started');
  }

  /** It runs on, but its runtime has given it up. */
  leave(name: string, why: string): void {
    const slot = this.#slots.get(name);
    if (slot === undefined) return;
    slot.instance = { ...slot.instance, leaving: why };
    const { id, service, ordinal } = slot.instance;
    this.#emit({ type: 'leaving', id, service, ordinal });
  }

  async clean(service: string): Promise<void> {
    this.cleaned.push(service);
  }

  async list(): Promise<Instance[]> {
    this.#assertReachable();
    return [...this.#slots.values()].map(({ instance }) => ({ ...instance }));
  }

  watch(listener: (event: RuntimeEvent) => void, signal: AbortSignal): void {
    this.#listeners.add(listener);
    signal.addEventListener('abort', () => this.#listeners.delete(listener));
  }

  async output(): Promise<string[]> {
    return [];
  }

  /** The replica ends, as by a crash or somebody's stop. */
  exit(
    name: string,
    id = this.#slots.get(name)?.instance.id,
    exitCode = 1,
    portTaken = false,
    ending: Pick<Instance, 'outOfMemory' | 'endedByHand' | 'lost' | 'deaf'> = {},
  ): void {
    const slot = this.#slots.get(name);
    if (slot === undefined || slot.instance.id !== id || slot.instance.state === 'stopped') return;
    slot.instance = { ...slot.instance, state: 'stopped', address: undefined, exitCode, portTaken, ...ending };
    slot.app.kill();
    const { service, ordinal } = slot.instance;
    this.#emit({ type: 'exited', id: slot.instance.id, service, ordinal });
  }

  /** Passes an event on, as `lost` and `restored`. */
  emit(event: RuntimeEvent): void {
    this.#emit(event);
  }

  /** The app that listens at a port; undefined when nothing does. */
  appAt(port: number): FakeApp | undefined {
    return this.#atPort(port)?.app;
  }

  /** Whether a probe of the port is answered now. */
  answers(port: number): boolean {
    const slot = this.#atPort(port);
    return slot?.instance.state === 'running' && this.#clock.now() >= slot.readyAt;
  }

  get running(): string[] {
    return [...this.#slots].filter(([, { instance }]) => instance.state === 'running').map(([name]) => name);
  }

  get paused(): string[] {
    return [...this.#slots].filter(([, { instance }]) => instance.state === 'paused').map(([name]) => name);
  }

  get starts(): number {
    return this.calls.filter((call) => call.startsWith('start')).length;
  }

  get stops(): number {
    return this.calls.filter((call) => call.startsWith('stop')).length;
  }

  get apps(): FakeApp[] {
    return [...this.#slots.values()].map(({ app }) => app);
  }

  #there(id: string): { name: string; slot: Slot } {
    const slot = this.#byId(id);
    if (slot === undefined || slot.instance.state === 'stopped') {
      throw new PilotlightError('REPLICA_EXITED', 'it runs no more');
    }
    return { name: `${slot.instance.service}-${slot.instance.ordinal}`, slot };
  }

  #become(name: string, state: 'running' | 'paused', type: 'started' | 'exited'): void {
    const slot = this.#slots.get(name);
    if (slot === undefined || slot.instance.state === 'stopped' || slot.instance.state === state) return;
    slot.instance = { ...slot.instance, state, endedByHand: state === 'paused' ? 'yes' : undefined };
    const { id, service, ordinal } = slot.instance;
    this.#emit({ type, id, service, ordinal });
  }

  #assertReachable(): void {
    if (this.behaviour.unreachable) throw new PilotlightError('RUNTIME_UNREACHABLE', 'the engine does not answer');
  }

  #byId(id: string): Slot | undefined {
    return [...this.#slots.values()].find(({ instance }) => instance.id === id);
  }

  #atPort(port: number): Slot | undefined {
    return [...this.#slots.values()].find(({ instance }) => instance.address?.port === port);
  }

  #emit(event: RuntimeEvent): void {
    if (!this.silent) for (const listener of this.#listeners) listener(event);
  }
}
