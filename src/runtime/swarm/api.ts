import type Docker from 'dockerode';
import { PilotlightError } from '../../model/errors.ts';
import { limits } from '../engine.ts';
import { statusOf } from '../engine-errors.ts';
import type { Managers } from './managers.ts';
import type { Named, ServiceSpec } from './service-spec.ts';

/** The parts of a service that are read. */
export interface Service {
  ID: string;
  Version: { Index: number };
  Spec: ServiceSpec;
}

/** The parts of a task that are read. */
export interface Task {
  ID: string;
  CreatedAt: string;
  ServiceID: string;
  NodeID?: string;
  DesiredState: string;
  Spec: {
    ForceUpdate?: number;
    ContainerSpec?: { Image?: string; StopSignal?: string; Labels?: Record<string, string> };
  };
  Status: {
    Timestamp: string;
    State: string;
    Message?: string;
    Err?: string;
    ContainerStatus?: { ContainerID?: string; PID?: number; ExitCode?: number };
    PortStatus?: { Ports?: { TargetPort: number; PublishedPort: number }[] };
  };
  NetworksAttachments?: { Network: { ID: string; Spec: { Name: string } }; Addresses?: string[] }[];
}

/** The parts of a host that are read. */
export interface Node {
  ID: string;
  UpdatedAt: string;
  Spec: { Availability: string };
  Description: { Hostname: string };
  Status: { State: string; Addr?: string };
  ManagerStatus?: { Addr?: string };
}

/** What tasks and services are asked for by. */
export type Filters = Readonly<Record<string, readonly string[]>>;

/** What the library's types leave out. */
interface Library {
  listServices(options: object): Promise<Service[]>;
  listTasks(options: object): Promise<Task[]>;
  listNodes(options: object): Promise<Node[]>;
  listSecrets(options: object): Promise<Named[]>;
  listConfigs(options: object): Promise<Named[]>;
  createService(options: object): Promise<{ id: string }>;
  getService(id: string): {
    inspect(options: object): Promise<Service>;
    update(options: object): Promise<unknown>;
    remove(options: object): Promise<unknown>;
  };
  getTask(id: string): { inspect(options: object): Promise<Task>; logs(options: object): Promise<unknown> };
  getImage(name: string): { distribution(options: object): Promise<{ Descriptor?: { digest?: string } }> };
}

/** The calls of a manager's API that are made, of which none does harm where it is made twice: each bounded in time, failing with errors of ours only. */
export class SwarmApi {
  readonly #managers: Managers;

  constructor(managers: Managers) {
    this.#managers = managers;
  }

  get place(): string {
    return this.#managers.place;
  }

  services(filters: Filters, signal: AbortSignal): Promise<Service[]> {
    return this.#call(limits.ask, signal, (docker, abortSignal) => docker.listServices({ filters, abortSignal }));
  }

  /** By its id or name; undefined where there is none. */
  service(ref: string, signal: AbortSignal): Promise<Service | undefined> {
    return this.#unlessMissing(
      this.#call(limits.ask, signal, (docker, abortSignal) => docker.getService(ref).inspect({ abortSignal })),
    );
  }

  /** @returns its id */
  async create(spec: ServiceSpec, signal: AbortSignal): Promise<string> {
    // With the underscored keys no part of it goes into the address.
    const made = await this.#call(limits.act, signal, (docker, abortSignal) =>
      docker.createService({ _query: {}, _body: spec, abortSignal }),
    );
    return made.id;
  }

  /** Gives a service another spec, unless somebody changed it since it was read. */
  async update({ ID, Version }: Service, spec: ServiceSpec, signal: AbortSignal): Promise<void> {
    const options = { _query: { version: Version.Index }, _body: spec };
    await this.#call(limits.act, signal, (docker, abortSignal) =>
      docker.getService(ID).update({ ...options, abortSignal }),
    );
  }

  async remove(id: string, signal: AbortSignal): Promise<void> {
    await this.#unlessMissing(
      this.#call(limits.act, signal, (docker, abortSignal) => docker.getService(id).remove({ abortSignal })),
    );
  }

  tasks(filters: Filters, signal: AbortSignal): Promise<Task[]> {
    return this.#call(limits.ask, signal, (docker, abortSignal) => docker.listTasks({ filters, abortSignal }));
  }

  task(id: string, signal: AbortSignal): Promise<Task | undefined> {
    return this.#unlessMissing(
      this.#call(limits.ask, signal, (docker, abortSignal) => docker.getTask(id).inspect({ abortSignal })),
    );
  }

  /** What a task wrote, as the engine's log has it: undefined where nobody knows it any more. */
  log(id: string, lines: number, signal: AbortSignal): Promise<unknown> {
    const options = { stdout: true, stderr: true, tail: lines, follow: false };
    return this.#unlessMissing(
      this.#call(limits.ask, signal, (docker, abortSignal) => docker.getTask(id).logs({ ...options, abortSignal })),
    );
  }

  nodes(signal: AbortSignal): Promise<Node[]> {
    return this.#call(limits.ask, signal, (docker, abortSignal) => docker.listNodes({ abortSignal }));
  }

  /** The secrets or configs of some names, in their order. @throws RUNTIME_FAILED where one is missing */
  async named(kind: 'secret' | 'config', names: readonly string[], signal: AbortSignal): Promise<Named[]> {
    if (names.length === 0) return [];
    const filters = { name: names };
    const found = await this.#call(limits.ask, signal, (docker, abortSignal) =>
      kind === 'secret' ? docker.listSecrets({ filters, abortSignal }) : docker.listConfigs({ filters, abortSignal }),
    );
    return names.map((name) => {
      const match = found.find(({ Spec }) => Spec.Name === name);
      if (match !== undefined) return match;
      throw new PilotlightError('RUNTIME_FAILED', `there is no ${kind} ${name} in the swarm`);
    });
  }

  /** What a registry has by the name of an image now. @throws where none tells */
  async digest(image: string, limitMs: number, signal: AbortSignal): Promise<string | undefined> {
    // What a registry does not answer, it does not answer to another manager either.
    const found = await this.#managers.once(limitMs, signal, (docker, abortSignal) =>
      libraryOf(docker).getImage(image).distribution({ abortSignal }),
    );
    return found.Descriptor?.digest;
  }

  #call<T>(
    limitMs: number,
    signal: AbortSignal,
    request: (docker: Library, abortSignal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    return this.#managers.call(limitMs, signal, (docker, abortSignal) => request(libraryOf(docker), abortSignal));
  }

  async #unlessMissing<T>(asked: Promise<T>): Promise<T | undefined> {
    try {
      return await asked;
    } catch (thrown) {
      if (statusOf(thrown) === 404) return undefined;
      throw thrown;
    }
  }
}

function libraryOf(docker: Docker): Library {
  return docker as unknown as Library;
}
