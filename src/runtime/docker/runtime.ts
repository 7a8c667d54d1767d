import type Docker from 'dockerode';
import type { ContainerFeed } from '../../model/containers.ts';
import type { DiskUsage } from '../../model/costs.ts';
import { PilotlightError } from '../../model/errors.ts';
import type { Logger } from '../../model/observe.ts';
import type {
  HealthVerdict,
  Instance,
  Listener,
  ReplicaSpec,
  ReplicaUsage,
  Runtime,
  RuntimeEvent,
} from '../../model/runtime.ts';
import type { HostPort, RunSettings, StopSettings } from '../../model/settings.ts';
import { type Clock, sleep } from '../../util/clock.ts';
import { containerOutput } from '../container-output.ts';
import { DockerEngine, limits } from '../engine.ts';
import { statusOf } from '../engine-errors.ts';
import { lastLines } from '../output-lines.ts';
import { isPublished, type Reach } from './address.ts';
import { labels, type Owner, ownerFromLabels } from './container.ts';
import { DockerContainers } from './containers.ts';
import { imageDisk } from './disk.ts';
import { type ContainerEvent, watchEvents } from './events.ts';
import { pauseContainer, unpauseContainer } from './freeze.ts';
import { runHealthCheck } from './health.ts';
import { instanceOf, stateOf } from './instance.ts';
import { ContainerKills } from './kills.ts';
import { PortListeners } from './port-listeners.ts';
import { DockerPositions } from './position.ts';
import type { DockerSettings } from './settings.ts';
import { type ContainerRun, dockerRun, type ImageRun, isExisting } from './settings.ts';
import { stopContainer } from './stop.ts';
import { containerUsage } from './usage.ts';

interface DockerRuntimeOptions {
  settings: DockerSettings;
  clock: Clock;
  logger: Logger;
  instance: string;
  /** Jitter of reconnects; a number in [0, 1). */
  random?: () => number;
}

/** Runs replicas as containers of a Docker engine; it need not be there yet. Loads the client library. */
export async function createDockerRuntime(
  options: DockerRuntimeOptions,
): Promise<Runtime & { readonly containers: ContainerFeed }> {
  return new DockerRuntime(options, await DockerEngine.load(options.settings.socket, options.clock));
}

/** A paused or removed container serves as little as one that ended. */
const eventTypes: Partial<Record<ContainerEvent['action'], 'started' | 'exited'>> = {
  start: 'started',
  unpause: 'started',
  die: 'exited',
  pause: 'exited',
  destroy: 'exited',
};

/** After these there are other containers, or the same by other names. */
const changes: readonly ContainerEvent['action'][] = ['create', 'rename', 'destroy'];

/** The engine may take so long to tell of an end, ms: how a container ended is known by it alone. */
const ENDING_MS = 10_000;
/** Between two looks meanwhile: a tenth of the time so far, within these bounds, ms. One that is busy is not asked more. */
const ENDING_LOOK_MS = { least: 20, most: 500 };

/** What was written reaches the log within this, ms. */
const LOG_LAG_MS = 500;

class DockerRuntime implements Runtime {
  readonly name = 'docker';
  readonly containers: DockerContainers;
  readonly #engine: DockerEngine;
  readonly #reach: Reach;
  readonly #positions: DockerPositions;
  readonly #options: DockerRuntimeOptions;
  /**
   * The existing containers that were configured, by name or id. None is forgotten: one that is configured no more may
   * still have to be stopped.
   */
  readonly #existing = new Map<string, Owner>();
  /** When the present run of a container began, by its id: ms by the engine's clock, once a start of ours is through. */
  readonly #began = new Map<string, Promise<number>>();
  /** From when on the log of a container is that of its present run, by its id: seconds by the engine's clock. */
  readonly #logSince = new Map<string, number>();
  readonly #kills = new ContainerKills();
  /** Undefined where the engine is on another machine. */
  readonly #ports: PortListeners | undefined;

  constructor(options: DockerRuntimeOptions, engine: DockerEngine) {
    this.#options = options;
    this.#engine = engine;
    this.containers = new DockerContainers(engine);
    this.#ports = engine.address.kind === 'unix' ? new PortListeners() : undefined;
    this.#reach = { mode: options.settings.reach, engine: engine.address };
    this.#positions = new DockerPositions(engine, this.#reach, options.instance);
  }

  prepares(run: RunSettings): boolean {
    return isExisting(run) || (run as ImageRun).standby !== 'none';
  }

  runsInPlace(run: RunSettings): boolean {
    return isExisting(run);
  }

  async prepare(spec: ReplicaSpec, signal: AbortSignal): Promise<void> {
    if (this.prepares(dockerRun(spec))) await this.#locate(spec, true, signal);
  }

  async start(spec: ReplicaSpec, signal: AbortSignal): Promise<Instance> {
    const found = await this.#locate(spec, false, signal);
    const before = stateOf(found);
    if (this.#ownerOf(found)?.hash !== spec.hash && (before === 'running' || before === 'paused')) {
      throw new PilotlightError('RUNTIME_FAILED', `${nameOf(found)} runs with an older configuration`);
    }
    const instance = await this.#launch(found, signal).catch(async (thrown) => {
      const repairable = thrown instanceof PilotlightError && this.#positions.canRepair(thrown);
      if (!repairable || spec.run.kind !== 'docker') throw thrown;
      await this.#engine.remove(found.Id, signal);
      return this.#launch(await this.#locate(spec, false, signal), signal);
    });
    if (instance.state !== 'running' || instance.address !== undefined) return instance;
    if (before !== 'running') await this.stop(instance.id, spec.run.stop, signal);
    throw new PilotlightError('RUNTIME_FAILED', `${nameOf(found)} has no address that this machine can reach`);
  }

  async inspect(id: string, signal: AbortSignal): Promise<Instance | undefined> {
    const { clock } = this.#options;
    const began = clock.now();
    for (;;) {
      const instance = await this.#look(id, signal);
      const isLate = instance?.state === 'running' && this.#ports?.hasEnded(instance.id) === true;
      const tookMs = clock.now() - began;
      if (!isLate || tookMs >= ENDING_MS) return instance;
      await sleep(clock, Math.min(ENDING_LOOK_MS.most, Math.max(ENDING_LOOK_MS.least, tookMs / 10)), signal);
    }
  }

  async #look(id: string, signal: AbortSignal): Promise<Instance | undefined> {
    const info = await this.#engine.inspect(id, signal);
    const owner = info === undefined ? undefined : this.#ownerOf(info);
    if (info === undefined || owner === undefined) return undefined;
    const instance = instanceOf(info, owner, this.#reach);
    this.#ports?.note(info, instance);
    return { ...instance, endedByHand: this.#kills.endedByHand(info, instance) };
  }

  async listener(id: string, address: HostPort, signal: AbortSignal): Promise<Listener | undefined> {
    signal.throwIfAborted();
    return this.#ports?.at(id, address);
  }

  async checkHealth(id: string, signal: AbortSignal): Promise<HealthVerdict> {
    const info = await this.#engine.inspect(id, signal);
    if (info === undefined) return { verdict: 'failed', detail: 'it does not run' };
    return runHealthCheck(this.#engine, this.#options.clock, info, signal);
  }

  async usage(id: string, signal: AbortSignal): Promise<ReplicaUsage | undefined> {
    return containerUsage(this.#engine, id, signal);
  }

  async disk(runs: readonly RunSettings[], signal: AbortSignal): Promise<(DiskUsage | undefined)[]> {
    const names = runs.map((run) => (isExisting(run) ? undefined : (run as ImageRun).image));
    return imageDisk(this.#engine, names, signal);
  }

  async pause(id: string, signal: AbortSignal): Promise<void> {
    await pauseContainer(this.#engine, id, signal);
  }

  async resume(id: string, signal: AbortSignal): Promise<Instance> {
    await unpauseContainer(this.#engine, id, signal);
    const instance = await this.inspect(id, signal);
    if (instance !== undefined) return instance;
    throw new PilotlightError('REPLICA_EXITED', 'the container was removed');
  }

  async stop(id: string, stop: StopSettings, signal: AbortSignal): Promise<void> {
    const info = await this.#engine.inspect(id, signal);
    if (info === undefined || !(info.State.Running || info.State.Restarting)) return;
    if (this.#ownerOf(info) === undefined) {
      throw new PilotlightError('RUNTIME_FAILED', `${nameOf(info)} is not ours to stop`);
    }
    await stopContainer(this.#engine, info, stop, signal);
    const own = info.Config.Labels;
    const isOurs = ownerFromLabels(own, this.#options.instance) !== undefined;
    if (isOurs && own[labels.standby] === 'none') await this.#engine.remove(info.Id, signal);
  }

  async clean(service: string, signal: AbortSignal): Promise<void> {
    const filters = { ...this.#labelFilter(service), status: ['created', 'exited', 'dead'] };
    const found = await this.#engine.call(limits.ask, signal, (docker, abortSignal) =>
      docker.listContainers({ all: true, filters, abortSignal }),
    );
    await Promise.all(found.map(({ Id }) => this.#engine.remove(Id, signal)));
  }

  async list(specs: ReplicaSpec[], signal: AbortSignal): Promise<Instance[]> {
    const existing = specs.flatMap((spec) => (isExisting(spec.run) ? this.#claim(spec, spec.run) : []));
    const labelled = await this.#engine.call(limits.ask, signal, (docker, abortSignal) =>
      docker.listContainers({ all: true, filters: this.#labelFilter(), abortSignal }),
    );
    const refs = [...labelled.map(({ Id }) => Id), ...existing];
    const found = await Promise.all(refs.map((ref) => this.inspect(ref, signal)));
    return found.filter((instance) => instance !== undefined);
  }

  watch(listener: (event: RuntimeEvent) => void, signal: AbortSignal): void {
    const { clock, logger, random = Math.random } = this.#options;
    const onEvent = async (event: ContainerEvent) => {
      if (changes.includes(event.action)) this.containers.changed();
      const owner = this.#owner(event.id, event.attributes['name'] ?? '', event.attributes);
      if (owner === undefined) return;
      if (event.action === 'kill') {
        this.#kills.note(event.id, event.attributes['signal'] ?? '', event.timeNano / 1e6);
        return;
      }
      const type = eventTypes[event.action];
      // The end of a run may be told only when the next one is under way already.
      const began = (await this.#began.get(event.id)) ?? 0;
      if (event.action === 'destroy') this.#forget(event.id);
      if (type === undefined) return;
      if (type === 'exited' && event.timeNano / 1e6 < began) return;
      if (!signal.aborted) listener({ type, id: event.id, service: owner.service, ordinal: owner.ordinal });
    };
    const onLost = (cause: PilotlightError | undefined) => listener({ type: 'lost', cause });
    const onRestored = () => {
      this.containers.changed();
      listener({ type: 'restored' });
    };
    watchEvents({ engine: this.#engine, clock, logger, random, onEvent, onLost, onRestored }, signal);
  }

  async output(id: string, lines: number, signal: AbortSignal): Promise<string[]> {
    const info = await this.#engine.inspect(id, signal);
    if (info === undefined || this.#ownerOf(info) === undefined || lines <= 0) return [];
    const since = this.#logSince.get(info.Id) ?? Date.parse(info.State.StartedAt) / 1000;
    const options = { stdout: true, stderr: true, tail: lines, since: Math.max(0, since), follow: false } as const;
    const log: unknown = await this.#engine.call(limits.ask, signal, (docker, abortSignal) =>
      docker.getContainer(id).logs({ ...options, abortSignal }),
    );
    // The library parses what looks like JSON, as the whole output of an app on a terminal may.
    const bytes = Buffer.isBuffer(log) ? log : Buffer.from(JSON.stringify(log));
    return lastLines(containerOutput(bytes, info.Config.Tty), lines);
  }

  /** The container of a replica, whatever its state. */
  async #locate(spec: ReplicaSpec, thorough: boolean, signal: AbortSignal): Promise<Docker.ContainerInspectInfo> {
    const run = dockerRun(spec);
    if (run.kind === 'docker') return this.#positions.ensure(spec, run, thorough, signal);
    const info = await this.#engine.inspect(this.#claim(spec, run), signal);
    if (info === undefined) {
      throw new PilotlightError('CONTAINER_MISSING', `no such container: ${run.container}`);
    }
    if (this.#reach.mode === 'host' && info.HostConfig.NetworkMode !== 'host' && !isPublished(info, run.port)) {
      const advice = 'publish it, or set docker.reach to container';
      throw new PilotlightError('RUNTIME_FAILED', `${nameOf(info)} does not publish port ${run.port}: ${advice}`);
    }
    return info;
  }

  /** Starts or unpauses a container unless it runs. */
  async #launch(info: Docker.ContainerInspectInfo, signal: AbortSignal): Promise<Instance> {
    const launched = this.#startAndInspect(info, signal);
    const began = launched.then(
      ({ startedAt }) => startedAt,
      () => 0,
    );
    this.#began.set(info.Id, began);
    return launched;
  }

  async #startAndInspect(info: Docker.ContainerInspectInfo, signal: AbortSignal): Promise<Instance> {
    const state = stateOf(info);
    if (state !== 'running') {
      await this.#engine
        .call(limits.act, signal, (docker, abortSignal) => {
          const container = docker.getContainer(info.Id);
          return state === 'paused' ? container.unpause({ abortSignal }) : container.start({ abortSignal });
        })
        .catch((thrown) => {
          if (statusOf(thrown) !== 304) throw thrown;
        });
    }
    const instance = await this.inspect(info.Id, signal);
    if (instance !== undefined) {
      if (state !== 'paused') this.#logSince.set(info.Id, betweenRuns(info.State.FinishedAt, instance.startedAt));
      return instance;
    }
    throw new PilotlightError('CONTAINER_MISSING', `${nameOf(info)} was removed while it started`);
  }

  #forget(id: string): void {
    this.#ports?.forget(id);
    this.#began.delete(id);
    this.#logSince.delete(id);
    this.#kills.forget(id);
  }

  /** Remembers an existing container as that of this replica; returns how it is called. */
  #claim({ service, ordinal, hash }: ReplicaSpec, run: ContainerRun): string {
    this.#existing.set(run.container, { service, ordinal, hash, port: run.port });
    return run.container;
  }

  #ownerOf({ Id, Name, Config }: Docker.ContainerInspectInfo): Owner | undefined {
    return this.#owner(Id, Name, Config.Labels);
  }

  /** Whose replica a container is; undefined for those that are no business of ours. */
  #owner(id: string, name: string, ownLabels: Readonly<Record<string, string>> | null): Owner | undefined {
    const labelled = ownerFromLabels(ownLabels, this.#options.instance);
    if (labelled !== undefined) return labelled;
    const named = this.#existing.get(name.replace(/^\//, ''));
    if (named !== undefined) return named;
    const [, owner] = [...this.#existing].find(([ref]) => /^[0-9a-f]{12,64}$/.test(ref) && id.startsWith(ref)) ?? [];
    return owner;
  }

  #labelFilter(service?: string): { label: string[] } {
    const own = `${labels.instance}=${this.#options.instance}`;
    return { label: service === undefined ? [own] : [own, `${labels.service}=${service}`] };
  }
}

/**
 * A moment after the end of one run and before the start of the next, in seconds: what was written last may have reached
 * the log after the end, and what is written first before the engine calls it started.
 */
function betweenRuns(finishedAt: string, startedAt: number): number {
  // A container that never ran has finished in the year 1.
  const finished = Math.max(0, Date.parse(finishedAt));
  return (finished + Math.max(0, Math.min(LOG_LAG_MS, (startedAt - finished) / 2))) / 1000;
}

function nameOf({ Name }: Docker.ContainerInspectInfo): string {
  return `container ${Name.replace(/^\//, '')}`;
}
