import { z } from 'zod';
import { abouts, type Section } from './option.ts';

/** Sections that may be written as a single text, by their schema: what the text stands for. */
export const shorthands = new WeakMap<z.core.$ZodType, { section: z.ZodType; key: string }>();

/**
 * A section that may be written as a text, which then is the value of one of its keys.
 * @param name completes "expected … or a mapping"
 */
export function textOrSection<Settings>(section: Section<Settings>, key: string, name: string, about: string) {
  const schema = z.unknown().transform((input, context): Settings => {
    const isText = typeof input === 'string';
    const result = section.safeParse(isText ? { [key]: input } : input);
    if (result.success) return result.data;
    for (const issue of result.error.issues) {
      context.issues.push({ ...issue, path: isText ? [] : [...issue.path], input } as z.core.$ZodRawIssue);
    }
    return z.NEVER;
  });
  shorthands.set(schema, { section, key });
  abouts.add(schema, { about, shorthand: name });
  return schema;
}
