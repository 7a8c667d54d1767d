import { z } from 'zod';
import { list, mapping, option, optional, options, required, section } from '../option/option.ts';
import { choice, decimal, flag, integer, parsed, size, text } from '../option/value-types.ts';
import { commandWords, readVolume } from './run-docker.ts';
import { stop, variables } from './run-options.ts';

const resources = (about: string) =>
  section(
    {
      memory: optional(size(6 * 2 ** 20, '6MiB, which is what Docker asks for'), 'Memory.', 'none'),
      cpus: optional(decimal('CPUs', 1024), 'CPUs.', 'none'),
    },
    about,
  );

const name = text({ pattern: /^[A-Za-z0-9][A-Za-z0-9_.-]*$/, expected: 'a name' });

/** `services.<name>.run.swarm`. */
export const swarmRun = options(
  {
    image: required(text({ pattern: /^\S+$/, expected: 'an image name' }), 'Image to make replicas of.'),
    port: required(integer('', 1, 65_535), 'Port in the container that speaks HTTP.'),
    reach: option(
      choice('host', 'overlay'),
      'host',
      'How replicas are dialled. `host`: at a free port of the host that each runs on. `overlay`: at their own addresses ' +
        'in the first of `networks`, of which the machine of Pilotlight has to be a part.',
    ),
    env: variables('Environment variables.'),
    command: commandWords('Command, as a list of words.'),
    entrypoint: commandWords('Entry point, as a list of words.'),
    user: optional(text(), 'User, or user:group.', "the image's own"),
    workdir: optional(
      text({ pattern: /^\//, expected: 'an absolute path' }),
      'Working directory in the container.',
      "the image's own",
    ),
    constraints: list(
      text({ pattern: /^[\w.-]+\s*(==|!=)\s*\S+$/, expected: 'a constraint such as node.labels.disk==ssd' }),
      'Hosts that may run it, such as `node.labels.disk==ssd`: all constraints have to hold.',
    ),
    spread: optional(
      text({ pattern: /^(node|engine)\.labels\.\S+$/, expected: 'a label such as node.labels.zone' }),
      'A label of hosts, such as `node.labels.zone`, over whose values replicas are spread before they are over hosts.',
      'over hosts alone',
    ),
    limits: resources('What a replica may take.'),
    reserve: resources('What a host has to have left for a replica to be placed there.'),
    networks: list(name, 'Overlay networks to join.'),
    volumes: list(
      parsed(
        'source:target[:ro]',
        'source:target or source:target:ro, both absolute, or a name as the source',
        (given) => (given.startsWith('.') ? undefined : readVolume(given)),
      ),
      'Volumes and bind mounts of the host that it runs on.',
    ),
    secrets: list(name, "The swarm's secrets that it gets, by name, each as `/run/secrets/NAME`."),
    configs: mapping(
      z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, 'expected a name'),
      text({ pattern: /^\//, expected: 'an absolute path' }),
      "The swarm's configs that it gets, by name, and where in the container.",
    ),
    labels: mapping(
      z.string().regex(/^(?!pilotlight\.)./, 'labels that start with "pilotlight." are Pilotlight\'s own'),
      text({ keepsEmpty: true }),
      'Further labels of its containers.',
    ),
    readOnly: option(flag(), 'false', 'Mounts the root file system read-only.'),
    stop: stop(),
  },
  (given) => ({ runtime: 'swarm', kind: 'swarm', ...given }) as const,
);
