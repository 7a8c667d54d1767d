import { basename } from 'node:path';
import type Docker from 'dockerode';
import type { ReplicaSpec } from '../../model/runtime.ts';
import { mountsOf } from './mounts.ts';
import type { ImageRun } from './settings.ts';

/** The labels by which a container is known as ours; nothing without them is ever removed. */
export const labels = {
  instance: 'pilotlight.instance',
  service: 'pilotlight.service',
  ordinal: 'pilotlight.replica',
  hash: 'pilotlight.hash',
  port: 'pilotlight.port',
  /** `none` on one that is of no use once it ended: the next start makes another. */
  standby: 'pilotlight.standby',
} as const;

/** Whose replica a container is. */
export interface Owner {
  service: string;
  ordinal: number;
  hash: string;
  /** Container port that speaks HTTP. */
  port: number;
}

/** An image's own idea of how to start. */
interface ImageCommand {
  entrypoint: string[];
  command: string[];
}

/** What is decided at creation besides the settings. */
interface CreateChoices {
  /** Publish the port on a free loopback port, a new one at every start. */
  publish: boolean;
  /** Put the engine's init before the app. */
  init: boolean;
}

export function containerName({ instance, service, ordinal }: ReplicaSpec): string {
  return `pilotlight-${instance}-${service}-${ordinal}`;
}

/** Whose replica the labels say a container is; undefined unless it belongs to this instance. */
export function ownerFromLabels(own: Readonly<Record<string, string>> | null, instance: string): Owner | undefined {
  const service = own?.[labels.service];
  const ordinal = Number(own?.[labels.ordinal]);
  const port = Number(own?.[labels.port]);
  if (own?.[labels.instance] !== instance || service === undefined) return undefined;
  if (!Number.isSafeInteger(ordinal) || !Number.isSafeInteger(port)) return undefined;
  return { service, ordinal, port, hash: own[labels.hash] ?? '' };
}

/**
 * Whether to put an init before the app. As process 1 an app without a handler does not even see SIGTERM, and a stop
 * would last the whole grace; but an image with an init of its own (some refuse to be anything but process 1) keeps it.
 */
export function wantsInit(run: ImageRun, image: ImageCommand): boolean {
  const entrypoint = run.entrypoint ?? image.entrypoint;
  const [program = ''] = entrypoint.length > 0 ? entrypoint : (run.command ?? image.command);
  return !/^(init|tini|tini-static|dumb-init|docker-init|catatonit|systemd|runit|s6-.*)$/.test(basename(program));
}

/** The body of the create call. */
export function containerBody(
  spec: ReplicaSpec,
  run: ImageRun,
  { publish, init }: CreateChoices,
): Docker.ContainerCreateOptions {
  const port = portKey(run.port);
  return {
    Image: run.image,
    Env: Object.entries(run.env).map(([name, value]) => `${name}=${value}`),
    Cmd: run.command,
    Entrypoint: run.entrypoint,
    User: run.user,
    WorkingDir: run.workdir,
    ExposedPorts: { [port]: {} },
    StopSignal: run.stop.signal,
    StopTimeout: wholeSeconds(run.stop.graceMs),
    Labels: {
      ...run.labels,
      [labels.instance]: spec.instance,
      [labels.service]: spec.service,
      [labels.ordinal]: String(spec.ordinal),
      [labels.hash]: spec.hash,
      [labels.port]: String(run.port),
      ...(run.standby === 'none' && { [labels.standby]: 'none' }),
    },
    HostConfig: {
      ...mountsOf(run.volumes),
      NetworkMode: run.networks[0],
      PortBindings: publish ? { [port]: [{ HostIp: '127.0.0.1', HostPort: '' }] } : {},
      Memory: run.memory,
      NanoCpus: run.cpus === undefined ? undefined : Math.round(run.cpus * 1e9),
      ReadonlyRootfs: run.readOnly,
      Init: init,
      // Restarts are our business, and logs must neither fill the disk nor go where they cannot be read.
      RestartPolicy: { Name: 'no' },
      LogConfig: { Type: 'json-file', Config: { 'max-size': '1m', 'max-file': '2' } },
    },
  };
}

export function portKey(port: number): string {
  return `${port}/tcp`;
}

/** The engine counts in seconds: rounded up, so that nobody gets less than was promised. */
export function wholeSeconds(ms: number): number {
  return Math.ceil(ms / 1000);
}
