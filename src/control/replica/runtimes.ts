import type { DiskUsage } from '../../model/costs.ts';
import { PilotlightError } from '../../model/errors.ts';
import type { HostImage, Instance, ReplicaSpec, Runtime, RuntimeEvent } from '../../model/runtime.ts';
import type { RunSettings } from '../../model/settings.ts';
import type { Trouble } from '../../model/status.ts';
import { type ControlContext, detached } from '../context.ts';
import { retrying } from '../retry.ts';
import { type AdoptingService, planAdoption } from './adoption.ts';
import type { ReplicaSet } from './replica-set.ts';
import { callRuntime, RUNTIME_CALL_MS } from './runtime-call.ts';
import { type RuntimeContact, RuntimeMonitor } from './runtime-monitor.ts';

/** Who asks what images take waits no longer than this, ms. */
const DISK_MS = 3000;
/** What stops a replica that no configuration says how to stop. */
const STRAY_STOP = { signal: 'SIGTERM', graceMs: 10_000 };
const STRAY_RETRY = { base: 1000, cap: 60_000, jitter: 0.2 };

/** What runtimes ask and tell of a service. */
interface RunService {
  readonly name: string;
  readonly lifecycle: {
    /** Its `run`, also while what is left of a removed one ends. */
    readonly run: RunSettings | undefined;
    /** What may be running or pre-positioned of it. */
    readonly specs: ReplicaSpec[];
    readonly set: ReplicaSet;
    /** How found replicas are sorted; undefined where there is no place for any. */
    readonly adopting: AdoptingService | undefined;
    /** Takes over running replicas; they have to prove themselves. */
    adopt(instances: readonly Instance[], reason: string): void;
    /** Takes note of replicas that are paused. */
    park(instances: readonly Instance[]): void;
    /** Whether anything may be started has changed. */
    onContact(): void;
  };
  /** A replica of it was started by somebody else. */
  onStartedEvent(instance: Instance): void;
}

/** All runtimes: passes what they say to the services that it is about, and sorts what they list. */
export class Runtimes {
  readonly #context: ControlContext;
  readonly #runtimes: ReadonlyMap<string, Runtime>;
  readonly #services: ReadonlyMap<string, RunService>;
  readonly #mayEnd: () => boolean;
  readonly #monitors: ReadonlyMap<string, RuntimeMonitor>;

  /**
   * @param services by name; looked at whenever a runtime says something
   * @param mayEnd whether what has no place may be stopped; else it is found again by a later `relistAll`
   */
  constructor(
    context: ControlContext,
    runtimes: readonly Runtime[],
    services: ReadonlyMap<string, RunService>,
    mayEnd: () => boolean,
  ) {
    this.#mayEnd = mayEnd;
    this.#context = context;
    this.#runtimes = new Map(runtimes.map((runtime) => [runtime.name, runtime]));
    this.#services = services;
    this.#monitors = new Map(runtimes.map((runtime) => [runtime.name, this.#monitor(runtime)]));
  }

  /** Begins to follow all of them. Resolves when each was asked once what it runs, whether it answered or not. */
  async begin(): Promise<void> {
    await Promise.allSettled([...this.#monitors.values()].map((monitor) => monitor.begin()));
  }

  /** @throws RUNTIME_UNREACHABLE where there is none for it */
  of(run: RunSettings): Runtime {
    const runtime = this.#runtimes.get(run.runtime);
    if (runtime === undefined) throw new PilotlightError('RUNTIME_UNREACHABLE', `there is no ${run.runtime} runtime`);
    return runtime;
  }

  /** Whether its replicas can be pre-positioned. */
  prepares(run: RunSettings): boolean {
    return this.#runtimes.get(run.runtime)?.prepares(run) ?? false;
  }

  /** Whether its replicas are frozen while the service sleeps, for as long as that pays or for good. */
  standby(run: RunSettings): 'auto' | 'paused' | undefined {
    const { standby } = run;
    const canPause = this.#runtimes.get(run.runtime)?.pause !== undefined;
    return canPause && (standby === 'auto' || standby === 'paused') ? standby : undefined;
  }

  /**
   * What the images of some `run`s take of the disk, in their order; undefined where there is none, or where the runtime
   * does not say in time.
   */
  async disk(runs: readonly RunSettings[]): Promise<(DiskUsage | undefined)[]> {
    const found = new Map<RunSettings, DiskUsage | undefined>();
    const { clock, life } = this.#context;
    await Promise.all(
      [...Map.groupBy(runs, (run) => run.runtime)].map(async ([name, ofRuntime]) => {
        const runtime = this.#runtimes.get(name);
        if (runtime?.disk === undefined) return;
        const usages = await callRuntime(clock, DISK_MS, life, async (signal) =>
          runtime.disk?.(ofRuntime, signal),
        ).catch(() => undefined);
        for (const [index, run] of ofRuntime.entries()) found.set(run, usages?.[index]);
      }),
    );
    return runs.map((run) => found.get(run));
  }

  /** Whether its replica has to end before another one can start. */
  runsInPlace(run: RunSettings): boolean {
    return this.#runtimes.get(run.runtime)?.runsInPlace(run) ?? false;
  }

  /** Whether it is known what runs; where there is no such runtime, starts will tell. */
  contact(run: RunSettings): RuntimeContact {
    return this.#monitors.get(run.runtime)?.contact ?? { contact: 'known' };
  }

  /** How far the hosts of its runtime are in getting its image; undefined where there is only this machine. */
  images(run: RunSettings): readonly HostImage[] | undefined {
    return this.#runtimes.get(run.runtime)?.images?.(run);
  }

  /** Why the runtime of it is out of reach; undefined while it is not. */
  trouble(run: RunSettings): Trouble | undefined {
    return this.#monitors.get(run.runtime)?.trouble;
  }

  /** Has the runtime list again what it runs. */
  relist(run: RunSettings): void {
    this.#monitors.get(run.runtime)?.relist();
  }

  /** Has every runtime list again. */
  relistAll(): void {
    for (const monitor of this.#monitors.values()) monitor.relist();
  }

  /** Removes what is left of a service that does not run. */
  clean(run: RunSettings, service: string): void {
    const runtime = this.#runtimes.get(run.runtime);
    if (runtime !== undefined) this.#clean(runtime, service);
  }

  #monitor(runtime: Runtime): RuntimeMonitor {
    return new RuntimeMonitor({
      context: this.#context,
      runtime,
      specs: () => this.#runBy(runtime).flatMap(({ lifecycle }) => lifecycle.specs),
      onList: (instances) => this.#takeStock(runtime, instances),
      onEvent: (event) => this.#onRuntimeEvent(runtime, event),
      onContact: () => {
        for (const { lifecycle } of this.#runBy(runtime)) lifecycle.onContact();
      },
    });
  }

  #runBy({ name }: Runtime): RunService[] {
    return [...this.#services.values()].filter(({ lifecycle: { run } }) => run?.runtime === name);
  }

  /** Brings everything in line with what a runtime lists. */
  #takeStock(runtime: Runtime, instances: Instance[]): void {
    const services = this.#runBy(runtime);
    for (const { lifecycle, name } of services) {
      lifecycle.set.reconcile(instances.filter(({ service }) => service === name));
    }
    const plan = planAdoption(
      instances,
      (name) => services.find((service) => service.name === name)?.lifecycle.adopting,
    );
    for (const [name, found] of Map.groupBy(plan.adopt, ({ service }) => service)) {
      this.#services.get(name)?.lifecycle.adopt(found, 'found running');
    }
    for (const [name, found] of Map.groupBy(plan.park, ({ service }) => service)) {
      this.#services.get(name)?.lifecycle.park(found);
    }
    if (!this.#mayEnd()) return;
    // Those of a service that is leaving have no place any more, and are drained.
    const ours = services.flatMap(({ lifecycle }) => lifecycle.set.replicas.filter(({ isThere }) => isThere));
    const known = new Set(ours.map(({ instance }) => instance?.id));
    for (const stray of plan.stop) if (!known.has(stray.id)) this.#stopStray(runtime, stray);
    const unknown = new Set(instances.map(({ service }) => service).filter((name) => !this.#services.has(name)));
    for (const name of unknown) {
      if (!plan.stop.some(({ service }) => service === name)) this.#clean(runtime, name);
    }
  }

  #onRuntimeEvent(runtime: Runtime, event: Extract<RuntimeEvent, { id: string }>): void {
    const service = this.#services.get(event.service);
    if (service === undefined || service.lifecycle.run?.runtime !== runtime.name) return;
    if (event.type !== 'started') service.lifecycle.set.onExitEvent(event.ordinal, event.id);
    if (event.type !== 'started' || service.lifecycle.adopting === undefined) return;
    if (service.lifecycle.set.isBusy(event.ordinal)) return;
    const looked = this.#call((signal) => runtime.inspect(event.id, signal)).then((instance) => {
      if (instance?.state === 'running') service.onStartedEvent(instance);
    });
    detached(this.#context, `look at ${event.service}-${event.ordinal}`, looked);
  }

  /** Runs without a place in the configuration; no edge ever sent anything to it. */
  #stopStray(runtime: Runtime, { id, service, ordinal }: Instance): void {
    const name = `${service}-${ordinal}`;
    this.#context.events.emit('runtime', null, `stopping ${name}, for which there is no place in the configuration`);
    const stop = () => this.#call((signal) => runtime.stop(id, STRAY_STOP, signal));
    const stopped = retrying(this.#context, `stop of ${name}`, STRAY_RETRY, stop).then(() => {
      if (!this.#services.has(service)) this.#clean(runtime, service);
    });
    detached(this.#context, `stop ${name}`, stopped);
  }

  #clean(runtime: Runtime, service: string): void {
    const cleaned = this.#call((signal) => runtime.clean(service, signal));
    detached(this.#context, `clean ${service}`, cleaned);
  }

  #call<Value>(call: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
    return callRuntime(this.#context.clock, RUNTIME_CALL_MS, this.#context.life, call);
  }
}
