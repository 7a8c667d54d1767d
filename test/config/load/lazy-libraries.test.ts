import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const SOURCES = join(import.meta.dirname, '../../../src');

/** What a module loads as soon as it is loaded itself: no types, and nothing that it imports later. */
const LOADED = /(?:^|\n)\s*(?:import|export)\s+(?!type\b)[^'";]*?from\s*'([^']+)'/g;

/** The packages that are loaded with a file of `src`. */
function packagesOf(file: string, seen = new Set<string>()): Set<string> {
  const packages = new Set<string>();
  if (seen.has(file)) return packages;
  seen.add(file);
  for (const [, target = ''] of readFileSync(file, 'utf8').matchAll(LOADED)) {
    if (!target.startsWith('.')) packages.add(target);
    else for (const name of packagesOf(resolve(file, '..', target), seen)) packages.add(name);
  }
  return packages;
}

// They keep 5 MiB. A file that is large enough is parsed in a process of its own, so that they go with it.
test('neither the schema nor the YAML parser is loaded before a file is parsed', () => {
  const packages = packagesOf(join(SOURCES, 'main.ts'));
  expect(packages).toContain('pino');
  expect(packages).not.toContain('zod');
  expect(packages).not.toContain('yaml');
});

// A third of the processor's time: `status` took 352 ms of it with a whole proxy, and 117 without.
test('commands that ask a running proxy load none of what makes one up', () => {
  const packages = packagesOf(join(SOURCES, 'program.ts'));
  expect(packages).toContain('cli-table3');
  for (const name of ['pino', 'node:http2', 'zod', 'yaml']) expect(packages).not.toContain(name);
});
