import type Docker from 'dockerode';
import type { ContainerFeed, LabelledContainer } from '../../model/containers.ts';
import type { WrittenOptions } from '../../model/declarations.ts';
import { type DockerEngine, limits } from '../engine.ts';
import { labels as own } from './container.ts';

/** So many are asked after at once. */
const AT_ONCE = 8;

/** The containers of an engine that are nobody's replicas, with what their labels say. */
export class DockerContainers implements ContainerFeed {
  readonly #engine: DockerEngine;
  readonly #listeners = new Set<() => void>();
  /** What is known of them, by id: nothing of that changes as long as they are there but their name and networks. */
  #known = new Map<string, Docker.ContainerInspectInfo>();

  constructor(engine: DockerEngine) {
    this.#engine = engine;
  }

  async list(
    isWanted: (labels: Readonly<Record<string, string>>) => boolean,
    signal: AbortSignal,
  ): Promise<LabelledContainer[]> {
    const all = await this.#engine.call(limits.ask, signal, (docker, abortSignal) =>
      docker.listContainers({ all: true, abortSignal }),
    );
    const wanted = all.filter(({ Labels }) => isWanted(Labels ?? {}) && Labels?.[own.instance] === undefined);
    const known = new Map<string, Docker.ContainerInspectInfo>();
    for (let from = 0; from < wanted.length; from += AT_ONCE) {
      const some = wanted.slice(from, from + AT_ONCE);
      const found = await Promise.all(some.map(({ Id }) => this.#known.get(Id) ?? this.#engine.inspect(Id, signal)));
      // One that is gone meanwhile is told of by an event of its own.
      for (const info of found) if (info !== undefined) known.set(info.Id, info);
    }
    this.#known = known;
    return wanted.flatMap((summary) => {
      const info = known.get(summary.Id);
      return info === undefined ? [] : labelled(summary, info);
    });
  }

  follow(onChange: () => void): void {
    this.#listeners.add(onChange);
  }

  /** Something was made, renamed or removed, or may have been. */
  changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

function labelled(summary: Docker.ContainerInfo, { Config, Created }: Docker.ContainerInspectInfo): LabelledContainer {
  // A link adds names of the form /other/alias.
  const name = summary.Names.find((each) => each.lastIndexOf('/') === 0) ?? summary.Names[0] ?? summary.Id;
  return {
    id: summary.Id,
    name: name.replace(/^\//, ''),
    createdAt: Date.parse(Created),
    labels: summary.Labels,
    ports: exposed(Config.ExposedPorts),
    networks: Object.keys(summary.NetworkSettings?.Networks ?? {}).sort(),
    binding: { run: { docker: { container: name.replace(/^\//, ''), ...stopOf(Config) } } },
    portAt: ['run', 'docker', 'port'],
  };
}

/** How it wants to be stopped, where it says so. */
function stopOf(config: object): WrittenOptions {
  const { StopSignal: signal, StopTimeout: seconds } = config as { StopSignal?: string; StopTimeout?: number };
  const stop = { ...(signal ? { signal } : {}), ...(seconds === undefined ? {} : { grace: `${seconds}s` }) };
  return Object.keys(stop).length === 0 ? {} : { stop };
}

function exposed(ports: object | undefined): number[] {
  const numbers = Object.keys(ports ?? {}).flatMap((port) => {
    const [number, protocol] = port.split('/');
    return protocol === 'tcp' ? Number(number) : [];
  });
  return numbers.sort((a, b) => a - b);
}
