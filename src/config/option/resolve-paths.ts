import { z } from 'zod';
import { child, core, valueTypeOf } from './walk.ts';

const known = new WeakMap<z.core.$ZodType, boolean>();

/**
 * Makes the relative paths in what a schema yielded absolute, in place.
 * @param folder of the file: what they count from
 * @returns the value itself, or the absolute path in its place
 */
export function resolvePaths<Value>(schema: z.core.$ZodType, value: Value, folder: string): Value {
  if (!holdsPaths(schema)) return value;
  if (typeof value === 'string') return (valueTypeOf(schema)?.resolve?.(value, folder) ?? value) as Value & string;
  if (typeof value !== 'object' || value === null) return value;
  const parts = value as Record<string, unknown>;
  for (const key of Object.keys(parts)) {
    const inner = child(schema, key);
    if (inner === undefined) continue;
    const resolved = resolvePaths(inner, parts[key], folder);
    if (resolved !== parts[key]) parts[key] = resolved;
  }
  return value;
}

/** Whether a path is among what the schema describes; worked out once for each. */
function holdsPaths(schema: z.core.$ZodType): boolean {
  let holds = known.get(schema);
  if (holds === undefined) {
    holds = valueTypeOf(schema)?.resolve !== undefined || partsOf(core(schema)).some(holdsPaths);
    known.set(schema, holds);
  }
  return holds;
}

function partsOf(inner: z.core.$ZodType): z.core.$ZodType[] {
  if (inner instanceof z.ZodObject) return Object.values(inner.shape);
  if (inner instanceof z.ZodRecord) return [inner.valueType];
  return inner instanceof z.ZodArray ? [inner.element as z.core.$ZodType] : [];
}
