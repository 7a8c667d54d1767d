import type Docker from 'dockerode';
import { PilotlightError } from '../../model/errors.ts';
import type { ReplicaSpec } from '../../model/runtime.ts';
import { unlessAborted } from '../../util/abort.ts';
import { SingleFlight } from '../../util/single-flight.ts';
import { type DockerEngine, limits } from '../engine.ts';
import { isOwnNetwork, isPublished, type Reach } from './address.ts';
import { containerBody, containerName, ownerFromLabels, wantsInit } from './container.ts';
import { isInitMissing, isPositionGone } from './errors.ts';
import { stateOf } from './instance.ts';
import type { ImageRun } from './settings.ts';

/** Shared work goes on when one of those who wait for it gives up; each of its calls is bounded in time. */
const NEVER = new AbortController().signal;

/** Modes of networking in which a container has no port of its own to publish. */
const UNPUBLISHED = /^(host|none|container:.*)$/;

/** Creates the containers of replicas ahead of their start, and replaces those that are out of date. */
export class DockerPositions {
  readonly #engine: DockerEngine;
  readonly #reach: Reach;
  readonly #instance: string;
  readonly #flights = new SingleFlight<string, Docker.ContainerInspectInfo>();
  /** Whether the engine has an init to put before apps; known to be missing only once a start failed of it. */
  #init: 'expected' | 'missing' = 'expected';

  constructor(engine: DockerEngine, reach: Reach, instance: string) {
    this.#engine = engine;
    this.#reach = reach;
    this.#instance = instance;
  }

  /**
   * The container of the replica, created if there is none. One that runs is left alone whatever it is; another one is
   * replaced if it is out of date: `thorough` also compares its image with what the name stands for now.
   * @throws IMAGE_MISSING; RUNTIME_FAILED, among others where a container that is not ours has the name
   */
  async ensure(
    spec: ReplicaSpec,
    run: ImageRun,
    thorough: boolean,
    signal: AbortSignal,
  ): Promise<Docker.ContainerInspectInfo> {
    signal.throwIfAborted();
    const name = containerName(spec);
    return unlessAborted(
      this.#flights.run(name, () => this.#ensure(name, spec, run, thorough)),
      signal,
    );
  }

  /** Whether a new container may start where this one failed to. */
  canRepair(failure: PilotlightError): boolean {
    if (isInitMissing(failure)) {
      this.#init = 'missing';
      return true;
    }
    return isPositionGone(failure);
  }

  async #ensure(
    name: string,
    spec: ReplicaSpec,
    run: ImageRun,
    thorough: boolean,
  ): Promise<Docker.ContainerInspectInfo> {
    const found = await this.#engine.inspect(name, NEVER);
    if (found === undefined) return this.#create(name, spec, run);
    const owner = ownerFromLabels(found.Config.Labels, this.#instance);
    if (owner === undefined) {
      throw new PilotlightError('RUNTIME_FAILED', `the name ${name} is taken by a container that is not ours`);
    }
    const state = stateOf(found);
    if (state === 'running' || state === 'paused') return found;
    const current =
      owner.hash === spec.hash &&
      !(run.standby === 'none' && state === 'stopped') &&
      !(this.#reach.mode === 'host' && !isPublished(found, run.port) && !this.#isUnpublished(run)) &&
      !(thorough && (await this.#isImageChanged(found, run)));
    if (current) return found;
    await this.#engine.remove(found.Id, NEVER);
    return this.#create(name, spec, run);
  }

  async #create(name: string, spec: ReplicaSpec, run: ImageRun): Promise<Docker.ContainerInspectInfo> {
    const { Config } = await this.#image(run.image);
    const image = { entrypoint: listOf(Config?.Entrypoint), command: listOf(Config?.Cmd) };
    const init = this.#init === 'expected' && wantsInit(run, image);
    const body = containerBody(spec, run, { publish: await this.#publishes(run), init });
    const { id } = await this.#engine.call(limits.act, NEVER, (docker, abortSignal) =>
      // Without the underscored keys the library would put all of it, the environment too, into the address.
      docker.createContainer({ _query: { name }, _body: body, abortSignal } as Docker.ContainerCreateOptions),
    );
    try {
      for (const network of run.networks.slice(1)) await this.#connect(id, network);
    } catch (thrown) {
      await this.#engine.remove(id, NEVER);
      throw thrown;
    }
    const created = await this.#engine.inspect(id, NEVER);
    if (created === undefined) throw new PilotlightError('CONTAINER_MISSING', `${name} was removed by someone else`);
    return created;
  }

  #image(name: string): Promise<Docker.ImageInspectInfo> {
    return this.#engine.call(limits.ask, NEVER, (docker, abortSignal) =>
      docker.getImage(name).inspect({ abortSignal } as Docker.ImageInspectOptions),
    );
  }

  #connect(id: string, network: string): Promise<void> {
    return this.#engine.call(limits.act, NEVER, (docker, abortSignal) =>
      docker.getNetwork(network).connect({ Container: id, abortSignal } as Docker.NetworkConnectOptions),
    );
  }

  /** An image that was untagged meanwhile can still be started from. */
  async #isImageChanged(found: Docker.ContainerInspectInfo, run: ImageRun): Promise<boolean> {
    try {
      return (await this.#image(run.image)).Id !== found.Image;
    } catch (thrown) {
      if (thrown instanceof PilotlightError && thrown.code === 'IMAGE_MISSING') return false;
      throw thrown;
    }
  }

  async #publishes(run: ImageRun): Promise<boolean> {
    if (this.#reach.mode === 'container' || this.#isUnpublished(run)) return false;
    if (this.#reach.mode === 'host') return true;
    const name = run.networks[0] ?? 'bridge';
    const network = await this.#engine.call(limits.ask, NEVER, (docker) => docker.getNetwork(name).inspect());
    const subnets = (network.IPAM?.Config ?? []).map(({ Subnet }) => Subnet ?? '');
    return !subnets.some((subnet) => isOwnNetwork(subnet, this.#reach));
  }

  #isUnpublished(run: ImageRun): boolean {
    return UNPUBLISHED.test(run.networks[0] ?? 'bridge');
  }
}

function listOf(command: string | string[] | null | undefined): string[] {
  return typeof command === 'string' ? [command] : (command ?? []);
}
