import { resolve } from 'node:path';
import { z } from 'zod';
import { didYouMean } from '../../util/suggest.ts';
import { parseDuration, parseSize } from '../../util/units.ts';

/**
 * What a text means: its value, a fault in words, or undefined where it simply is not what the option takes (which is
 * then said together with what was found).
 */
export type Reading<T> = { value: T } | { fault: string } | undefined;

/** What an option takes. */
export interface ValueType {
  /** For the reference: duration, size, text … */
  name: string;
  /** For the reference and the schema: what a number counts, or the units that may follow it. */
  unit: string;
  /** Completes "expected …". */
  expected: string;
  /** Its JSON Schema. */
  json: Record<string, unknown>;
  /** Whether a message may not show its value. */
  secret?: true;
  /** Whether an empty text is a value; else it counts as not given. */
  keepsEmpty?: true;
  /** Makes a value that holds a relative path absolute. @param folder of the file */
  resolve?: (value: string, folder: string) => string;
}

/** Of every option that is no section, list or mapping. */
export const valueTypes = z.registry<ValueType>();
/** A substitution may stand wherever a value may, so an editor must not refuse one. */
const SUBSTITUTION = '\\$\\{[^}]+\\}';
const orSubstitution = (pattern: string) => `^(?:${pattern})$|${SUBSTITUTION}`;

const DURATION_UNITS = 'ms, s, m, h, d';
const SIZE_UNITS = 'B, KiB, MiB, GiB, KB, MB, GB';
/** Longest duration, ms: a timer of Node is at most 2³¹ − 1 ms and fires at once beyond. */
const LONGEST = 24 * 86_400_000;

/** How to write what was meant, behind what was expected and found. */
interface Hint {
  hint: string;
}

/** One for all of them: that saves 130 KiB. */
const anything = z.unknown();

/** What a list is, of an option that takes one in place of a text. */
interface ListType<T> {
  /** Completes "expected …" where an item is not what it takes. */
  item: string;
  isItem: (text: string) => boolean;
  read: (items: string[]) => Reading<T>;
}

function leaf<T>(type: ValueType, read: (text: string) => Reading<T> | Hint, list?: ListType<T>): z.ZodType<T> {
  const schema = anything.transform((input, context): T => {
    const items = list !== undefined && Array.isArray(input) ? input : [];
    const wrong = items.flatMap((item, index) => (typeof item === 'string' && list?.isItem(item) ? [] : [index]));
    for (const index of wrong) {
      const message = `expected ${list?.item}`;
      context.issues.push({ code: 'custom', input: items[index], path: [index], message, params: { found: true } });
    }
    if (wrong.length > 0) return z.NEVER;
    const reading =
      typeof input === 'string' ? read(input) : Array.isArray(input) ? list?.read(items as string[]) : undefined;
    if (reading !== undefined && 'value' in reading) return reading.value;
    const fault = reading !== undefined && 'fault' in reading ? reading.fault : undefined;
    const hint = reading !== undefined && 'hint' in reading ? `: ${reading.hint}` : '';
    context.issues.push({
      code: 'custom',
      input,
      message: input === undefined ? 'is missing' : (fault ?? `expected ${type.expected}`),
      params: { found: input !== undefined && fault === undefined, hint },
    });
    return z.NEVER;
  });
  valueTypes.add(schema, type);
  return schema;
}

/** Any text. */
export function text(options: { expected?: string; secret?: true; keepsEmpty?: true; pattern?: RegExp } = {}) {
  const { expected = 'a text', pattern, ...flags } = options;
  return leaf(
    { name: 'text', unit: '', expected, json: { type: ['string', 'number', 'boolean'] }, ...flags },
    (input) => {
      if (pattern === undefined || pattern.test(input)) return { value: input };
      return flags.secret ? { fault: `expected ${expected}` } : undefined;
    },
  );
}

/**
 * A text with a syntax of its own. `json` where YAML may take it for something else than a text; `keepsEmpty` where an
 * empty one must not count as not given.
 */
export function parsed<T>(
  name: string,
  expected: string,
  read: (text: string) => Reading<T>,
  json: Record<string, unknown> = { type: 'string' },
  flags: Pick<ValueType, 'keepsEmpty' | 'resolve'> = {},
) {
  return leaf({ name, unit: '', expected, json, ...flags }, read);
}

/** A path; a relative one counts from the file's folder. @param words that are no path */
export function path(expected: string, ...words: string[]) {
  const resolvePath = (value: string, folder: string) => (words.includes(value) ? value : resolve(folder, value));
  const type: ValueType = { name: 'text', unit: '', expected, json: { type: ['string', 'number', 'boolean'] } };
  return leaf({ ...type, resolve: resolvePath }, (input) => ({ value: input }));
}

/** A status, or a list of statuses. */
export function statuses(min: number, max: number) {
  const isItem = (text: string) => /^\d{3}$/.test(text) && Number(text) >= min && Number(text) <= max;
  const json = { type: ['integer', 'string', 'array'], items: { type: ['integer', 'string'] } };
  return leaf<readonly number[]>(
    {
      name: 'status or list of statuses',
      unit: '',
      expected: `statuses from ${min} to ${max}, as in [503, 529]`,
      json,
    },
    (input) => (isItem(input) ? { value: [Number(input)] } : undefined),
    { item: `a status from ${min} to ${max}`, isItem, read: (items) => ({ value: items.map(Number) }) },
  );
}

/** One of something, or a list of it. @param expected what one is */
export function oneOrMore(name: string, expected: string, read: (text: string) => Reading<string>) {
  const json = { type: ['string', 'array'], items: { type: 'string' }, minItems: 1 };
  const value = (text: string) => {
    const reading = read(text);
    return reading !== undefined && 'value' in reading ? reading.value : undefined;
  };
  return leaf<string | readonly string[]>({ name: `${name} or list of them`, unit: '', expected, json }, read, {
    item: expected,
    isItem: (item) => value(item) !== undefined,
    read: (items) =>
      items.length > 0 ? { value: items.map((item) => value(item) as string) } : { fault: 'is an empty list' },
  });
}

/**
 * A word, or a list of words, that stand for all of them; commas divide nothing.
 * @param expected what a word is that does not fit the pattern
 */
export function words(example: string, pattern = /./s, expected = 'a text') {
  const json = { type: ['string', 'array'], items: { type: 'string' }, minItems: 1 };
  const type: ValueType = {
    name: 'text or list of texts',
    unit: '',
    expected: `a text, or a list as in ${example}`,
    json,
  };
  return leaf<string | readonly string[]>(
    type,
    (input) => {
      if (input.includes(',')) return { fault: `a comma divides nothing: write a list, as in ${example}` };
      return pattern.test(input) ? { value: input } : { fault: `expected ${expected}` };
    },
    {
      item: expected,
      isItem: (item) => pattern.test(item),
      read: (items) =>
        items.length > 0 ? { value: items } : { fault: `is an empty list: write one as in ${example}` },
    },
  );
}

/** A whole number. `unit` says what it counts. */
export function integer(unit: string, min: number, max = Number.MAX_SAFE_INTEGER) {
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  const bounds = max === Number.MAX_SAFE_INTEGER ? { minimum: min } : { minimum: min, maximum: max };
  const json = { type: ['integer', 'string'], ...bounds, pattern: SUBSTITUTION };
  return leaf({ name: 'whole number', unit, expected: `a whole number ${range}`, json }, (input) => {
    // Elsewhere a zero in front makes a number octal: nobody may take it for another one than we do.
    if (/^[+-]?0\d/.test(input)) return { hint: 'write it without the zero in front' };
    const value = /^[+-]?\d+$/.test(input) ? Number(input) : Number.NaN;
    return value >= min && value <= max ? { value } : undefined;
  });
}

/** A number above 0, fractions allowed. */
export function decimal(unit: string, max: number) {
  const json = { type: ['number', 'string'], exclusiveMinimum: 0, maximum: max, pattern: SUBSTITUTION };
  return leaf({ name: 'number', unit, expected: `a number above 0, at most ${max}`, json }, (input) => {
    const value = /^\d+(\.\d+)?$/.test(input) ? Number(input) : Number.NaN;
    return value > 0 && value <= max ? { value } : undefined;
  });
}

/** `true` or `false`. */
export function flag() {
  const json = { type: ['boolean', 'string'], pattern: SUBSTITUTION };
  return leaf({ name: 'true or false', unit: '', expected: 'true or false', json }, (input) => {
    if (/^(?:true|false)$/i.test(input)) return { value: input.toLowerCase() === 'true' };
    if (/^(?:yes|y|on|1)$/i.test(input)) return { hint: 'write true' };
    return /^(?:no|n|off|0)$/i.test(input) ? { hint: 'write false' } : undefined;
  });
}

type Value<Word extends string> = Word extends 'false' ? false : Word;

/** One of a few words; the value of `false` is false. */
export function choice<const Word extends string>(...words: Word[]) {
  const values = words.map((word) => (word === 'false' ? false : word));
  const type: ValueType = {
    name: words.join(' \\| '),
    unit: '',
    expected: oneOf(words),
    json: { anyOf: [{ enum: values }, { type: 'string', pattern: SUBSTITUTION }] },
  };
  return leaf<Value<Word>>(type, (input) => {
    if ((words as string[]).includes(input)) return { value: (input === 'false' ? false : input) as Value<Word> };
    if ((words as string[]).includes('off') && /^(?:false|no)$/i.test(input)) return { hint: 'write off' };
    const hint = didYouMean(input, words);
    return hint === '' ? undefined : { fault: `expected ${oneOf(words)}${hint}` };
  });
}

/** A duration; its value is milliseconds. @param min the shortest allowed, ms */
export function duration(min = 1) {
  return durationOr<never>(min);
}

/** A duration, or one of a few words. */
export function durationOr<const Word extends string>(min: number, ...words: Word[]) {
  const expected = [min === 0 ? 'a duration such as 0s or 5m' : 'a duration such as 250ms or 5s', ...words].join(
    ', or ',
  );
  const pattern = orSubstitution([String.raw`\d+(?:\.\d+)?(?:ms|s|m|h|d)`, ...words].join('|'));
  const type: ValueType = {
    name: ['duration', ...words].join(' \\| '),
    unit: DURATION_UNITS,
    expected,
    json: { type: 'string', pattern },
  };
  return leaf<number | Word>(type, (input) => {
    if ((words as string[]).includes(input)) return { value: input as Word };
    const value = parseDuration(input);
    if (value === undefined) return unitHint(input, DURATION_UNITS);
    if (value < min) return { fault: `at least ${min}ms` };
    return value > LONGEST ? { fault: 'at most 24d' } : { value };
  });
}

/** A size; its value is bytes. @param min the smallest allowed, bytes; `least` says the same as text; 0 needs no unit */
export function size(min = 1, least = '1B') {
  const pattern = String.raw`\d+(?:\.\d+)?(?:B|KiB|MiB|GiB|KB|MB|GB)`;
  const type: ValueType = {
    name: 'size',
    unit: SIZE_UNITS,
    expected: min === 0 ? 'a size such as 16KiB or 256MiB, or 0' : 'a size such as 16KiB or 256MiB',
    json:
      min === 0
        ? { type: ['string', 'integer'], maximum: 0, pattern: orSubstitution(`${pattern}|0`) }
        : { type: 'string', pattern: orSubstitution(pattern) },
  };
  return leaf(type, (input) => {
    const value = min === 0 && input === '0' ? 0 : parseSize(input);
    if (value === undefined) return unitHint(input, SIZE_UNITS);
    if (!Number.isSafeInteger(value)) return undefined;
    return value < min ? { fault: `at least ${least}` } : { value };
  });
}

/** A share, as `10%` or `0.1`; its value is the fraction. `above` leaves 0 out, `below` leaves `max` out. */
export function share(options: { max?: number; above?: true; below?: true } = {}) {
  const { max = 1, above, below } = options;
  const low = above ? 'above 0%' : 'of at least 0%';
  const high = `${below ? 'below' : 'at most'} ${max * 100}%`;
  const type: ValueType = {
    name: 'share',
    unit: '% or fraction',
    expected: `a share ${low} and ${high}, such as 10% or 0.1`,
    json: {
      type: ['number', 'string'],
      [above ? 'exclusiveMinimum' : 'minimum']: 0,
      [below ? 'exclusiveMaximum' : 'maximum']: max,
      pattern: orSubstitution(String.raw`\d+(?:\.\d+)?%`),
    },
  };
  return leaf(type, (input) => {
    const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(input);
    if (match === null) return undefined;
    // Dividing the digits by 100 keeps 10% exactly 0.1.
    const value = match[2] === '%' ? Number(match[1]) / 100 : Number(match[1]);
    const fits = (above ? value > 0 : value >= 0) && (below ? value < max : value <= max);
    return fits ? { value } : undefined;
  });
}

/** A share above 0, as `80%`, or a size, as `12GiB`. */
export function shareOrSize() {
  const [number, sizeUnits] = [String.raw`\d+(?:\.\d+)?`, '(?:B|KiB|MiB|GiB|KB|MB|GB)'];
  const type: ValueType = {
    name: 'share \\| size',
    unit: `%, ${SIZE_UNITS}`,
    expected: 'a share above 0% and at most 100%, such as 80%, or a size such as 12GiB',
    json: { type: 'string', pattern: orSubstitution(`${number}(?:%|${sizeUnits})`) },
  };
  return leaf<{ share: number } | { bytes: number }>(type, (input) => {
    const percent = /^(\d+(?:\.\d+)?)%$/.exec(input)?.[1];
    if (percent !== undefined) {
      const value = Number(percent) / 100;
      return value > 0 && value <= 1 ? { value: { share: value } } : undefined;
    }
    const bytes = parseSize(input);
    if (bytes === undefined) return unitHint(input, `%, ${SIZE_UNITS}`);
    return Number.isSafeInteger(bytes) && bytes > 0 ? { value: { bytes } } : undefined;
  });
}

/** What is wrong with something that has a number in it; a mere word is none of the words there are. */
function unitHint(input: string, units: string): Hint | undefined {
  if (/^[+-]?\d+(?:\.\d+)?$/.test(input)) return { hint: `its unit is missing (${units})` };
  return /\d/.test(input) ? { hint: `one number and one unit (${units})` } : undefined;
}

/** `a, b or c`. */
export function oneOf(words: readonly string[]): string {
  return words.length === 1 ? `${words[0]}` : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
