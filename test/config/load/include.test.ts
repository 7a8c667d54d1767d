import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { IncludeWatch } from '../../../src/cli/watch-includes.ts';
import { formatProblem } from '../../../src/config/check/problem.ts';
import { isIncluded } from '../../../src/config/load/included.ts';
import { loadConfig } from '../../../src/config/load/load.ts';
import { systemClock } from '../../../src/util/clock.ts';

const service = (host: string) => `{ routes: [{ host: ${host} }], endpoints: { static: ["10.0.0.1:80"] } }`;

async function folderOf(files: Record<string, string>): Promise<string> {
  const folder = join(tmpdir(), `pilotlight-include-${process.pid}-${Math.random().toString(36).slice(2)}`);
  await mkdir(join(folder, 'services.d'), { recursive: true });
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

const main = `include: services.d/*.yaml\nlisten: [{ address: "127.0.0.1:8080" }]\nservices:\n  own: ${service('own.example')}\n`;

test('services of included files stand behind those of the file, in the order of their names', async () => {
  const folder = await folderOf({
    'main.yaml': main,
    'services.d/b.yaml': `services: { b: ${service('b.example')} }\n`,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the file
    'services.d/a.yaml': 'services: { a: { routes: [{ host: "${HOST}" }], endpoints: { static: ["10.0.0.1:80"] } } }\n',
    'services.d/empty.yaml': '# nothing yet\n',
    'services.d/.hidden.yaml': 'not: read\n',
    'services.d/other.txt': 'not: read\n',
  });
  const result = await loadConfig(join(folder, 'main.yaml'), { HOST: 'a.example', HOME: '/' });
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
  expect(result.settings.services.map(({ name, routes }) => [name, routes[0]?.host])).toEqual([
    ['own', 'own.example'],
    ['a', 'a.example'],
    ['b', 'b.example'],
  ]);
  expect(result.settings.include).toEqual([join(folder, 'services.d/*.yaml')]);
});

test.each([
  ['services: { a: { routse: [] } }\n', 'a.yaml:1:18  services.a.routse: unknown key (did you mean "routes"?)'],
  [
    `services:\n  own: ${service('x.example')}\n`,
    'a.yaml:2:3  services.own: the service is already in the file that includes',
  ],
  [
    `services:\n  a: ${service('own.example')}\n`,
    'a.yaml:2:25  services.a.routes[0].host: own.example/ already leads to own',
  ],
  ['listen: []\n', 'a.yaml:1:1  listen: an included file has services and nothing else'],
  ['services: [\n', 'a.yaml:2:1'],
  ['- a\n', 'a.yaml:1:1  expected a mapping with services'],
])('a mistake is told with the file that it is in: %j', async (text, expected) => {
  const folder = await folderOf({ 'main.yaml': main, 'services.d/a.yaml': text });
  const result = await loadConfig(join(folder, 'main.yaml'), { HOME: '/' });
  const lines = result.ok ? [] : result.problems.map(formatProblem);
  expect(
    lines.some((line) => line.startsWith(join(folder, 'services.d', expected))),
    lines.join('\n'),
  ).toBe(true);
});

test.each([
  ['include: nothing.yaml', 'nothing.yaml: no such file'],
  ['include: "*/a.yaml"', 'expected "*" only in the name of the file'],
])('an include that means nothing is told: %s', async (line, expected) => {
  const folder = await folderOf({ 'main.yaml': main.replace('include: services.d/*.yaml', line) });
  const result = await loadConfig(join(folder, 'main.yaml'), { HOME: '/' });
  expect(result.ok ? '' : result.problems.map(formatProblem).join('\n')).toContain(expected);
});

test.each([
  `"include": services.d/*.yaml\nlisten: [{ address: "127.0.0.1:8080" }]\nservices: {}\n`,
  `{ "listen": [{ "address": "127.0.0.1:8080" }], "include": ["services.d/*.yaml"], "services": {} }`,
])('an include is one however it is written: %s', async (text) => {
  const folder = await folderOf({
    'main.yaml': text,
    'services.d/a.yaml': `services: { a: ${service('a.example')} }\n`,
  });
  const result = await loadConfig(join(folder, 'main.yaml'), { HOME: '/' });
  expect(result.ok && result.settings.services.map(({ name }) => name)).toEqual(['a']);
});

test('a pattern means names, and no more than that', () => {
  expect(['a.yaml', '.a.yaml', 'a.yml', 'a.yaml.swp'].map((name) => isIncluded('/x/*.yaml', name))).toEqual([
    true,
    false,
    false,
    false,
  ]);
  expect(isIncluded('/x/a+b.yaml', 'aab.yaml')).toBe(false);
});

test('files that come, are renamed into place or go are told of, others are not', async () => {
  const folder = await folderOf({ 'services.d/a.yaml': 'services: {}\n' });
  const changed = vi.fn();
  const watched = new IncludeWatch(systemClock, changed);
  onTestFinished(() => watched.close());
  watched.follow([join(folder, 'services.d/*.yaml')]);
  const told = (times: number) => vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(times), { timeout: 20_000 });
  await writeFile(join(folder, 'services.d/.new'), 'services: {}\n');
  await rename(join(folder, 'services.d/.new'), join(folder, 'services.d/b.yaml'));
  await told(1);
  await rm(join(folder, 'services.d/a.yaml'));
  await told(2);
});

test('a mounted ConfigMap that is exchanged is told of, and a folder that is made anew is followed again', async () => {
  const folder = await folderOf({ 'services.d/a.yaml': 'services: {}\n' });
  const at = (name: string) => join(folder, 'services.d', name);
  // As the reload does that comes of it.
  const changed = vi.fn(() => watched.follow([at('*.yaml')]));
  const watched = new IncludeWatch(systemClock, changed);
  onTestFinished(() => watched.close());
  watched.follow([at('*.yaml')]);
  await symlink('..1', at('..new'));
  await rename(at('..new'), at('..data'));
  await vi.waitFor(() => expect(changed).toHaveBeenCalled(), { timeout: 20_000 });
  await rm(join(folder, 'services.d'), { recursive: true });
  await mkdir(join(folder, 'services.d'));
  const isTold = async () => {
    const before = changed.mock.calls.length;
    await writeFile(at('b.yaml'), 'services: {}\n');
    await new Promise((resolve) => setTimeout(resolve, 300));
    return changed.mock.calls.length > before;
  };
  // Twice: what is told once may be the end of the old one.
  const isFollowed = async () => expect([await isTold(), await isTold()]).toEqual([true, true]);
  await vi.waitFor(isFollowed, { timeout: 20_000 });
});
