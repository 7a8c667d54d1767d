import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { HostPort } from '../../../src/model/settings.ts';
import { until } from '../../support/until.ts';
import { never, nodeSpec, processBench, STOP } from './processes.ts';

const bench = processBench();
const app = (host: string) =>
  `require('node:http').createServer((_, out) => out.end('six')).listen(process.env.PORT, '${host}')`;
const linux = process.platform === 'linux';

async function hasIpv6(): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false)).listen(0, '::1', () => server.close(() => resolve(true)));
  });
}

test.each(['::1', '::', '127.0.0.1', '0.0.0.0'])('what a replica has open on %s is its own', async (host) => {
  const isSix = host.startsWith('::');
  if (!linux || (isSix && !(await hasIpv6()))) return;
  const runtime = bench.runtime(await bench.stateDirectory());
  // The socket is one of a child, as where a package manager starts the app.
  const script = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(app(host))}])`;
  const { id, address, otherHost } = await runtime.start(nodeSpec(script), never);
  const port = address?.port as number;
  const there = { host: isSix ? '::1' : '127.0.0.1', port };
  await until('it listens', async () => (await runtime.listener?.(id, there, never))?.by !== 'nobody');
  expect(otherHost).toBe('::1');
  expect(await runtime.listener?.(id, there, never)).toEqual({ by: 'replica' });
  if (host === '::')
    expect(await runtime.listener?.(id, { ...there, host: '127.0.0.1' }, never)).toEqual({ by: 'replica' });
});

test("what a child has open that leads a session of its own is the replica's", async () => {
  if (!linux) return;
  const runtime = bench.runtime(await bench.stateDirectory());
  const script = `
    const child = require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(app('127.0.0.1'))}], { detached: true });
    process.on('SIGTERM', () => { child.kill(); process.exit(); });
  `;
  const { id, address } = await runtime.start(nodeSpec(script), never);
  const there = address as HostPort;
  await until('it listens', async () => (await runtime.listener?.(id, there, never))?.by !== 'nobody');
  expect(await runtime.listener?.(id, there, never)).toEqual({ by: 'replica' });
  await runtime.stop(id, STOP, never);
});

test.each(['::1', '127.0.0.1'])(
  'what another program has open on %s is not, and it is told which one',
  async (host) => {
    if (!linux || (host === '::1' && !(await hasIpv6()))) return;
    const runtime = bench.runtime(await bench.stateDirectory());
    const { id, address } = await runtime.start(nodeSpec('setInterval(() => {}, 1000)'), never);
    const there = { host, port: address?.port as number };
    expect(await runtime.listener?.(id, there, never)).toEqual({ by: 'nobody' });
    await strangerAt(there);
    expect(await runtime.listener?.(id, there, never)).toEqual({ by: 'stranger', pid: process.pid });
  },
);

test('where a replica lets others listen for it nobody is called a stranger', async () => {
  const folder = await bench.stateDirectory();
  const runtime = bench.runtime(folder);
  const spec = nodeSpec('setInterval(() => {}, 1000)', { listener: 'any' });
  const { id, address } = await runtime.start(spec, never);
  await strangerAt(address as HostPort);
  expect(await runtime.listener?.(id, address as HostPort, never)).toBeUndefined();
  const next = bench.runtime(folder);
  await next.list([], never);
  expect(await next.listener?.(id, address as HostPort, never)).toBeUndefined();
});

async function strangerAt({ host, port }: HostPort): Promise<void> {
  const stranger = createServer((socket) => socket.destroy());
  onTestFinished(() => void stranger.close());
  await new Promise<void>((resolve) => stranger.listen(port, host, resolve));
}
