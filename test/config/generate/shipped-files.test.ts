import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { isMap, isPair, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import { formatProblem } from '../../../src/config/check/problem.ts';
import { referenceGroups } from '../../../src/config/generate/reference.ts';
import { loadConfig } from '../../../src/config/load/load.ts';
import type { ProcessRun } from '../../../src/runtime/process/settings.ts';

const CONFIG = join(import.meta.dirname, '../../../config');

async function load(file: string) {
  const result = await loadConfig(join(CONFIG, file), {});
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
  return result;
}

test('every shipped file is right, without a warning and without any variable set', async () => {
  const examples = (await readdir(join(CONFIG, 'examples'))).map((file) => `examples/${file}`);
  expect(examples.toSorted()).toEqual([
    'examples/acme.yaml',
    'examples/docker-consul.yaml',
    'examples/existing-services.yaml',
    'examples/grpc.yaml',
    'examples/process.yaml',
    'examples/redis.yaml',
    'examples/tls.yaml',
  ]);
  for (const file of ['reference.yaml', 'demo.yaml', ...examples]) {
    expect((await load(file)).warnings.map(formatProblem)).toEqual([]);
  }
});

/** The keys of a file as the reference names them, each with what its lines say. */
async function annotatedKeys(file: string): Promise<Map<string, string>> {
  const text = await readFile(join(CONFIG, file), 'utf8');
  const lines = text.split('\n');
  const counter = new LineCounter();
  const keys = new Map<string, string>();
  const visit = (node: unknown, path: string) => {
    if (isSeq(node)) for (const item of node.items) visit(item, `${path}[]`);
    if (!isMap(node)) return;
    for (const pair of node.items) {
      if (!isPair(pair) || !isScalar(pair.key)) continue;
      const name = path === 'services' ? '<name>' : String(pair.key.value);
      const key = path === '' ? name : `${path}.${name}`;
      const line = counter.linePos(pair.key.range?.[0] ?? 0).line;
      const above = lines.slice(0, line - 1);
      const comments = above.slice(above.findLastIndex((before) => !before.trim().startsWith('#')) + 1);
      if (!keys.has(key)) keys.set(key, [...comments, lines[line - 1] ?? ''].join('\n'));
      visit(pair.value, key);
    }
  };
  visit(parseDocument(text, { lineCounter: counter }).contents, '');
  return keys;
}

const options = referenceGroups().flatMap(({ rows }) => rows);

test('the reference has every option', async () => {
  const keys = await annotatedKeys('reference.yaml');
  expect(options.length).toBeGreaterThan(90);
  expect(options.map(({ key }) => key).filter((key) => !keys.has(key))).toEqual([]);
});

test('the reference tells every default as it is', async () => {
  const keys = await annotatedKeys('reference.yaml');
  const plain = (text: string) => text.replaceAll('`', '');
  const wrong = options
    .filter(({ fallback }) => fallback !== '' && fallback !== 'required')
    // The comment ends with the default, or the line below goes on.
    .filter(({ key, fallback }) => !`${keys.get(key)}\n`.includes(`default: ${plain(fallback)}\n`))
    .map(({ key, fallback }) => `${key}: ${plain(fallback)}`);
  expect(wrong).toEqual([]);
});

test('the reference tells what a number counts and that a duration is one', async () => {
  const keys = await annotatedKeys('reference.yaml');
  const wrong = options
    .filter(({ type }) => /^(?:duration|size|share)/.test(type))
    .filter(({ key, type }) => !keys.get(key)?.includes(type.split(' ')[0] as string))
    .map(({ key }) => key);
  expect(wrong).toEqual([]);
});

test('the demo is small services with programs that are there, asleep again within 20 s', async () => {
  const { settings } = await load('demo.yaml');
  expect(settings.services.map(({ name }) => name)).toEqual(['hello', 'echo', 'slow']);
  expect(settings.listen.map(({ address }) => address)).toEqual([{ host: '127.0.0.1', port: 8080 }]);
  expect(settings.admin.address).toEqual({ host: '127.0.0.1', port: 9400 });
  for (const { name, run, routes, scale } of settings.services) {
    if (run?.kind !== 'process') throw new Error(`${name} runs no process`);
    const { cwd, command } = run as ProcessRun;
    expect(existsSync(resolve(cwd, command[1] as string))).toBe(true);
    expect(routes).toMatchObject([{ host: undefined, path: `/${name}` }]);
    expect(scale.idleMs).toBeLessThan(20_000);
  }
  const slow = settings.services[2];
  expect(slow?.scale).toMatchObject({ min: 0, max: 4 });
});

test('the example for existing services starts nothing', async () => {
  const { settings } = await load('examples/existing-services.yaml');
  expect(settings.services.every(({ run, endpoints }) => run === undefined && endpoints['static'] !== undefined)).toBe(
    true,
  );
  expect(settings.parts).toEqual({});
});
