import fc from 'fast-check';
import { expect, test } from 'vitest';
import { didYouMean, editDistance, suggest } from '../../src/util/suggest.ts';

const KEYS = ['listen', 'services', 'timeouts', 'keepAlive', 'retries', 'max', 'min'];

test.each([
  ['lisetn', 'listen'],
  ['service', 'services'],
  ['Timeouts', 'timeouts'],
  ['keep-alive', 'keepAlive'],
  ['keep_alive', 'keepAlive'],
  ['retires', 'retries'],
  ['mx', 'max'],
  ['workers', undefined],
  ['x', undefined],
  ['', undefined],
])('%s → %s', (word, expected) => {
  expect(suggest(word, KEYS)).toBe(expected);
  expect(didYouMean(word, KEYS)).toBe(expected === undefined ? '' : ` (did you mean "${expected}"?)`);
});

test('the distance is a count of edits: none between equals, the same both ways, never over the longer length', () => {
  const word = fc.string({ maxLength: 12 });
  fc.assert(
    fc.property(word, word, (a, b) => {
      const distance = editDistance(a, b);
      expect(distance === 0).toBe(a === b);
      expect(editDistance(b, a)).toBe(distance);
      expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
      expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
    }),
  );
});

test('one insertion, deletion, replacement or swap is one edit', () => {
  for (const [a, b] of [
    ['ab', 'abc'],
    ['abc', 'ac'],
    ['abc', 'axc'],
    ['abc', 'acb'],
  ] as const) {
    expect(editDistance(a, b)).toBe(1);
  }
});
