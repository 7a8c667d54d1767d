import { PilotlightError } from '../../model/errors.ts';
import type { ReplicaSpec } from '../../model/runtime.ts';
import { unlessAborted } from '../../util/abort.ts';
import { KeyedTurns } from '../../util/keyed-turns.ts';
import type { Service, SwarmApi, Task } from './api.ts';
import { isOutOfSequence } from './errors.ts';
import { labels, type Resolved, type ServiceSpec, serviceName, serviceSpec } from './service-spec.ts';
import type { SwarmRun } from './settings.ts';
import { newest, phaseOf } from './task.ts';

/** Shared work goes on when one of those who wait for it gives up; each of its calls is bounded in time. */
const NEVER = new AbortController().signal;
/** Attempts at a change while others change the same service. */
const ATTEMPTS = 5;
/** A registry that does not say so soon what it has is not waited for: hosts ask it themselves, ms. */
const DIGEST_MS = 5000;

/**
 * The services that are replicas: made ahead without a task, scaled to one and back. Each task has a number, that of the
 * start that it is of: what is done about an older one leaves a newer one alone, also one that Swarm has yet to make.
 */
export class ReplicaServices {
  readonly #api: SwarmApi;
  readonly #instance: string;
  /** By the name of the service: what reads and then changes it is not disturbed by another of ours. */
  readonly #turns = new KeyedTurns<string>();
  /** By image: the same with the digest that the registry had by that name. */
  readonly #pinned = new Map<string, string>();

  constructor(api: SwarmApi, instance: string) {
    this.#api = api;
    this.#instance = instance;
  }

  /** Makes the service, or one of an older `run` anew, without a task. One that has a task is left as it is. */
  async prepare(spec: ReplicaSpec, run: SwarmRun, signal: AbortSignal): Promise<void> {
    await this.#pin(run.image, signal);
    await this.#inTurn(serviceName(spec), signal, () =>
      retried(async () => {
        const found = await this.#find(spec);
        if (found === undefined) {
          await this.#create(spec, run, 0);
          return;
        }
        if (await this.#isInUse(found)) return;
        const wanted = serviceSpec(spec, run, await this.#resolve(run), { replicas: 0, force: forceOf(found) });
        if (!isCurrent(found, wanted)) await this.#api.update(found, wanted, NEVER);
      }),
    );
  }

  /**
   * Has the service of a replica have one task more than it had, unless one runs or is on its way.
   * @param isLost whether a task is given up, though Swarm does not know that it ended
   * @returns the service, and which of its tasks are meant: those with this number
   */
  async scaleUp(
    spec: ReplicaSpec,
    run: SwarmRun,
    isLost: (task: string) => boolean,
    signal: AbortSignal,
  ): Promise<StartedService> {
    const service = await this.#inTurn(serviceName(spec), signal, () =>
      retried(async () => {
        const found = await this.#find(spec);
        if (found === undefined) return this.#create(spec, run, 1);
        if (await this.#isInUse(found, isLost)) return found;
        const force = forceOf(found) + 1;
        const wanted = serviceSpec(spec, run, await this.#resolve(run), { replicas: 1, force });
        await this.#api.update(found, wanted, NEVER);
        return { ...found, Spec: wanted };
      }),
    );
    return { id: service.ID, force: forceOf(service) };
  }

  /** Has a service have no task, unless it was had start another one since the one with the number. */
  async scaleDown(name: string, { id, force }: StartedService, signal: AbortSignal): Promise<void> {
    await this.#inTurn(name, signal, () =>
      retried(async () => {
        const found = await this.#api.service(id, NEVER);
        if (found === undefined || isAtRest(found) || forceOf(found) !== force) return;
        await this.#api.update(found, { ...found.Spec, Mode: { Replicated: { Replicas: 0 } } }, NEVER);
      }),
    );
  }

  /** The services of this instance, of one of its services or of all. */
  own(service: string | undefined, signal: AbortSignal): Promise<Service[]> {
    return this.#api.services({ label: ownLabels(this.#instance, service) }, signal);
  }

  /** Removes those of a service that have no task. */
  async clean(service: string, signal: AbortSignal): Promise<void> {
    for (const { ID, Spec } of await this.own(service, signal)) {
      await this.#inTurn(Spec.Name, signal, async () => {
        const found = await this.#api.service(ID, NEVER);
        if (found !== undefined && !(await this.#isInUse(found))) await this.#api.remove(ID, NEVER);
      });
    }
  }

  /** Asks the registry what the name of an image stands for now. Where none tells, the hosts use what they have. */
  async #pin(image: string, signal: AbortSignal): Promise<void> {
    if (image.includes('@')) return;
    try {
      const digest = await this.#api.digest(image, DIGEST_MS, signal);
      if (digest !== undefined) this.#pinned.set(image, `${image}@${digest}`);
    } catch {
      signal.throwIfAborted();
    }
  }

  /** The image with its digest, where a registry told it: a host that has it asks no registry then. */
  pinned(image: string): string {
    return this.#pinned.get(image) ?? image;
  }

  async #resolve(run: SwarmRun): Promise<Resolved> {
    const [secrets, configs] = await Promise.all([
      this.#api.named('secret', run.secrets, NEVER),
      this.#api.named('config', Object.keys(run.configs), NEVER),
    ]);
    return { image: this.pinned(run.image), secrets, configs };
  }

  async #find(spec: ReplicaSpec): Promise<Service | undefined> {
    const name = serviceName(spec);
    const found = await this.#api.service(name, NEVER);
    if (found === undefined || found.Spec.Labels[labels.instance] === this.#instance) return found;
    throw new PilotlightError('RUNTIME_FAILED', `the name ${name} is taken by a service that is not ours`);
  }

  async #create(spec: ReplicaSpec, run: SwarmRun, replicas: 0 | 1): Promise<Service> {
    const wanted = serviceSpec(spec, run, await this.#resolve(run), { replicas, force: 0 });
    return { ID: await this.#api.create(wanted, NEVER), Version: { Index: 0 }, Spec: wanted };
  }

  /** Whether a task of it runs or is on its way. What Swarm has given up does not count. */
  async #isInUse(service: Service, isLost: (task: string) => boolean = () => false): Promise<boolean> {
    if (isAtRest(service)) return false;
    const tasks = await this.#api.tasks({ service: [service.ID] }, NEVER);
    const last = newest(tasks.filter((task) => isMeant(task, service)));
    const phase = last === undefined ? 'waiting' : phaseOf(last);
    return phase === 'waiting' || (phase === 'running' && !isLost(last?.ID ?? ''));
  }

  #inTurn<T>(name: string, signal: AbortSignal, task: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    return unlessAborted(this.#turns.run(name, task), signal);
  }
}

/** A service that was had start a task, and the number of that. */
export interface StartedService {
  id: string;
  force: number;
}

/** Whether a service is to have no task: what still runs of it is meant to end. */
export function isAtRest({ Spec }: Service): boolean {
  return Spec.Mode.Replicated?.Replicas === 0;
}

/** Whether a task is of the last start of its service. */
export function isMeant(task: Task, service: Service): boolean {
  return numberOf(task) === forceOf(service);
}

/** Of which start a task is. */
export function numberOf({ Spec }: Task): number {
  return Spec.ForceUpdate ?? 0;
}

/** The labels that services and tasks of ours have. */
export function ownLabels(instance: string, service?: string): string[] {
  const own = `${labels.instance}=${instance}`;
  return service === undefined ? [own] : [own, `${labels.service}=${service}`];
}

function forceOf({ Spec }: Service): number {
  return Spec.TaskTemplate.ForceUpdate ?? 0;
}

/** By what hangs on the `run`: Swarm adds to a spec what it leaves out. */
function isCurrent({ Spec }: Service, wanted: ServiceSpec): boolean {
  const isSame = (name: string) => Spec.Labels[name] === wanted.Labels[name];
  const { Image } = Spec.TaskTemplate.ContainerSpec;
  return isSame(labels.hash) && isSame(labels.port) && Image === wanted.TaskTemplate.ContainerSpec.Image;
}

/** Makes a change anew while somebody else changes the same. */
async function retried<T>(change: () => Promise<T>): Promise<T> {
  for (let left = ATTEMPTS - 1; ; left--) {
    try {
      return await change();
    } catch (thrown) {
      if (left === 0 || !isOutOfSequence(thrown)) throw thrown;
    }
  }
}
