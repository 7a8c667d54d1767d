import { z } from 'zod';
import type { Path } from '../read/path.ts';
import { type About, abouts, insteads, operatorsOnly } from './option.ts';
import { shorthands } from './shorthand.ts';
import { type ValueType, valueTypes } from './value-types.ts';

const layersOf = new WeakMap<z.core.$ZodType, readonly z.core.$ZodType[]>();

/** A schema and everything it wraps (default, optional, transformed), outermost first; worked out once for each. */
function layers(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
  let all = layersOf.get(schema);
  if (all === undefined) {
    all = unwrapped(schema);
    layersOf.set(schema, all);
  }
  return all;
}

function unwrapped(schema: z.core.$ZodType): z.core.$ZodType[] {
  const all = [schema];
  for (let next: z.core.$ZodType | undefined = schema; next !== undefined; ) {
    const long = shorthands.get(next);
    if (long !== undefined) next = long.section;
    else if (next instanceof z.ZodDefault || next instanceof z.ZodPrefault || next instanceof z.ZodOptional) {
      next = next.def.innerType;
    } else if (next instanceof z.ZodPipe) next = next.def.in;
    else next = undefined;
    if (next !== undefined) all.push(next);
  }
  return all;
}

/** The object, record, array or plain schema inside the wrappers. */
export function core(schema: z.core.$ZodType): z.core.$ZodType {
  return layers(schema).at(-1) as z.core.$ZodType;
}

/** What a registry knows of a schema, or of one that it wraps. */
function known<Known>(registry: { get(schema: z.core.$ZodType): Known | undefined }, schema: z.core.$ZodType) {
  for (const layer of layers(schema)) {
    const entry = registry.get(layer);
    if (entry !== undefined) return entry;
  }
  return undefined;
}

/** What an option takes; undefined for sections and lists. */
export function valueTypeOf(schema: z.core.$ZodType | undefined): ValueType | undefined {
  return schema && known(valueTypes, schema);
}

/** What an option or section is for. */
export function aboutOf(schema: z.core.$ZodType | undefined): About | undefined {
  return schema && known(abouts, schema);
}

/** What there is instead of a key that a section does not have; undefined where nothing is known of it. */
export function insteadOf(schema: z.core.$ZodType | undefined, key: string): string | undefined {
  const instead = schema && known(insteads, schema);
  return instead !== undefined && Object.hasOwn(instead, key) ? instead[key] : undefined;
}

/** The schema of one key or list item; undefined where there is none. */
export function child(schema: z.core.$ZodType, step: string | number): z.core.$ZodType | undefined {
  const inner = core(schema);
  if (inner instanceof z.ZodObject) return Object.hasOwn(inner.shape, step) ? inner.shape[step] : undefined;
  if (inner instanceof z.ZodRecord) return inner.valueType;
  return inner instanceof z.ZodArray ? inner.element : undefined;
}

/** The schema at a path; undefined where there is none. */
export function schemaAt(schema: z.core.$ZodType, path: Path): z.core.$ZodType | undefined {
  let at: z.core.$ZodType | undefined = schema;
  for (const step of path) at = at && child(at, step);
  return at;
}

/** The schema of an option by its keys alone: places of lists are left out. */
export function optionAt(schema: z.core.$ZodType, keys: readonly string[]): z.core.$ZodType | undefined {
  let at: z.core.$ZodType | undefined = schema;
  for (const key of keys) at = at && child(itemOf(at), key);
  return at;
}

/** What a list is of; anything else is itself. */
function itemOf(schema: z.core.$ZodType): z.core.$ZodType {
  const inner = core(schema);
  return inner instanceof z.ZodArray ? itemOf(inner.element as z.core.$ZodType) : schema;
}

/** Whether an option is the operator's alone: it is marked so, or reads files of the host. */
export function isForOperators(schema: z.core.$ZodType): boolean {
  return layers(schema).some((layer) => operatorsOnly.has(layer)) || valueTypeOf(schema)?.resolve !== undefined;
}

/** The keys that a section knows; none for anything else. */
export function keysOf(schema: z.core.$ZodType | undefined): string[] {
  const inner = schema && core(schema);
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}

/**
 * The value without what was left empty: a key of a section that has no value counts as not given, so that its default
 * holds. An empty value of a free mapping (a variable, a label) is the empty text.
 */
export function prune(schema: z.core.$ZodType, value: unknown): unknown {
  const inner = core(schema);
  if (Array.isArray(value)) {
    return inner instanceof z.ZodArray ? value.map((item) => prune(inner.element, item)) : value;
  }
  if (typeof value !== 'object' || value === null) return value;
  const kept: Record<string, unknown> = Object.create(null);
  for (const [key, item] of Object.entries(value)) {
    const schemaOfKey = child(inner, key);
    const type = valueTypeOf(schemaOfKey);
    if (schemaOfKey === undefined) kept[key] = item;
    else if (inner instanceof z.ZodRecord && type?.keepsEmpty) kept[key] = item ?? '';
    else if (inner instanceof z.ZodRecord || !(item === null || (item === '' && !type?.keepsEmpty))) {
      kept[key] = prune(schemaOfKey, item);
    }
  }
  return kept;
}
