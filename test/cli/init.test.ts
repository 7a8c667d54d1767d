import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runCli } from '../../src/cli/cli.ts';
import { readServe } from '../../src/cli/init-text.ts';
import { loadConfig } from '../../src/config/load/load.ts';
import { fakeTerminal } from './fake-terminal.ts';
import { noProgram } from './no-program.ts';

async function init(args: string[], typed = '') {
  const cwd = await mkdtemp(join(tmpdir(), 'pilotlight-init-'));
  onTestFinished(() => rm(cwd, { recursive: true }));
  const terminal = fakeTerminal({
    cwd,
    input: async function* () {
      yield Buffer.from(typed);
    },
  });
  const run = () => runCli(['init', ...args], noProgram, terminal);
  return { cwd, terminal, run, file: join(cwd, 'pilotlight.yaml') };
}

async function settingsOf(file: string) {
  const result = await loadConfig(file, {});
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.settings;
}

test('three questions make a configuration that is valid', async () => {
  const { file, run, terminal } = await init([], '0.0.0.0:8088\nShop.example.com\nnode "my server.js" $HOME\n');
  expect(await run()).toBe(0);
  expect(terminal.stdout).toHaveLength(4);
  const { listen, services } = await settingsOf(file);
  expect(listen[0]?.address).toEqual({ host: '0.0.0.0', port: 8088 });
  expect(services[0]?.routes[0]).toMatchObject({ host: 'shop.example.com', path: '/' });
  expect(services[0]?.run).toMatchObject({ command: ['node', 'my server.js', '$HOME'] });
  expect(await readFile(file, 'utf8')).toMatch(/^ *#/m);
});

test('answers that are left empty are the defaults', async () => {
  const { file, run } = await init([], '\n\n10.0.0.5:3000');
  expect(await run()).toBe(0);
  const { listen, services } = await settingsOf(file);
  expect(listen[0]?.address).toEqual({ host: '127.0.0.1', port: 8080 });
  expect(services[0]?.endpoints).toHaveProperty('static');
});

test('options ask nothing', async () => {
  const { file, run, terminal } = await init([
    '--listen',
    '127.0.0.1:80',
    '--host',
    '',
    '--serve',
    'docker nginx:1.27 80',
  ]);
  // An empty value is no value on the command line.
  expect(await run()).toBe(2);
  const given = await init(['--listen', '127.0.0.1:80', '--host', 'a.test', '--serve', 'docker nginx:1.27 80']);
  expect(await given.run()).toBe(0);
  expect(given.terminal.stdout).toHaveLength(1);
  expect((await settingsOf(given.file)).services[0]?.run).toMatchObject({ runtime: 'docker', image: 'nginx:1.27' });
  expect(terminal.stdout).toEqual([]);
  await expect(readFile(file)).rejects.toThrow();
});

test('a file that is there stays', async () => {
  const { file, run, terminal } = await init(['--listen', '127.0.0.1:80', '--host', 'a', '--serve', 'x:1']);
  await writeFile(file, 'mine');
  expect(await run()).toBe(1);
  expect(terminal.stderr[0]).toContain('is there already');
  expect(await readFile(file, 'utf8')).toBe('mine');
});

test('what would be no valid configuration is not written', async () => {
  const { cwd, run, terminal } = await init(['--listen', 'nowhere', '--host', 'a', '--serve', 'x:1']);
  expect(await run()).toBe(1);
  expect(terminal.stderr[0]).toMatch(/^pilotlight\.yaml:\d+:\d+ .*listen/);
  expect(await readdir(cwd)).toEqual([]);
});

test.each([
  ['npm start', { kind: 'command', words: ['npm', 'start'] }],
  ["sh -c 'a b'", { kind: 'command', words: ['sh', '-c', 'a b'] }],
  ['docker a/b:1 8080', { kind: 'docker', image: 'a/b:1', port: 8080 }],
  ['[::1]:80', { kind: 'running', address: '[::1]:80' }],
])('%s is understood', (text, expected) => {
  expect(readServe(text)).toEqual(expected);
});

test.each(['', 'docker', 'docker a', 'docker a 99999', 'docker a 1 2', 'a "b'])('%j is wrong usage', (text) => {
  expect(() => readServe(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
});

test('with --json the questions are no part of the answer, which is an object', async () => {
  const { run, terminal } = await init(['--json'], '\n\n10.0.0.5:3000');
  expect(await run()).toBe(0);
  expect(terminal.stderr).toHaveLength(3);
  expect(JSON.parse(terminal.stdout.join('\n'))).toEqual({ ok: true, file: 'pilotlight.yaml' });
});

test('and so are the mistakes, where nothing is written', async () => {
  const { cwd, run, terminal } = await init(['--json', '--listen', 'nowhere', '--host', 'a.test', '--serve', 'a:1']);
  expect(await run()).toBe(1);
  expect(JSON.parse(terminal.stdout.join('\n'))).toMatchObject({
    ok: false,
    problems: [{ path: 'listen[0].address' }],
  });
  expect([terminal.stderr, await readdir(cwd)]).toEqual([[], []]);
});
