import { resolve } from 'node:path';
import { z } from 'zod';
import type { RunSettings, StopSettings } from '../../model/settings.ts';
import {
  choice,
  decimal,
  duration,
  flag,
  integer,
  list,
  mapping,
  option,
  optional,
  parsed,
  required,
  section,
  size,
  text,
} from '../option/options.ts';
import { readSignal, readVolume } from './readers.ts';

const stop = () =>
  section(
    {
      signal: option(parsed('signal', 'a signal', readSignal), 'SIGTERM', 'Asks the replica to end.'),
      grace: option(duration(0), '10s', 'From the signal to the kill.'),
    },
    'How a replica is stopped.',
  );

const words = (about: string) =>
  optional(z.array(text({ keepsEmpty: true })).min(1, 'expected at least one word'), about, "the image's own");

const variables = (about: string) =>
  mapping(
    z.string().regex(/^[^=\0]+$/, 'expected a variable name'),
    text({ expected: 'a text', secret: true, keepsEmpty: true }),
    about,
  );

const dockerSchema = z.strictObject({
  image: optional(text({ pattern: /^\S+$/, expected: 'an image name' }), 'Image to make replicas of.'),
  container: optional(
    text({ pattern: /^[A-Za-z0-9][A-Za-z0-9_.-]*$/, expected: "a container's name or id" }),
    'Instead of an image: an existing container, started and stopped, never created or removed. Takes only `port` and `stop` beside it.',
  ),
  port: required(integer('', 1, 65_535), 'Port in the container that speaks HTTP.'),
  env: variables('Environment variables.'),
  memory: optional(size(6 * 2 ** 20, '6MiB, which is what Docker asks for'), 'Memory limit.', 'none'),
  cpus: optional(decimal('CPUs', 1024), 'CPU limit.', 'none'),
  command: words('Command, as a list of words.'),
  entrypoint: words('Entry point, as a list of words.'),
  user: optional(text(), 'User, or user:group.', "the image's own"),
  workdir: optional(
    text({ pattern: /^\//, expected: 'an absolute path' }),
    'Working directory in the container.',
    "the image's own",
  ),
  volumes: list(
    parsed('source:target[:ro]', 'source:target or source:target:ro, with an absolute target', readVolume),
    "Volumes and bind mounts. A source that starts with `./` or `../` counts from this file's folder; a path that does not exist fails the start.",
  ),
  networks: list(text(), "Networks to join; empty: the engine's default bridge."),
  labels: mapping(
    z.string().regex(/^(?!pilotlight\.)./, 'labels that start with "pilotlight." are Pilotlight\'s own'),
    text({ keepsEmpty: true }),
    'Further labels.',
  ),
  readOnly: option(flag(), 'false', 'Mounts the root file system read-only.'),
  standby: option(
    choice('created', 'none'),
    'created',
    '`created`: containers are created ahead, a wake only starts one. `none`: created at the wake, removed at the stop.',
  ),
  stop: stop(),
});

const processSchema = z.strictObject({
  command: required(
    z.array(text({ keepsEmpty: true })).min(1, 'expected at least one word'),
    "Program and arguments, as a list of words. `{port}` is replaced by the replica's port.",
  ),
  cwd: option(text(), '.', "Working directory. A relative one counts from this file's folder."),
  env: variables('Added to a minimal environment. `{port}` is replaced.'),
  stop: stop(),
});

/** `services.<name>.run`. */
export const runSchema = optional(
  z.strictObject({
    docker: optional(dockerSchema, 'Replicas are Docker containers.'),
    process: optional(processSchema, 'Replicas are processes of this machine.'),
  }),
  'How to start a replica: `docker` or `process`. Without it Pilotlight only routes to the service.',
);

type RunConfig = NonNullable<z.infer<typeof runSchema>>;
type DockerConfig = NonNullable<RunConfig['docker']>;
type ProcessConfig = NonNullable<RunConfig['process']>;

/** What becomes of replicas when the proxy ends, where the service does not say: processes are its children. */
export function onExitOf(run: RunConfig | undefined): 'stop' | 'keep' {
  return run?.process === undefined ? 'keep' : 'stop';
}

/**
 * How replicas are started.
 * @param folder of the configuration file: what relative paths count from
 */
export function runSettings({ docker, process }: RunConfig, folder: string): RunSettings {
  return docker === undefined ? processRun(process as ProcessConfig, folder) : dockerRun(docker, folder);
}

export function processRun(run: ProcessConfig, folder: string) {
  const { command, cwd, env } = run;
  return {
    runtime: 'process',
    kind: 'process',
    command,
    cwd: resolve(folder, cwd),
    env,
    stop: stopSettings(run.stop),
  } as const;
}

export function dockerRun(docker: DockerConfig, folder: string) {
  const { image, container, port } = docker;
  if (container !== undefined) {
    return { runtime: 'docker', kind: 'docker-container', container, port, stop: stopSettings(docker.stop) } as const;
  }
  return {
    runtime: 'docker',
    kind: 'docker',
    image: image as string,
    port,
    env: docker.env,
    memory: docker.memory,
    cpus: docker.cpus,
    command: docker.command,
    entrypoint: docker.entrypoint,
    user: docker.user,
    workdir: docker.workdir,
    volumes: docker.volumes.map((volume) => (volume.startsWith('.') ? absoluteSource(volume, folder) : volume)),
    networks: docker.networks,
    labels: docker.labels,
    readOnly: docker.readOnly,
    standby: docker.standby,
    stop: stopSettings(docker.stop),
  } as const;
}

function absoluteSource(volume: string, folder: string): string {
  const colon = volume.indexOf(':');
  return resolve(folder, volume.slice(0, colon)) + volume.slice(colon);
}

function stopSettings({ signal, grace }: { signal: string; grace: number }): StopSettings {
  return { signal, graceMs: grace };
}
