import type { HostImage } from '../../model/runtime.ts';
import { canonicalHash } from '../../util/hash.ts';
import { SingleFlight } from '../../util/single-flight.ts';
import type { Service, SwarmApi, Task } from './api.ts';
import type { Hosts } from './hosts.ts';
import { fitting, labels, type ServiceSpec } from './service-spec.ts';
import type { SwarmRun } from './settings.ts';
import { newest, phaseOf } from './task.ts';

const NEVER = new AbortController().signal;
/** Where a host could not get an image it is had try again, but not more often than this, ms. */
const AGAIN_MS = 60_000;
/**
 * What the task that brings an image to a host is to run: nothing, since no image has it. The host gets the image before it
 * finds that out, and nothing of the image ever runs.
 */
const NO_PROGRAM = '/pilotlight-only-wants-the-image';

interface Puller {
  service: string;
  /** When it was had try again last, the clock's ms. */
  triedAt: number;
  hosts: readonly HostImage[];
}

/**
 * Brings images to every host that may need them, ahead of the first request: by one service for each image that has a task
 * on all of these hosts, those too that join later.
 */
export class HostImages {
  readonly #api: SwarmApi;
  readonly #hosts: Hosts;
  readonly #instance: string;
  readonly #now: () => number;
  /** By the name of the service. */
  readonly #bringing = new SingleFlight<string, void>();
  readonly #pullers = new Map<string, Puller>();

  constructor(api: SwarmApi, hosts: Hosts, instance: string, now: () => number) {
    this.#api = api;
    this.#hosts = hosts;
    this.#instance = instance;
    this.#now = now;
  }

  /** Sees to it that the hosts of a `run` get its image. @param pinned with its digest, where that is known */
  bring(run: SwarmRun, pinned: string): Promise<void> {
    const name = this.#nameOf(run);
    // All replicas of a service are prepared at the same time.
    return this.#bringing.run(name, () => this.#bring(name, run, pinned));
  }

  async #bring(name: string, run: SwarmRun, pinned: string): Promise<void> {
    const found = await this.#api.service(name, NEVER);
    if (found === undefined) {
      const service = await this.#api.create(this.#spec(name, run, pinned, 0), NEVER);
      this.#pullers.set(name, { service, triedAt: this.#now(), hosts: [] });
      return;
    }
    const known = this.#pullers.get(name) ?? { service: found.ID, triedAt: Number.NEGATIVE_INFINITY, hosts: [] };
    this.#pullers.set(name, known);
    const isOther = found.Spec.TaskTemplate.ContainerSpec.Image !== pinned;
    const isAgain = known.hosts.some(({ state }) => state === 'missing') && this.#now() - known.triedAt >= AGAIN_MS;
    if (!isOther && !isAgain) return;
    known.triedAt = this.#now();
    const force = (found.Spec.TaskTemplate.ForceUpdate ?? 0) + 1;
    await this.#api.update(found, this.#spec(name, run, pinned, force), NEVER);
  }

  /** What is known of the hosts of a `run`, by their names; empty before anything is. */
  of(run: SwarmRun): readonly HostImage[] {
    return this.#pullers.get(this.#nameOf(run))?.hosts ?? [];
  }

  /** Looks how far the hosts are. */
  async look(signal: AbortSignal): Promise<void> {
    if (this.#pullers.size === 0) return;
    const tasks = await this.#api.tasks({ label: [this.#label] }, signal);
    const hosts = await this.#hosts.all();
    const byService = Map.groupBy(tasks, ({ ServiceID }) => ServiceID);
    for (const puller of this.#pullers.values()) {
      const byHost = Map.groupBy(byService.get(puller.service) ?? [], ({ NodeID = '' }) => NodeID);
      puller.hosts = [...byHost]
        .flatMap(([id, ofHost]) => {
          const [host, last] = [hosts.get(id), newest(ofHost)];
          return host === undefined || last === undefined ? [] : [hostImage(host.name, last)];
        })
        .sort((a, b) => (a.host < b.host ? -1 : 1));
    }
  }

  /** Removes what brings images that nothing is made of any more. */
  async trim(runs: readonly SwarmRun[], signal: AbortSignal): Promise<void> {
    const used = new Set(runs.map((run) => this.#nameOf(run)));
    const found: Service[] = await this.#api.services({ label: [this.#label] }, signal);
    for (const { ID, Spec } of found) {
      if (used.has(Spec.Name)) continue;
      this.#pullers.delete(Spec.Name);
      await this.#api.remove(ID, signal);
    }
  }

  get #label(): string {
    return `${labels.images}=${this.#instance}`;
  }

  #nameOf({ image, constraints }: SwarmRun): string {
    return fitting(`pilotlight-${this.#instance}-image`, `-${canonicalHash({ image, constraints })}`);
  }

  #spec(name: string, run: SwarmRun, pinned: string, force: number): ServiceSpec {
    const own = { [labels.images]: this.#instance };
    return {
      Name: name,
      Labels: own,
      TaskTemplate: {
        ContainerSpec: { Image: pinned, Labels: own, Command: [NO_PROGRAM], Init: false },
        Placement: { Constraints: run.constraints },
        RestartPolicy: { Condition: 'none' },
        ForceUpdate: force,
      },
      Mode: { Global: {} },
      UpdateConfig: { Parallelism: 0, FailureAction: 'continue' },
      EndpointSpec: { Mode: 'dnsrr' },
    };
  }
}

/** How far a host is: a task that comes as far as to start has its image. */
export function hostImage(host: string, task: Task): HostImage {
  const { State, Err = '' } = task.Status;
  if (State === 'rejected') return { host, state: 'missing', detail: Err.split('\n', 1)[0] ?? '' };
  return { host, state: phaseOf(task) === 'waiting' && State !== 'starting' ? 'pulling' : 'there' };
}
