import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { staleFiles, writeGenerated } from '../../../src/config/generate/generate.ts';
import { jsonSchema } from '../../../src/config/generate/json-schema.ts';

const ROOT = join(import.meta.dirname, '../../..');

test('the committed schema and reference are what the options say', async () => {
  expect(await staleFiles(ROOT)).toEqual([]);
});

test('a generated file that was edited or is missing is noticed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pilotlight-generate-'));
  try {
    expect(await staleFiles(folder)).toEqual(['config/schema.json', 'docs/configuration.md', 'docs/errors.md']);
    await writeGenerated(folder);
    expect(await staleFiles(folder)).toEqual([]);
    const page = join(folder, 'docs/configuration.md');
    await writeFile(page, (await readFile(page, 'utf8')).replace('`10s`', '`11s`'));
    expect(await staleFiles(folder)).toEqual(['docs/configuration.md']);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test.each([
  'config/reference.yaml',
  'config/demo.yaml',
  'config/examples/existing-services.yaml',
  'config/examples/docker-consul.yaml',
  'config/examples/process.yaml',
])('an editor that uses the JSON Schema accepts %s', async (file) => {
  const validator = z.fromJSONSchema(jsonSchema() as Parameters<typeof z.fromJSONSchema>[0]);
  const result = validator.safeParse(parse(await readFile(join(ROOT, file), 'utf8')));
  expect(result.error?.issues ?? []).toEqual([]);
});

test('and refuses what is wrong', () => {
  const validator = z.fromJSONSchema(jsonSchema() as Parameters<typeof z.fromJSONSchema>[0]);
  const service = { routes: [{ path: '/' }] };
  const right = { listen: [{ address: 'a:1' }], services: { app: service } };
  expect(validator.safeParse(right).success).toBe(true);
  for (const wrong of [
    { ...right, worker: 1 },
    { ...right, workers: 0 },
    { services: {} },
    { ...right, services: { Shop: service } },
    { ...right, budget: { replicas: 0 } },
    { ...right, services: { app: { ...service, timeouts: { connect: '2 parsecs' } } } },
    { ...right, services: { app: { ...service, balance: 'hashing' } } },
    { ...right, services: { app: { ...service, endpoints: { static: [{ weight: 1 }] } } } },
    { ...right, services: { app: { ...service, endpoints: { static: [{ address: 'a:1', wieght: 1 }] } } } },
    { ...right, services: { app: { ...service, ready: 'docker-healthy' } } },
  ]) {
    expect(validator.safeParse(wrong).success, JSON.stringify(wrong)).toBe(false);
  }
});
