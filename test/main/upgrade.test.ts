import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { descriptorOf } from '../../src/util/listening.ts';
import { holderOf } from '../../src/util/state-directory.ts';
import { FakeConsul } from '../discovery/consul/fake-consul.ts';
import { freePort } from '../support/free-port.ts';
import { killIfAlive } from '../support/marked-processes.ts';
import { isAlive } from '../support/remains.ts';
import { until } from '../support/until.ts';
import { demoService, logOf, type Place, pilotlight, place, serve } from './program.ts';

const MAIN = join(import.meta.dirname, '../../src/pilotlight.ts');

/** Ends whatever runs the configuration by now, and waits for it. */
async function endOf(at: Place): Promise<void> {
  const pid = await holderOf(join(at.folder, 'state'));
  if (pid !== undefined) killIfAlive(pid, 'SIGTERM');
  await until('ended', async () => (await holderOf(join(at.folder, 'state'))) === undefined);
}

test('the command replaces a running proxy by one that reads the configuration anew', async () => {
  const at = await place();
  const hello = demoService('hello', {}, false);
  await at.write({ services: { hello } });
  const program = await serve(at);
  onTestFinished(() => endOf(at));
  const before = await (await fetch(`${at.url}/hello`)).text();
  await at.write({ services: { hello, other: demoService('slow', { routes: [{ path: '/o' }] }) } });
  const upgrade = pilotlight(['upgrade', '--json', '-c', at.file]);
  expect(await upgrade.exit).toBe(0);
  expect(JSON.parse(upgrade.stdout)).toEqual({ before: program.child.pid, process: expect.any(Number) });
  await until('the old process is seen to end', () => program.child.exitCode === 0);
  expect(await (await fetch(`${at.url}/hello`)).text()).toBe(before);
  const services = (await (await fetch(`${at.admin}/v1/services`)).json()) as { name: string }[];
  expect(services.map(({ name }) => name)).toEqual(['hello', 'other']);
});

test('reloads that the old process is asked for during an upgrade are not lost: the last file is in force', async () => {
  const at = await place();
  const program = await serve(at);
  onTestFinished(() => endOf(at));
  const write = (round: number) =>
    at.write({ services: { last: { routes: [{ path: `/round-${round}` }], endpoints: { static: ['127.0.0.1:1'] } } } });
  program.child.kill('SIGUSR2');
  let round = 0;
  do {
    await write(++round);
    program.child.kill('SIGHUP');
    await new Promise((resolve) => setTimeout(resolve, 100));
  } while (!logOf(program).some(({ event }) => event === 'upgraded'));
  // The last signal may have come too late, to a process that was about to end. Nobody listens there, but it is routed.
  const isRouted = async (name: number) => (await fetch(`${at.url}/round-${name}`)).status === 502;
  await until('the last routes', async () => (await isRouted(round)) || (await isRouted(round - 1)));
});

test('the command says so when nothing runs, or the configuration is wrong', async () => {
  const at = await place();
  const none = pilotlight(['upgrade', '-c', at.file]);
  expect(await none.exit).toBe(1);
  expect(none.stderr).toContain('no Pilotlight runs');
  await at.write({ frobnicate: 1 });
  const wrong = pilotlight(['upgrade', '-c', at.file]);
  expect(await wrong.exit).toBe(1);
  expect(wrong.stderr).toContain('unknown key');
});

test('the command says why the new process came to nothing', async () => {
  const at = await place();
  const hook = join(at.folder, 'hook.mjs');
  await writeFile(hook, '');
  await serve(at, [], { env: { NODE_OPTIONS: `--import ${hook}` } });
  await writeFile(hook, 'process.exit(7);');
  const upgrade = pilotlight(['upgrade', '-c', at.file]);
  expect(await upgrade.exit).toBe(1);
  expect(upgrade.stderr).toMatch(/^pilotlight: process \d+: not upgraded, .*the new process ended with code 7\n$/);
  expect((await fetch(`${at.url}/hello`)).status).toBe(200);
});

test('stopped right after an upgrade, the new process stops the replicas of both', async () => {
  const at = await place();
  const program = await serve(at);
  const pid = Number(/process (\d+)/.exec(await (await fetch(`${at.url}/hello`)).text())?.[1]);
  program.child.kill('SIGUSR2');
  await until('it is told', () => logOf(program).some(({ event }) => event === 'upgraded'));
  await endOf(at);
  await until('the replica is gone', () => {
    try {
      return !process.kill(pid, 0);
    } catch {
      return true;
    }
  });
});

test('stopped before its successor serves, the old process takes the replicas back and stops them', async () => {
  const at = await place();
  // Nobody answers there: a successor waits for it before it serves.
  const consul = { address: `http://127.0.0.1:${await freePort()}` };
  const elsewhere = { routes: [{ path: '/e' }], endpoints: { consul: { service: 'elsewhere' } } };
  await at.write({ consul, services: { hello: demoService('hello', {}, false), elsewhere } });
  const program = await serve(at);
  onTestFinished(() => endOf(at));
  const pid = Number(/process (\d+)/.exec(await (await fetch(`${at.url}/hello`)).text())?.[1]);
  program.child.kill('SIGUSR2');
  await until('the replicas are handed over', async () => {
    const holder = await holderOf(join(at.folder, 'state'));
    return holder !== undefined && holder !== program.child.pid;
  });
  program.child.kill('SIGTERM');
  expect(await program.exit).toBe(0);
  expect(logOf(program).some(({ event }) => event === 'upgraded')).toBe(false);
  expect(isAlive(pid)).toBe(false);
});

test('sockets of a supervisor are accepted from (LISTEN_FDS), and those of another process are not', async () => {
  const at = await place();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(at.port, '127.0.0.1', () => resolve()));
  const start = (own: boolean) => {
    const program = `process.env.LISTEN_PID = String(process.pid + ${own ? 0 : 1});
      process.argv = [process.argv[0], ${JSON.stringify(MAIN)}, 'run', '-c', ${JSON.stringify(at.file)}];
      await import(${JSON.stringify(MAIN)});`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', LISTEN_FDS: '1' },
      stdio: ['ignore', 'ignore', 'pipe', descriptorOf(server)],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    return child;
  };
  // Bound by the supervisor: whoever does not take the socket finds the address in use.
  const [code] = await once(start(false), 'exit');
  expect(code).toBe(1);
  const child = start(true);
  server.close();
  await until('ready', async () => (await fetch(`${at.admin}/readyz`).catch(() => undefined))?.status === 200);
  expect((await fetch(`${at.url}/hello`)).status).toBe(200);
  child.kill('SIGTERM');
  expect((await once(child, 'exit'))[0]).toBe(0);
});

test('a successor routes as before to what Consul listed, though Consul is away', async () => {
  const app = createHttpServer((_, answer) => answer.end('here'));
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void app.close().closeAllConnections());
  const consul = await FakeConsul.open();
  const Service = { ID: 'shop-1', Service: 'shop', Address: '127.0.0.1', Port: (app.address() as AddressInfo).port };
  consul.set('shop', [{ Node: { Node: 'n', Address: '127.0.0.1' }, Service, Checks: [] }]);
  const shop = { routes: [{ path: '/' }], endpoints: { consul: { service: 'shop' } } };
  const at = await place({ consul: { address: consul.address }, services: { shop } });
  const program = await serve(at);
  onTestFinished(() => endOf(at));
  await until('it is routed', async () => (await fetch(at.url)).status === 200);
  await consul.close();
  const upgrade = pilotlight(['upgrade', '-c', at.file]);
  expect(await upgrade.exit, upgrade.stderr).toBe(0);
  await until('the old process is seen to end', () => program.child.exitCode === 0);
  const answer = await fetch(at.url);
  expect([answer.status, await answer.text()]).toEqual([200, 'here']);
});
