import { z } from 'zod';
import { aboutOf, core, valueTypeOf } from '../option/walk.ts';
import { configSchema } from '../schema/config.ts';

/** One option of the reference. */
interface ReferenceRow {
  /** `services.<name>.hold.max`, `listen[].address`. */
  key: string;
  type: string;
  unit: string;
  /** As written in the file, or in words; `required` where there is none. */
  fallback: string;
  about: string;
}

/** Options that belong together, under the section they are in. */
interface ReferenceGroup {
  key: string;
  about: string;
  rows: ReferenceRow[];
}

/** Every section with its options, in the order of the schema. */
export function referenceGroups(): ReferenceGroup[] {
  const groups: ReferenceGroup[] = [{ key: '', about: '', rows: [] }];
  visit(configSchema, '', groups[0] as ReferenceGroup, groups);
  return groups.filter(({ rows }) => rows.length > 0);
}

function visit(schema: z.core.$ZodType, key: string, group: ReferenceGroup, groups: ReferenceGroup[]): void {
  const inner = core(schema);
  if (!(inner instanceof z.ZodObject)) return;
  for (const [name, option] of Object.entries(inner.shape)) {
    const path = key === '' ? name : `${key}.${name}`;
    const about = aboutOf(option);
    const below = sectionBelow(option, path);
    // The options of `defaults` are those of a service: they are told once, there.
    if (below === undefined || path === 'defaults') {
      group.rows.push(row(option, path));
      continue;
    }
    const next: ReferenceGroup = { key: below.key, about: about?.about ?? '', rows: [] };
    groups.push(next);
    visit(below.schema, below.key, next, groups);
  }
}

/** The section that an option is, or that its items or values are. */
function sectionBelow(option: z.core.$ZodType, path: string): { schema: z.core.$ZodType; key: string } | undefined {
  const inner = core(option);
  if (inner instanceof z.ZodObject) return { schema: inner, key: path };
  const [item, key] =
    inner instanceof z.ZodArray
      ? [inner.element, `${path}[]`]
      : inner instanceof z.ZodRecord
        ? [inner.valueType, `${path}.<name>`]
        : [undefined, path];
  return item !== undefined && core(item) instanceof z.ZodObject ? { schema: item, key } : undefined;
}

function row(option: z.core.$ZodType, key: string): ReferenceRow {
  const about = aboutOf(option);
  const inner = core(option);
  const item = inner instanceof z.ZodArray ? inner.element : inner instanceof z.ZodRecord ? inner.valueType : undefined;
  const of = valueTypeOf(item)?.name;
  const type = inner instanceof z.ZodArray ? `list of ${of}` : `mapping of name to ${of}`;
  return {
    key,
    type: item === undefined ? (valueTypeOf(option)?.name ?? 'section') : type,
    unit: valueTypeOf(option)?.unit ?? '',
    fallback: about?.required
      ? 'required'
      : (about?.fallback ?? (item === undefined && !valueTypeOf(option) ? '{}' : '')),
    about: about?.about ?? '',
  };
}

const INTRODUCTION = `# Configuration

One YAML file; \`listen\` and \`services\` are required, everything else has a default. It is found at \`-c FILE\`,
\`$PILOTLIGHT_CONFIG\`, \`./pilotlight.yaml\`, \`$XDG_CONFIG_HOME/pilotlight/config.yaml\`,
\`/etc/pilotlight/config.yaml\`. \`pilotlight check\` says what is wrong with it.

- \`\${NAME}\` and \`\${NAME:-default}\` in a value are filled in from the environment (the default also where NAME is
  empty). A variable that is not set and has no default is an error. \`$$\` is a \`$\`.
- Durations are \`250ms\`, \`5s\`, \`2m\`, \`1h\`, \`1d\`; sizes \`100B\`, \`16KiB\`, \`256MiB\`, \`1GiB\` (or KB, MB, GB); shares
  \`10%\` or \`0.1\`.
- Anchors, aliases and merge keys of YAML work: \`x-web: &web { … }\` at the top level (keys that begin with \`x-\` are
  read for nothing else), then \`shop: { <<: *web, routes: […] }\`. A merge adds the keys that are not there, one level
  deep; what holds for all services goes into \`defaults\`, which is merged key by key.
- A value that begins with \`*\`, \`&\`, \`!\`, \`@\`, \`%\`, \`{\` or a backtick goes in quotes: \`host: "*.example.com"\`,
  \`"{port}"\`. Words are words: \`off\` is no \`false\`.
- Unknown keys are refused. A key without a value counts as not given.
- Relative paths count from the folder of the file.
- An annotated file with every option: \`config/reference.yaml\`. Examples: \`config/examples/\`. For editors:
  \`config/schema.json\`.

This page is generated from the schema.
`;

/** The reference as Markdown. */
export function referencePage(): string {
  const parts = [INTRODUCTION];
  for (const group of referenceGroups()) {
    parts.push(`## ${group.key === '' ? 'Top level' : `\`${group.key}\``}\n`);
    if (group.about !== '') parts.push(`${group.about}\n`);
    parts.push(
      [
        '| key | type | unit | default | meaning |',
        '|---|---|---|---|---|',
        ...group.rows.map(({ key, type, unit, fallback, about }) => {
          return `| \`${key.slice(key.lastIndexOf('.') + 1)}\` | ${type} | ${unit} | ${shown(fallback)} | ${about} |`;
        }),
      ].join('\n'),
      '',
    );
  }
  return `${parts.join('\n').trimEnd()}\n`;
}

/** A value that could be written is code; words are words. */
function shown(fallback: string): string {
  return fallback === '' ||
    /[ `]/.test(fallback) ||
    fallback === 'required' ||
    fallback === 'none' ||
    fallback === 'any'
    ? fallback
    : `\`${fallback}\``;
}
