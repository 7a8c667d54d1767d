import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runConfigured } from '../../src/cli/run.ts';
import type { ProxyOptions, RunningProxy } from '../../src/cli/running-proxy.ts';
import { silentLogger } from '../../src/model/observe.ts';
import type { ControlApi } from '../../src/model/status.ts';
import { until } from '../support/until.ts';
import { fakeTerminal } from './fake-terminal.ts';

const CONFIGURATION = [
  'listen: [{ address: "[::1]:8080" }]',
  'services: { shop: { routes: [{ path: / }], endpoints: { static: [127.0.0.1:1] } } }',
].join('\n');

/** Runs a configuration over a proxy that serves nothing, until told to end it. */
async function run(interactive: boolean, logLevel?: 'debug') {
  const folder = await mkdtemp(join(tmpdir(), 'pilotlight-run-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'a.yaml');
  await writeFile(file, CONFIGURATION);
  const terminal = fakeTerminal({ interactive });
  const reloads: unknown[] = [];
  const proxy: RunningProxy = {
    listening: [{ host: '::1', port: 8080 }],
    admin: { host: '127.0.0.1', port: 9400 },
    logger: silentLogger,
    reload: async (settings, source) => {
      reloads.push(settings.services.map(({ name }) => name));
      return { ...source, reloaded: false, problems: [] };
    },
    refuseReload: (problems, source) => {
      reloads.push(problems);
      return { ...source, reloaded: false, problems: [...problems] };
    },
    sockets: [],
    api: {} as ControlApi,
    alone: async () => undefined,
    handedOver: { ticketKeys: { keys: '', madeAt: 0 }, endpoints: [], byHand: [], declarations: [] },
    letGo: async () => undefined,
    resume: async () => undefined,
    stop: async () => undefined,
  };
  let options: ProxyOptions | undefined;
  const start = async (_: unknown, given: ProxyOptions) => {
    options = given;
    return proxy;
  };
  const ended = runConfigured({ config: file, logLevel, logFormat: 'json' }, start, terminal);
  await until('started', () => options !== undefined);
  const end = async () => {
    process.emit('SIGTERM', 'SIGTERM');
    return ended;
  };
  return { file, terminal, reloads, options: options as unknown as ProxyOptions, end };
}

const event = {
  at: new Date(0).toISOString(),
  type: 'waking',
  service: 'shop',
  message: 'shop waking',
  data: {},
} as const;

test('a person sees where it serves and a line per event, and of the log what went wrong', async () => {
  const { terminal, options, end } = await run(true);
  await until('serving', () => terminal.stdout.includes('serving on [::1]:8080, admin on 127.0.0.1:9400'));
  options.onEvent(event);
  expect(terminal.stdout.at(-1)).toMatch(/ {2}shop {2}waking$/);
  expect(options.logLevel).toBe('warn');
  expect(await end()).toBe(0);
});

test('a service manager gets the log, and standard output stays empty', async () => {
  const { terminal, options, end } = await run(false);
  options.onEvent(event);
  expect(options.logLevel).toBe('info');
  expect(await end()).toBe(0);
  expect(terminal.stdout).toEqual([]);
});

test('the log level that is asked for is used', async () => {
  const { options, end } = await run(true, 'debug');
  expect(options.logLevel).toBe('debug');
  await end();
});

test('SIGHUP reads the file again: what is right is served, what is wrong is told with its place', async () => {
  const { file, reloads, end } = await run(false);
  await writeFile(file, CONFIGURATION.replace('shop', 'blog'));
  process.emit('SIGHUP', 'SIGHUP');
  await until('reloaded', () => reloads.length === 1);
  await writeFile(file, `lisen: []\n${CONFIGURATION}`);
  process.emit('SIGHUP', 'SIGHUP');
  await until('refused', () => reloads.length === 2);
  await rm(file);
  process.emit('SIGHUP', 'SIGHUP');
  await until('refused again', () => reloads.length === 3);
  expect(reloads).toEqual([
    ['blog'],
    [expect.stringContaining(`${file}:1:1  lisen: unknown key`)],
    [`${file}: no such file`],
  ]);
  await end();
});
