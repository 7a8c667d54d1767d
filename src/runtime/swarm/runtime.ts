import { PilotlightError } from '../../model/errors.ts';
import type { Logger } from '../../model/observe.ts';
import type { HostImage, Instance, ReplicaSpec, Runtime, RuntimeEvent } from '../../model/runtime.ts';
import type { RunSettings, StopSettings } from '../../model/settings.ts';
import { unlessAborted } from '../../util/abort.ts';
import { type Clock, sleep } from '../../util/clock.ts';
import { containerOutput } from '../container-output.ts';
import { lastLines } from '../output-lines.ts';
import { SwarmApi, type Task } from './api.ts';
import { Hosts } from './hosts.ts';
import { HostImages } from './images.ts';
import { untilRunning } from './launch.ts';
import { Managers } from './managers.ts';
import { type GivenUp, type knock, Presences } from './presence.ts';
import { isAtRest, isMeant, numberOf, ownLabels, ReplicaServices, type StartedService } from './replica-services.ts';
import { type Owner, ownerOf, serviceName } from './service-spec.ts';
import { type SwarmRun, type SwarmSettings, swarmRun } from './settings.ts';
import { givenUpInstance, instanceOf, newest, phaseOf } from './task.ts';
import { UnexplainedEnds } from './unexplained-ends.ts';
import { watchTasks } from './watch.ts';

interface SwarmRuntimeOptions {
  settings: SwarmSettings;
  clock: Clock;
  logger: Logger;
  instance: string;
  /** Jitter of reconnects; a number in [0, 1). */
  random?: () => number;
  knock?: typeof knock;
}

/** Between two looks at a task that is to end, ms. */
const STOP_LOOK_MS = 100;
/** Between two looks at how far hosts are in getting images, ms. */
const IMAGES_LOOK_MS = 2000;
/** Swarm tells within this time that a task ended, if its host is there, ms. */
const END_TOLD_MS = 1500;
const UNEXPLAINED = 'nothing listens there any more, and Swarm does not tell that it ended';
/** How many that ended are remembered after Swarm has forgotten them. */
const REMEMBERED = 256;

/** Has a swarm place replicas; its manager need not be there yet. Loads the client library. */
export async function createSwarmRuntime(options: SwarmRuntimeOptions): Promise<Runtime> {
  const { settings, clock } = options;
  return new SwarmRuntime(options, new SwarmApi(await Managers.load(settings, clock)));
}

class SwarmRuntime implements Runtime {
  readonly name = 'swarm';
  readonly #options: SwarmRuntimeOptions;
  readonly #api: SwarmApi;
  readonly #hosts: Hosts;
  readonly #images: HostImages;
  readonly #services: ReplicaServices;
  readonly #presences: Presences;
  readonly #unexplained = new UnexplainedEnds();
  /** How those ended that Swarm may have forgotten, by their id. */
  readonly #ended = new Map<string, Instance>();
  /** Services that a start of ours is about, by name: what becomes of their tasks is its own. */
  readonly #starting = new Set<string>();
  /** By service: the task after whose end it was had wait for the next start. */
  readonly #settled = new Map<string, string>();

  constructor(options: SwarmRuntimeOptions, api: SwarmApi) {
    this.#options = options;
    this.#api = api;
    this.#hosts = new Hosts(api, options.clock);
    this.#images = new HostImages(api, this.#hosts, options.instance, () => options.clock.now());
    this.#services = new ReplicaServices(api, options.instance);
    this.#presences = new Presences(options.knock);
  }

  prepares(): boolean {
    return true;
  }

  runsInPlace(): boolean {
    return false;
  }

  async prepare(spec: ReplicaSpec, signal: AbortSignal): Promise<void> {
    const run = swarmRun(spec);
    await this.#services.prepare(spec, run, signal);
    await unlessAborted(this.#images.bring(run, this.#services.pinned(run.image)), signal);
  }

  images(run: RunSettings): readonly HostImage[] {
    return this.#images.of(run as SwarmRun);
  }

  async start(spec: ReplicaSpec, signal: AbortSignal): Promise<Instance> {
    const run = swarmRun(spec);
    const name = serviceName(spec);
    const { service, ordinal, hash } = spec;
    const owner: Owner = { service, ordinal, hash, port: run.port, reach: run.reach };
    this.#starting.add(name);
    try {
      const isLost = (id: string) => this.#presences.givenUp(id) !== undefined;
      const meant = await this.#services.scaleUp(spec, run, isLost, signal);
      const { api, clock, hosts } = { api: this.#api, hosts: this.#hosts, clock: this.#options.clock };
      const task = await untilRunning({ api, clock, hosts }, meant, owner, signal).catch(async (thrown) => {
        // Swarm would start it once a host fits, when nobody waits for it any more.
        if (!signal.aborted) await this.#services.scaleDown(name, meant, signal);
        throw thrown;
      });
      const instance = await this.#instance(task);
      if (instance?.hash === hash) return instance;
      throw new PilotlightError('RUNTIME_FAILED', `${name} runs with an older configuration`);
    } finally {
      this.#starting.delete(name);
    }
  }

  async inspect(id: string, signal: AbortSignal): Promise<Instance | undefined> {
    const task = await this.#api.task(id, signal);
    if (task === undefined) return this.#ended.get(id);
    const instance = await this.#instance(task);
    if (instance?.state !== 'running' || instance.address === undefined) return instance;
    const isLeaving = instance.leaving !== undefined;
    const host = isLeaving ? await this.#hosts.of(task) : undefined;
    if (!(await this.#presences.isGone(id, instance.address, isLeaving && host?.isDrained !== true))) return instance;
    if (isLeaving) return this.#giveUp(instance, { why: instance.leaving ?? '', isOwnDoing: false });
    return this.#untilToldOfEnd(instance, task, signal);
  }

  /** A task that ends takes its port along before Swarm tells of that; one that is lost with its host is not told of for long. */
  async #untilToldOfEnd(instance: Instance, before: Task, signal: AbortSignal): Promise<Instance | undefined> {
    const { clock } = this.#options;
    for (const since = clock.now(); clock.now() - since < END_TOLD_MS; ) {
      await sleep(clock, STOP_LOOK_MS, signal);
      const task = await this.#api.task(instance.id, signal);
      const now = task === undefined ? this.#ended.get(instance.id) : await this.#instance(task);
      if (now?.state !== 'running') return now;
      if (now.leaving !== undefined) return this.#giveUp(now, { why: now.leaving, isOwnDoing: false });
    }
    const hosts = await this.#hosts.now();
    // Somebody else who looked at it meanwhile may have given it up.
    const known = this.#presences.givenUp(instance.id);
    if (known !== undefined) return givenUpInstance(instance, known);
    const isOwnDoing = this.#unexplained.note(before.ServiceID, hosts.get(before.NodeID ?? ''), hosts);
    return this.#giveUp(instance, { why: UNEXPLAINED, isOwnDoing });
  }

  #giveUp(instance: Instance, end: GivenUp): Instance {
    this.#presences.giveUp(instance.id, end);
    return givenUpInstance(instance, end);
  }

  /** Signal and grace are those that it was started with: Swarm knows no others. */
  async stop(id: string, _stop: StopSettings, signal: AbortSignal): Promise<void> {
    const task = await this.#api.task(id, signal);
    if (task === undefined) return;
    const owner = this.#ownerOf(task);
    if (owner === undefined) throw new PilotlightError('RUNTIME_FAILED', `task ${id} is not ours to stop`);
    await this.#services.scaleDown(this.#nameOf(owner), startOf(task), signal);
    while (!(await this.#isOver(id, signal))) await sleep(this.#options.clock, STOP_LOOK_MS, signal);
    this.#presences.forget(id);
  }

  async clean(service: string, signal: AbortSignal): Promise<void> {
    await this.#services.clean(service, signal);
  }

  async list(specs: ReplicaSpec[], signal: AbortSignal): Promise<Instance[]> {
    await this.#images.trim(specs.map(swarmRun), signal);
    const [services, tasks] = await Promise.all([
      this.#services.own(undefined, signal),
      this.#api.tasks({ label: ownLabels(this.#options.instance) }, signal),
    ]);
    const byService = Map.groupBy(tasks, ({ ServiceID }) => ServiceID);
    const found = services.map(async (service) => {
      // What is scaled down, or replaced, may answer for long on a host that is lost: it is used no more.
      const runs = (byService.get(service.ID) ?? []).filter((task) => isMeant(task, service) && !isAtRest(service));
      const last = newest(runs);
      const instance = last && (await this.#instance(last));
      const owner = ownerOf(service.Spec.Labels, this.#options.instance);
      return instance ?? (owner && preparedInstance(service.ID, owner));
    });
    return (await Promise.all(found)).filter((instance) => instance !== undefined);
  }

  watch(listener: (event: RuntimeEvent) => void, signal: AbortSignal): void {
    const { clock, logger, instance, random = Math.random } = this.#options;
    const looked = atIntervals(clock, IMAGES_LOOK_MS, () => this.#images.look(signal));
    const onLook = async (tasks: readonly Task[]) => {
      await this.#settle(tasks, signal);
      await looked();
    };
    const labels = ownLabels(instance);
    void watchTasks(
      { api: this.#api, hosts: this.#hosts, clock, logger, instance, random, labels, listener, onLook },
      signal,
    );
  }

  async output(id: string, lines: number, signal: AbortSignal): Promise<string[]> {
    if (lines <= 0) return [];
    const log = await this.#api.log(id, lines, signal);
    if (log === undefined) return [];
    // The library parses what looks like JSON.
    const bytes = Buffer.isBuffer(log) ? log : Buffer.from(typeof log === 'string' ? log : JSON.stringify(log));
    return lastLines(containerOutput(bytes, false), lines);
  }

  /** Remembers how tasks ended, and has their services wait for the next start: Swarm would make another one some day. */
  async #settle(tasks: readonly Task[], signal: AbortSignal): Promise<void> {
    const byService = Map.groupBy(tasks, ({ ServiceID }) => ServiceID);
    for (const id of this.#settled.keys()) if (!byService.has(id)) this.#settled.delete(id);
    await this.#remember(tasks.filter((task) => phaseOf(task) === 'ended'));
    for (const [id, ofService] of byService) {
      const last = newest(ofService);
      const owner = last && this.#ownerOf(last);
      if (last === undefined || owner === undefined || !this.#isSpent(last)) continue;
      const name = this.#nameOf(owner);
      if (last.DesiredState === 'remove' || this.#settled.get(id) === last.ID || this.#starting.has(name)) continue;
      this.#settled.set(id, last.ID);
      // What fails here is tried again at the next look, which need not wait for it.
      this.#services.scaleDown(name, startOf(last), signal).catch(() => this.#settled.delete(id));
    }
  }

  /** Whether it has ended, or is as good as that. */
  #isSpent(task: Task): boolean {
    return phaseOf(task) === 'ended' || this.#presences.givenUp(task.ID) !== undefined;
  }

  /** With one look at the hosts for all of them: of each service Swarm lists several that have ended. */
  async #remember(ended: readonly Task[]): Promise<void> {
    const news = ended.filter((task) => !this.#ended.has(task.ID) && this.#ownerOf(task) !== undefined);
    if (news.length === 0) return;
    const hosts = await this.#hosts.now();
    for (const task of news) {
      const owner = this.#ownerOf(task);
      if (owner !== undefined) this.#ended.set(task.ID, instanceOf(task, owner, hosts.get(task.NodeID ?? '')));
    }
    for (const oldest of this.#ended.keys()) {
      if (this.#ended.size <= REMEMBERED + ended.length) return;
      this.#ended.delete(oldest);
    }
  }

  /** Whether a task runs no more, or is out of reach: Swarm ends it when its host is back. */
  async #isOver(id: string, signal: AbortSignal): Promise<boolean> {
    const task = await this.#api.task(id, signal);
    if (task === undefined || phaseOf(task) === 'ended') return true;
    const host = await this.#hosts.of(task);
    return host === undefined || host.isDown;
  }

  async #instance(task: Task): Promise<Instance | undefined> {
    const owner = this.#ownerOf(task);
    if (owner === undefined) return undefined;
    const instance = instanceOf(task, owner, await this.#hosts.of(task));
    const end = this.#presences.givenUp(task.ID);
    return end === undefined || instance.state !== 'running' ? instance : givenUpInstance(instance, end);
  }

  #nameOf(owner: Owner): string {
    return serviceName({ ...owner, instance: this.#options.instance, run: NO_RUN });
  }

  #ownerOf({ Spec }: Task): Owner | undefined {
    return ownerOf(Spec.ContainerSpec?.Labels, this.#options.instance);
  }
}

/** Does something when it was done last at least so long ago, ms. */
function atIntervals(clock: Clock, ms: number, task: () => Promise<void>): () => Promise<void> {
  let last = Number.NEGATIVE_INFINITY;
  return async () => {
    if (clock.now() - last < ms) return;
    last = clock.now();
    await task();
  };
}

function startOf(task: Task): StartedService {
  return { id: task.ServiceID, force: numberOf(task) };
}

/** The name of a service does not hang on it. */
const NO_RUN = { runtime: '', kind: '', stop: { signal: '', graceMs: 0 } };

function preparedInstance(id: string, { service, ordinal, hash }: Owner): Instance {
  return {
    id,
    service,
    ordinal,
    hash,
    state: 'created',
    address: undefined,
    startedAt: 0,
    health: 'none',
    exitCode: undefined,
  };
}
