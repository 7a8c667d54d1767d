/** What a process was built with, and what of another configuration it can take over. */
import type { ConsulSettings } from './discovery/consul/settings.ts';
import type { Settings } from './model/settings.ts';
import type { DockerSettings } from './runtime/docker/settings.ts';
import type { SwarmSettings } from './runtime/swarm/settings.ts';

/** The settings of runtimes and sources, with the types that those give them. */
interface Parts {
  consul?: ConsulSettings;
  docker?: DockerSettings;
  swarm?: SwarmSettings;
}

export function partsOf({ parts }: Settings): Parts {
  return parts;
}

/** What the next configuration needs and this process was not built with: without it its services could not work. */
export function partsMissing(current: Settings, next: Settings): string[] {
  const missing = Object.keys(next.parts).filter((part) => current.parts[part] === undefined);
  return missing.sort().map((part) => `${part} was not configured when this process started: restart it`);
}

/** The next configuration as far as it can take effect: what the process was built with stays. */
export function whatCanChange(current: Settings, next: Settings): Settings {
  const { accessLog, traces, admin, workers, cluster, state, parts } = current;
  const { consul } = parts as Parts;
  // Asked for at each call.
  const token = consul && { consul: { ...consul, token: partsOf(next).consul?.token } };
  return {
    ...next,
    accessLog,
    traces,
    admin,
    workers,
    cluster,
    state,
    declare: whoDeclares(current, next),
    parts: { ...parts, ...token },
  };
}

/** Of those who may declare services, the ones that this process asks, with the labels that it asks for. */
function whoDeclares({ declare: current }: Settings, { declare: next }: Settings): Settings['declare'] {
  if (current === undefined || next === undefined) return undefined;
  const sources = Object.entries(next.sources).flatMap(([name, source]) => {
    const asked = current.sources[name];
    return asked === undefined ? [] : [[name, { ...source, prefix: asked.prefix }] as const];
  });
  return { ...next, sources: Object.fromEntries(sources) };
}
