import { createHash } from 'node:crypto';
import type { ReplicaSpec } from '../../model/runtime.ts';
import type { SwarmRun } from './settings.ts';

/**
 * The labels by which a service of a swarm, and its tasks, are known as ours. Others than those of containers, which an
 * engine of the swarm may run for us as well.
 */
export const labels = {
  instance: 'pilotlight.swarm.instance',
  service: 'pilotlight.swarm.service',
  ordinal: 'pilotlight.swarm.replica',
  hash: 'pilotlight.swarm.hash',
  port: 'pilotlight.swarm.port',
  reach: 'pilotlight.swarm.reach',
  /** On what brings an image to the hosts: for which instance. */
  images: 'pilotlight.swarm.images',
} as const;

/** The parts of a service's spec that are written. */
export interface ServiceSpec {
  Name: string;
  Labels: Record<string, string>;
  TaskTemplate: {
    ContainerSpec: Record<string, unknown> & { Image: string };
    Networks?: { Target: string }[];
    Resources?: object;
    Placement?: object;
    RestartPolicy: { Condition: 'none' };
    LogDriver?: object;
    ForceUpdate: number;
  };
  Mode: { Replicated?: { Replicas: number }; Global?: object };
  UpdateConfig?: object;
  EndpointSpec: { Mode: 'dnsrr'; Ports?: object[] };
}

/** Whose replica a task is. */
export interface Owner {
  service: string;
  ordinal: number;
  hash: string;
  port: number;
  reach: SwarmRun['reach'];
}

/** A secret or a config. */
export interface Named {
  ID: string;
  Spec: { Name: string };
}

/** What the swarm knows by other names than the configuration. */
export interface Resolved {
  /** With its digest, where a registry told it. */
  image: string;
  secrets: readonly Named[];
  configs: readonly Named[];
}

/** Longest name that Swarm takes. */
const LONGEST_NAME = 63;

/** The name of the service that is one replica. */
export function serviceName({ instance, service, ordinal }: ReplicaSpec): string {
  return fitting(`pilotlight-${instance}-${service}`, `-${ordinal}`);
}

/** A name that is too long is cut, and told apart by a hash. */
export function fitting(start: string, end: string): string {
  if (start.length + end.length <= LONGEST_NAME) return start + end;
  const hash = createHash('sha256').update(start).digest('hex').slice(0, 8);
  return `${start.slice(0, LONGEST_NAME - end.length - hash.length - 1)}-${hash}${end}`;
}

/** Whose replica the labels say a task is; undefined unless it belongs to this instance. */
export function ownerOf(own: Readonly<Record<string, string>> | undefined, instance: string): Owner | undefined {
  const service = own?.[labels.service];
  const [ordinal, port] = [Number(own?.[labels.ordinal]), Number(own?.[labels.port])];
  if (own?.[labels.instance] !== instance || service === undefined) return undefined;
  if (!Number.isSafeInteger(ordinal) || !Number.isSafeInteger(port)) return undefined;
  const reach = own[labels.reach] === 'overlay' ? 'overlay' : 'host';
  return { service, ordinal, port, hash: own[labels.hash] ?? '', reach };
}

/** A service of so many replicas. @param force differs from the one before: tasks of the same spec are made anew */
export function serviceSpec(
  spec: ReplicaSpec,
  run: SwarmRun,
  { image, secrets, configs }: Resolved,
  { replicas, force }: { replicas: 0 | 1; force: number },
): ServiceSpec {
  const own = {
    [labels.instance]: spec.instance,
    [labels.service]: spec.service,
    [labels.ordinal]: String(spec.ordinal),
    [labels.hash]: spec.hash,
    [labels.port]: String(run.port),
    [labels.reach]: run.reach,
  };
  return {
    Name: serviceName(spec),
    Labels: own,
    TaskTemplate: {
      ContainerSpec: {
        Image: image,
        Labels: { ...run.labels, ...own },
        Command: run.entrypoint,
        Args: run.command,
        Env: Object.entries(run.env).map(([name, value]) => `${name}=${value}`),
        User: run.user,
        Dir: run.workdir,
        Mounts: run.volumes.map(mountOf),
        ReadOnly: run.readOnly,
        // As process 1 an app without a handler does not even see SIGTERM.
        Init: true,
        StopSignal: run.stop.signal,
        StopGracePeriod: Math.round(run.stop.graceMs * 1e6),
        Secrets: secrets.map(({ ID, Spec }) => ({ SecretID: ID, SecretName: Spec.Name, File: fileAt(Spec.Name) })),
        Configs: configs.map(({ ID, Spec }) => ({
          ConfigID: ID,
          ConfigName: Spec.Name,
          File: fileAt(run.configs[Spec.Name] ?? `/${Spec.Name}`),
        })),
      },
      Networks: run.networks.map((Target) => ({ Target })),
      Resources: { Limits: resources(run.limits), Reservations: resources(run.reserve) },
      Placement: {
        Constraints: run.constraints,
        Preferences: run.spread === undefined ? [] : [{ Spread: { SpreadDescriptor: run.spread } }],
      },
      // Restarts are our business, and logs must not fill the disk.
      RestartPolicy: { Condition: 'none' },
      LogDriver: { Name: 'json-file', Options: { 'max-size': '1m', 'max-file': '2' } },
      ForceUpdate: force,
    },
    Mode: { Replicated: { Replicas: replicas } },
    // A task on a host that is lost is not waited for.
    UpdateConfig: { Parallelism: 0, Order: 'start-first', FailureAction: 'continue' },
    EndpointSpec: {
      // No virtual address: nobody but us is to reach it.
      Mode: 'dnsrr',
      Ports: run.reach === 'host' ? [{ Protocol: 'tcp', TargetPort: run.port, PublishMode: 'host' }] : [],
    },
  };
}

function resources({ memory, cpus }: SwarmRun['limits']): object {
  return {
    ...(memory !== undefined && { MemoryBytes: memory }),
    ...(cpus !== undefined && { NanoCPUs: Math.round(cpus * 1e9) }),
  };
}

function mountOf(volume: string): object {
  const [Source = '', Target = '', mode = ''] = volume.split(':');
  return { Type: Source.startsWith('/') ? 'bind' : 'volume', Source, Target, ReadOnly: mode.split(',').includes('ro') };
}

/** Readable for everybody in the container, as Swarm's own client has it. */
function fileAt(name: string): object {
  return { Name: name, UID: '0', GID: '0', Mode: 0o444 };
}
