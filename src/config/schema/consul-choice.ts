import { optional } from '../option/option.ts';
import { choice, text, words } from '../option/value-types.ts';

const part = (what: string) =>
  text({ pattern: /^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/, expected: `the name of a ${what}: letters, digits and "-"` });

/**
 * Which instances of a service in Consul are chosen: for one service, or for all that do not say otherwise.
 * @param otherwise what holds where it is not given
 */
export function consulChoice(otherwise: (usual: string) => string) {
  return {
    datacenters: optional(
      words('datacenters: [dc1, dc2]', /^[a-z0-9_-]{1,64}$/, 'the name of a datacenter: a-z, 0-9, "_" and "-"'),
      'Datacenters in which it is looked for, the one to be used in front. The first one with a usable instance serves; ' +
        'when it has none any more the next one does at once, and when it has some again, after 10 s in which it always ' +
        'had. While Consul cannot tell of the one that serves, the next one stands by as a backup.',
      otherwise('that of the agent'),
    ),
    tags: optional(words('tags: [live, public]'), 'Only entries with all of these tags.', otherwise('any')),
    filter: optional(
      text({ pattern: /^[^\0]{1,4096}$/s, expected: "an expression of Consul's, such as Service.Meta.version == 2" }),
      'Expression that Consul itself filters entries by, as in the API: `Service.Meta.version == "2" and Node.Meta.rack != a`. ' +
        'One that Consul refuses is a line in the log and in `status`; what was known stays in use.',
      otherwise('none'),
    ),
    namespace: optional(
      part('namespace'),
      'Namespace in which it is looked for (Consul Enterprise).',
      otherwise("the token's"),
    ),
    partition: optional(
      part('partition'),
      'Admin partition in which it is looked for (Consul Enterprise).',
      otherwise("the agent's"),
    ),
    near: optional(
      text({ pattern: /^[A-Za-z0-9_.-]{1,253}$/, expected: '_agent, or the name of a node' }),
      'Node from which Consul measures how far others are; `_agent` is that of the agent. The instances on the nearest node ' +
        'that has a usable one serve, all others are backups.',
      otherwise('all serve alike'),
    ),
    warning: optional(
      choice('use', 'avoid', 'refuse'),
      'What becomes of instances with a check that warns: `use` gives them the share that their `Weights.Warning` says; ' +
        '`avoid` gives them requests only while no other is usable; `refuse` takes them out of use.',
      otherwise('`use`'),
    ),
  };
}

type Given = Readonly<Record<keyof ReturnType<typeof consulChoice>, unknown>>;

/** What was given, and nothing of the rest: most services give nothing. */
export function givenChoice(given: Given): object {
  const { datacenters, tags, ...rest } = given;
  const lists = Object.entries({ datacenters, tags }).map(([key, value]) => [key, value && [value].flat()]);
  return Object.fromEntries([...lists, ...Object.entries(rest)].filter(([, value]) => value !== undefined));
}
