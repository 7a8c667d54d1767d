import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runHash } from '../../src/util/hash.ts';

test('a hash is 12 hex digits, and the same on every machine', () => {
  expect(runHash({ kind: 'process', command: ['node'], env: { B: '2', A: '1' } })).toBe('4826d7d8f985');
});

test('the name of the runtime is not in it: replicas of older versions know none', () => {
  const run = { kind: 'process', command: ['node'], env: { B: '2', A: '1' } };
  expect(runHash({ runtime: 'process', ...run })).toBe('4826d7d8f985');
});

test('the order of keys and undefined values do not matter', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
      const reversed = Object.fromEntries(Object.entries(object).reverse());
      expect(runHash({ ...reversed, absent: undefined })).toBe(runHash({ ...object }));
    }),
  );
});

test('content and the order of a list matter', () => {
  const hashes = [{ a: ['x', 'y'] }, { a: ['y', 'x'] }, { a: ['x'] }, { b: ['x', 'y'] }, {}].map(runHash);
  expect(new Set(hashes).size).toBe(hashes.length);
});
