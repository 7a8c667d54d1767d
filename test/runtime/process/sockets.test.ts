import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { until } from '../../support/until.ts';
import { never, nodeSpec, processBench } from './processes.ts';

const bench = processBench();
const app = (host: string) =>
  `require('node:http').createServer((_, out) => out.end('six')).listen(process.env.PORT, '${host}')`;
const linux = process.platform === 'linux';

async function answers(port: number): Promise<boolean> {
  return fetch(`http://[::1]:${port}/`, { headers: { connection: 'close' } }).then(
    () => true,
    () => false,
  );
}

async function hasIpv6(): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false)).listen(0, '::1', () => server.close(() => resolve(true)));
  });
}

test.each(['::1', '::'])('what a replica has open on %s is its own', async (host) => {
  if (!linux || !(await hasIpv6())) return;
  const runtime = bench.runtime(await bench.stateDirectory());
  // The socket is one of a child, as where a package manager starts the app.
  const script = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(app(host))}])`;
  const { id, address, otherHost } = await runtime.start(nodeSpec(script), never);
  const port = address?.port as number;
  await until('it listens', () => answers(port));
  expect(otherHost).toBe('::1');
  expect(await runtime.owns?.(id, { host: '::1', port }, never)).toBe(true);
});

test('what another program has open there is not', async () => {
  if (!linux || !(await hasIpv6())) return;
  const runtime = bench.runtime(await bench.stateDirectory());
  const { id, address } = await runtime.start(nodeSpec('setInterval(() => {}, 1000)'), never);
  const port = address?.port as number;
  expect(await runtime.owns?.(id, { host: '::1', port }, never)).toBe(false);
  const stranger = createServer((socket) => socket.destroy());
  onTestFinished(() => void stranger.close());
  await new Promise<void>((resolve) => stranger.listen(port, '::1', resolve));
  expect(await runtime.owns?.(id, { host: '::1', port }, never)).toBe(false);
});
