import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RunSettings } from '../../src/model/settings.ts';
import { runHash } from '../../src/util/hash.ts';
import { aroundService, settingsOf } from '../config/parse.ts';

test('a hash is 12 hex digits, and the same on every machine', () => {
  expect(runHash({ kind: 'process', command: ['node'], env: { B: '2', A: '1' } })).toBe('4826d7d8f985');
});

test('the name of the runtime is not in it: replicas of older versions know none', () => {
  const run = { kind: 'process', command: ['node'], env: { B: '2', A: '1' } };
  expect(runHash({ runtime: 'process', ...run })).toBe('4826d7d8f985');
});

// As replicas that run already carry them: another hash would have each of them replaced at an upgrade.
test.each([
  ['process: { command: [node, "{port}"], env: { B: "2", A: "1" }, stop: { signal: INT, grace: 3s } }', 'f7729b40a17d'],
  [
    'docker: { image: "a:1", port: 80, env: { X: y }, memory: 64MiB, volumes: [./d:/d], standby: none }',
    '3413c6402203',
  ],
  ['docker: { container: abc, port: 80 }', 'b1f16e532961'],
])('the hash of a section stays over versions: %s', (run, hash) => {
  const [service] = settingsOf(aroundService(`routes: [{}]\nrun: { ${run} }`)).services;
  expect(runHash(service?.run as RunSettings)).toBe(hash);
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
