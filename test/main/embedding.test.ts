import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { createPilotlight, PilotlightError } from '../../src/index.ts';
import { freePort } from '../support/free-port.ts';

const APP = "require('http').createServer((_, answer) => answer.end('hello')).listen(process.env.PORT)";

async function configuration() {
  const state = await mkdtemp(join(tmpdir(), 'pilotlight-embedded-'));
  onTestFinished(() => rm(state, { recursive: true, force: true }));
  const hello = {
    routes: [{ path: '/' }],
    run: { process: { command: [process.execPath, '-e', APP], env: { PORT: '{port}' } } },
    onExit: 'stop',
  };
  return {
    listen: [{ address: `127.0.0.1:${await freePort()}` }],
    admin: { address: `127.0.0.1:${await freePort()}` },
    state,
    services: { hello },
  };
}

test('a proxy within this process wakes a service, is reloaded, puts it to sleep, and ends without a trace', async () => {
  const config = await configuration();
  const signals = process.listenerCount('SIGTERM');
  const proxy = createPilotlight({ config, logLevel: 'silent' });
  onTestFinished(() => proxy.stop(AbortSignal.abort()));
  const types: string[] = [];
  proxy.events(({ type }) => types.push(type));
  await expect(proxy.services()).rejects.toMatchObject({ code: 'INTERNAL' });

  await proxy.start();
  const [{ host, port } = { host: '', port: 0 }] = proxy.listening;
  expect(await (await fetch(`http://${host}:${port}/`)).text()).toBe('hello');
  expect(types).toContain('ready');
  expect(await proxy.services()).toMatchObject([{ name: 'hello', state: 'ready' }]);

  const wrong = await proxy.reload({ ...config, servces: {} });
  expect(wrong).toMatchObject({ reloaded: false, problems: [expect.stringContaining('servces')] });
  const services = {
    ...config.services,
    other: { routes: [{ path: '/other' }], endpoints: { static: ['127.0.0.1:1'] } },
  };
  expect(await proxy.reload({ ...config, services })).toMatchObject({ reloaded: true, changed: true });
  expect((await proxy.services()).map(({ name }) => name)).toEqual(['hello', 'other']);

  await proxy.sleep('hello');
  await expect(proxy.wake('other')).rejects.toMatchObject({ code: 'SERVICE_NOT_RUNNABLE' });
  await proxy.stop();
  expect(proxy.listening).toEqual([]);
  await expect(fetch(`http://${host}:${port}/`)).rejects.toThrow();
  expect(process.listenerCount('SIGTERM')).toBe(signals);
  await expect(proxy.start()).rejects.toBeInstanceOf(PilotlightError);
});

test('a configuration that is wrong is an error with every problem, and may be mended', async () => {
  const proxy = createPilotlight({ config: { listen: 1, services: 2 }, env: {} });
  await expect(proxy.start()).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/listen.*; .*services/),
  });
  await proxy.stop();
});

test('a file is read with the variables that it is given', async () => {
  const proxy = createPilotlight({ config: '/nonexistent/pilotlight.yaml', env: {} });
  await expect(proxy.start()).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('no such file'),
  });
});

test('an object includes files too, and whoever stops it again waits for the same end', async () => {
  const { services, ...config } = await configuration();
  const more = join(config.state, 'more.yaml');
  await writeFile(more, JSON.stringify({ services }));
  const proxy = createPilotlight({ config: { ...config, include: more, services: {} }, logLevel: 'silent' });
  await proxy.start();
  expect((await proxy.services()).map(({ name }) => name)).toEqual(['hello']);
  const ends: string[] = [];
  const first = proxy.stop().then(() => ends.push('first'));
  const second = proxy.stop().then(() => ends.push('second'));
  await Promise.all([first, second]);
  expect(ends).toEqual(['first', 'second']);
});

test('an aborted start leaves nothing open', async () => {
  const config = await configuration();
  const proxy = createPilotlight({ config, logLevel: 'silent' });
  await expect(proxy.start(AbortSignal.abort(new Error('not now')))).rejects.toThrow('not now');
  await proxy.start();
  expect(proxy.admin?.host).toBe('127.0.0.1');
  await proxy.stop(AbortSignal.abort());
});

test('a program that has stopped its proxy ends by itself', async () => {
  const config = await configuration();
  const tokenFile = join(config.state, 'token');
  await writeFile(tokenFile, 'token');
  const whole = { ...config, consul: { address: 'http://127.0.0.1:1', tokenFile } };
  const program = `
    const { createPilotlight } = await import(${JSON.stringify(join(import.meta.dirname, '../../src/index.ts'))});
    const proxy = createPilotlight({ config: ${JSON.stringify(whole)}, logLevel: 'silent' });
    await proxy.start();
    await proxy.stop();
    console.log('stopped');`;
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { timeout: 120_000 });
  await expect(run).resolves.toMatchObject({ stdout: 'stopped\n' });
});
