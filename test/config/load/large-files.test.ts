import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { loadConfig } from '../../../src/config/load/load.ts';
import { parseConfig } from '../../../src/config/load/parse.ts';
import type { StaticEndpoints } from '../../../src/discovery/static/settings.ts';

/** As many services as make a file that is parsed in a process of its own. */
const MANY = 3000;

// It takes seconds, and a busy machine ten times as long.
vi.setConfig({ testTimeout: 120_000 });

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pilotlight-config-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** @param last the static endpoint of the last service */
function manyServices(last: string): string {
  const lines = ['listen: [{ address: "127.0.0.1:8080" }]', 'services:'];
  for (let index = 0; index < MANY; index++) {
    const endpoint = index === MANY - 1 ? last : '10.0.0.1:80';
    lines.push(
      `  service-${index}: { routes: [{ host: service-${index}.example }], endpoints: { static: ["${endpoint}"] } }`,
    );
  }
  return lines.join('\n');
}

test('a large file leads to the same settings as its text, frozen', async () => {
  const file = join(folder, 'large.yaml');
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the file
  const text = manyServices('${LAST}');
  await writeFile(file, text);
  const env = { LAST: '10.0.0.2:80', HOME: '/home/op' };
  const { modified, ...loaded } = await loadConfig(file, env);
  expect(modified).toBe((await stat(file)).mtime.toISOString());
  expect(loaded).toEqual(parseConfig(text, file, env));
  const fixed = loaded.ok ? loaded.settings.services.at(-1)?.endpoints['static'] : undefined;
  expect(Object.isFrozen((fixed as StaticEndpoints).addresses[0])).toBe(true);
});

test('what is wrong in a large file is told with its place', async () => {
  const file = join(folder, 'wrong.yaml');
  await writeFile(file, manyServices('nowhere'));
  const { ok, ...rest } = await loadConfig(file, {});
  expect(ok).toBe(false);
  expect(rest).toMatchObject({
    problems: [{ file, line: MANY + 2, path: `services.service-${MANY - 1}.endpoints.static[0]` }],
  });
});
