import { z } from 'zod';
import { writtenKey } from '../read/path.ts';

/** What an option, a section or a list is for, and what holds when it is not given. */
export interface About {
  about: string;
  /** The default as it would be written (or, in words, where it is computed); undefined where there is none. */
  fallback?: string;
  /** Whether `fallback` is a value that could be written. */
  literal?: boolean;
  required?: boolean;
  /** A single text that may stand for the whole section. */
  shorthand?: string;
}

/** Documentation of every option and section. */
export const abouts = z.registry<About>();
/** Keys that people expect in a section and that it does not have, and what there is instead. */
export const insteads = z.registry<Record<string, string>>();

/** Options that only the file may set, never a service that declares itself: they run something, or say where it is. */
export const operatorsOnly = new WeakSet<z.core.$ZodType>();

/** Marks an option, with all below it, as one that only the file may set. */
export function forOperators<S extends z.ZodType>(schema: S): S {
  operatorsOnly.add(schema);
  return schema;
}

declare const exactly: unique symbol;

/**
 * Says what a section yields: `satisfies Exactly<HoldSettings>` behind it makes the compiler tell what it lacks, or has
 * and the settings lack.
 */
export interface Exactly<Settings> {
  readonly [exactly]?: (settings: Settings) => Settings;
}

/** Options that belong together. */
export type Section<Settings> = z.ZodType<Settings> & Exactly<Settings>;

/** Settings of which some are still to be filled in: from the environment, or by what others say. */
export type Unset<Settings, Names extends keyof Settings> = Omit<Settings, Names> & {
  [Name in Names]: Settings[Name] | undefined;
};

/** Options by the names of their settings. */
type Shape = Record<string, z.ZodType>;

/** What options yield: every one by its name, whether it was given or not. */
export type Yield<Options extends Shape> = { [Name in keyof Options]: z.output<Options[Name]> };

/**
 * A mapping that has these options and no others, each by the name of its setting.
 * @param yields what becomes of them where the settings are of another shape than the file
 */
export function options<Options extends Shape>(shape: Options): Section<Yield<Options>>;
export function options<Options extends Shape, Settings>(
  shape: Options,
  yields: (given: Yield<Options>) => Settings,
): Section<Settings>;
export function options<Options extends Shape>(shape: Options, yields?: (given: Yield<Options>) => unknown): z.ZodType {
  const names = Object.keys(shape);
  const written = z.strictObject(Object.fromEntries(names.map((name) => [writtenKey(name), shape[name] as z.ZodType])));
  const pairs = names.map((name) => [name, writtenKey(name)] as const);
  return written.transform((values) => {
    const settings: Record<string, unknown> = {};
    for (const [name, key] of pairs) settings[name] = values[key];
    return yields === undefined ? settings : yields(settings as Yield<Options>);
  });
}

/** An option that has to be given. */
export function required<S extends z.ZodType>(schema: S, about: string): S {
  abouts.add(schema, { about, required: true });
  return schema;
}

/** An option with a default, written as in the file. */
export function option<S extends z.ZodType>(schema: S, fallback: string, about: string) {
  const filled = schema.prefault(fallback as z.input<S>);
  abouts.add(filled, { about, fallback, literal: true });
  return filled;
}

/** An option without a default, or with a computed one that `fallback` tells in words. */
export function optional<S extends z.ZodType>(schema: S, about: string, fallback?: string) {
  const absent = schema.optional();
  abouts.add(absent, { about, ...(fallback === undefined ? {} : { fallback }) });
  return absent;
}

/** A list that is empty by default. */
export function list<S extends z.ZodType>(item: S, about: string) {
  const empty = z.array(item).prefault([] as z.input<S>[]);
  abouts.add(empty, { about, fallback: '[]', literal: true });
  return empty;
}

/** A mapping with free keys, empty by default. */
export function mapping<S extends z.ZodType>(key: z.ZodString, value: S, about: string) {
  const empty = z.record(key, value).prefault({});
  abouts.add(empty, { about, fallback: '{}', literal: true });
  return empty;
}

/** Options that need not be there at all, since every one has a default. */
export function section<Options extends Shape>(shape: Options, about: string): Section<Yield<Options>>;
/** @param more `shorthand`: a text that may stand for the whole section; `yields`: as for `options` */
export function section<Options extends Shape, Settings>(
  shape: Options,
  about: string,
  more: { shorthand?: string; yields: (given: Yield<Options>) => Settings },
): Section<Settings>;
export function section<Options extends Shape>(
  shape: Options,
  about: string,
  more?: { shorthand?: string; yields: (given: Yield<Options>) => unknown },
): z.ZodType {
  const whole: z.ZodType = more === undefined ? options(shape) : options(shape, more.yields);
  // Most services leave most sections out: they share what is worked out once.
  let usual: { settings: unknown } | undefined;
  const filled = whole.default(() => {
    usual ??= { settings: whole.parse({}) };
    return usual.settings;
  });
  abouts.add(filled, { about, ...(more?.shorthand === undefined ? {} : { shorthand: more.shorthand }) });
  return filled;
}

/** Says, of keys that people expect in a section, what there is instead. */
export function withoutKeys<S extends z.ZodType>(schema: S, instead: Record<string, string>): S {
  insteads.add(schema, instead);
  return schema;
}
