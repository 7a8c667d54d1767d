import { z } from 'zod';
import { shorthands } from '../option/shorthand.ts';
import { aboutOf, child, core, valueTypeOf } from '../option/walk.ts';
import { configSchema } from '../schema/config.ts';

type Json = Record<string, unknown>;

/** The JSON Schema (draft 2020-12) of a configuration file as it is written: for editors. */
export function jsonSchema(): Json {
  const { $schema, ...rest } = toJson(configSchema);
  // A place for anchors.
  return { $schema, title: 'Pilotlight configuration', ...rest, patternProperties: { '^x-': {} } };
}

function toJson(schema: z.core.$ZodType): Json {
  return z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => describe(zodSchema, jsonSchema as Json),
  }) as Json;
}

function describe(schema: z.core.$ZodType, json: Json): void {
  const type = valueTypeOf(schema);
  const about = aboutOf(schema);
  if (type !== undefined) Object.assign(json, type.json);
  const long = shorthands.get(schema);
  if (long !== undefined) {
    const { $schema, ...section } = toJson(long.section);
    json['anyOf'] = [long.json ?? (long.key && valueTypeOf(child(long.section, long.key))?.json) ?? {}, section];
  }
  if (about === undefined) return;
  // A section that is left out is as an empty one.
  if (schema instanceof z.ZodDefault) {
    const { default: _settings, ...rest } = json;
    replace(json, { default: {}, ...rest });
  }
  json['description'] = [about.about, ...sentences(type?.unit, about.literal ? undefined : about.fallback)].join(' ');
  if (about.literal && type !== undefined) json['default'] = defaultValue(json, about.fallback as string);
  if (about.shorthand !== undefined && core(schema) instanceof z.ZodObject && json['anyOf'] === undefined) {
    const { description, default: fallback, ...section } = json;
    replace(json, { default: fallback, description, anyOf: [{ const: about.shorthand }, section] });
  }
}

/** Puts the keys of another in the place of all those of an object. */
function replace(json: Json, by: Json): void {
  for (const key of Object.keys(json)) delete json[key];
  Object.assign(json, by);
}

function sentences(unit: string | undefined, fallback: string | undefined): string[] {
  return [unit ? `Unit: ${unit}.` : '', fallback === undefined ? '' : `Default: ${fallback}.`].filter(Boolean);
}

/** A default as JSON where the option takes a number or a truth value, else as text. */
function defaultValue(json: Json, fallback: string): unknown {
  const types = [json['type']].flat();
  const isSwitch = fallback === 'true' || fallback === 'false';
  if (isSwitch && (types.includes('boolean') || fallback === 'false')) return fallback === 'true';
  const numeric = (types.includes('integer') || types.includes('number')) && /^\d+(\.\d+)?$/.test(fallback);
  return numeric ? Number(fallback) : fallback;
}
