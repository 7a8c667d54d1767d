import { expect, test } from 'vitest';
import { type Exactly, option, optional, options, section } from '../../../src/config/option/option.ts';
import { duration, integer, text } from '../../../src/config/option/value-types.ts';

const shape = {
  idleMs: option(duration(), '5s', 'How long.'),
  most: option(integer('requests', 0), '3', 'How many.'),
  name: optional(text(), 'Who.'),
};

test('a setting is written without its unit, and never with it', () => {
  const schema = options(shape);
  expect(schema.parse({ idle: '2s' })).toMatchObject({ idleMs: 2000 });
  expect(schema.safeParse({ idleMs: '2s' }).error?.issues).toMatchObject([
    { code: 'unrecognized_keys', keys: ['idleMs'] },
  ]);
});

test('every option is there in its order, given or not', () => {
  expect(Object.entries(options(shape).parse({ most: '1' }) as object)).toEqual([
    ['idleMs', 5000],
    ['most', 1],
    ['name', undefined],
  ]);
});

test('options yield what is made of them', () => {
  const schema = options(shape, ({ idleMs, most }) => ({ product: idleMs * most }));
  expect(schema.parse({ idle: '1s' })).toEqual({ product: 3000 });
});

test('a section that is left out is as an empty one, and the same wherever it is', () => {
  const whole = options({ part: section(shape, 'A part.') });
  const [first, second] = [whole.parse({}), whole.parse({})];
  expect(first).toEqual(whole.parse({ part: {} }));
  expect(first.part).toBe(second.part);
});

// The compiler looks at this one.
test('a section that does not yield exactly its settings does not compile', () => {
  const schema = section({ idleMs: option(duration(), '5s', 'How long.') }, 'A part.');
  schema satisfies Exactly<{ idleMs: number }>;
  // @ts-expect-error one is missing in the section
  schema satisfies Exactly<{ idleMs: number; most: number }>;
  // @ts-expect-error one is missing in the settings
  schema satisfies Exactly<object>;
  // @ts-expect-error one is of another type
  schema satisfies Exactly<{ idleMs: string }>;
});
