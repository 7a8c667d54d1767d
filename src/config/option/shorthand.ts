import { z } from 'zod';
import { abouts, type Section } from './option.ts';

/** Sections that may be written in a shorter way, by their schema: what it stands for. */
export const shorthands = new WeakMap<z.core.$ZodType, Shorthand>();

interface Shorthand {
  section: z.ZodType;
  /** JSON Schema of the shorter way; undefined: it is the value of `key`. */
  json?: Record<string, unknown>;
  /** Whose value the shorter way is; undefined: of none. */
  key: string | undefined;
}

/**
 * A section that may be written as a text, which then is the value of one of its keys.
 * @param name completes "expected … or a mapping"
 */
export function textOrSection<Settings>(section: Section<Settings>, key: string, name: string, about: string) {
  const schema = z.unknown().transform((input, context): Settings => {
    return typeof input === 'string' ? read(section, { [key]: input }, context, 1) : read(section, input, context, 0);
  });
  shorthands.set(schema, { section, key });
  abouts.add(schema, { about, shorthand: name });
  return schema;
}

/**
 * A section that turns something on: it may be written as `true`, which is one without keys, as a list, which then is the
 * value of one of its keys, or as `false`. Nothing is on where it is left out.
 * @param key whose value a list is; undefined: it may not be one
 * @param name completes "expected … or a mapping"
 * @param fallback says in words what holds then
 */
export function switchOrSection<Settings>(
  section: Section<Settings>,
  key: string | undefined,
  name: string,
  about: string,
  fallback: string,
) {
  const schema = z.unknown().transform((input, context): Settings | false => {
    if (input === 'false') return false;
    if (key !== undefined && Array.isArray(input)) return read(section, { [key]: input }, context, 1);
    return read(section, input === 'true' ? {} : input, context, 0);
  });
  const types = ['boolean', 'string', ...(key === undefined ? [] : ['array'])];
  shorthands.set(schema, { section, key, json: { type: types } });
  const absent = schema.optional();
  abouts.add(absent, { about, fallback, shorthand: name });
  return absent;
}

/**
 * Reads a section.
 * @param cut so many steps of the path to what is wrong are not in the file
 */
function read<Settings>(section: Section<Settings>, input: unknown, context: z.RefinementCtx, cut: number): Settings {
  const result = section.safeParse(input);
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    context.issues.push({ ...issue, path: issue.path.slice(cut), input } as z.core.$ZodRawIssue);
  }
  return z.NEVER;
}
