import { resolve } from 'node:path';
import { z } from 'zod';
import { list, mapping, option, optional, options, required } from '../option/option.ts';
import { choice, decimal, flag, integer, parsed, type Reading, size, text } from '../option/value-types.ts';
import { stop, variables } from './run-options.ts';

/** Docker bind syntax, source:target[:options]. The source is an absolute or `./` path, or a volume's name. */
export function readVolume(text: string): Reading<string> {
  const match = /^(\.{0,2}\/[^:]*|[A-Za-z0-9][A-Za-z0-9_.-]*):(\/[^:]*)(?::([a-zA-Z,]+))?$/.exec(text);
  return match === null ? undefined : { value: text };
}

function resolveVolume(volume: string, folder: string): string {
  if (!volume.startsWith('.')) return volume;
  const colon = volume.indexOf(':');
  return resolve(folder, volume.slice(0, colon)) + volume.slice(colon);
}

export const commandWords = (about: string) =>
  optional(z.array(text({ keepsEmpty: true })).min(1, 'expected at least one word'), about, "the image's own");

/** `services.<name>.run.docker`. */
export const dockerRun = options(
  {
    image: optional(text({ pattern: /^\S+$/, expected: 'an image name' }), 'Image to make replicas of.'),
    container: optional(
      text({ pattern: /^[A-Za-z0-9][A-Za-z0-9_.-]*$/, expected: "a container's name or id" }),
      'Instead of an image: an existing container, started and stopped, never created or removed. Takes only `port`, `standby` and `stop` beside it.',
    ),
    port: required(integer('', 1, 65_535), 'Port in the container that speaks HTTP.'),
    env: variables('Environment variables.'),
    memory: optional(size(6 * 2 ** 20, '6MiB, which is what Docker asks for'), 'Memory limit.', 'none'),
    cpus: optional(decimal('CPUs', 1024), 'CPU limit.', 'none'),
    command: commandWords('Command, as a list of words.'),
    entrypoint: commandWords('Entry point, as a list of words.'),
    user: optional(text(), 'User, or user:group.', "the image's own"),
    workdir: optional(
      text({ pattern: /^\//, expected: 'an absolute path' }),
      'Working directory in the container.',
      "the image's own",
    ),
    volumes: list(
      parsed(
        'source:target[:ro]',
        'source:target or source:target:ro, with an absolute target',
        readVolume,
        undefined,
        { resolve: resolveVolume },
      ),
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
      choice('auto', 'paused', 'created', 'none'),
      'created',
      '`created`: containers are created ahead, a wake only starts one. `none`: created at the wake, removed at the stop. ' +
        '`paused`: as `created`, and an idle one is paused in place of stopped: it keeps its memory, and a wake takes ' +
        'milliseconds. `auto`: paused for as long as that pays, then stopped; see [Recycling](recycling.md#standby). An ' +
        'existing container is never removed: `none` means nothing there.',
    ),
    stop: stop(),
  },
  ({ image, container, port, stop, ...rest }) => {
    if (container === undefined) {
      // Without either the check refuses it.
      return { runtime: 'docker', kind: 'docker', image: image ?? '', port, ...rest, stop } as const;
    }
    const { standby } = rest;
    const run = { runtime: 'docker', kind: 'docker-container', container, port, stop } as const;
    // It is there anyway.
    return standby === 'created' ? run : { ...run, standby };
  },
);
