import { createServer, type Server } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import type { ServiceStatus } from '../../src/model/status.ts';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/until.ts';
import { logOf, type Place, place, serve } from './program.ts';

interface Backend {
  address: string;
  port: number;
  /** Whether `/healthz` is answered by 200. */
  healthy: boolean;
  server: Server;
}

/** A server that answers with its name. */
async function backend(name: string): Promise<Backend> {
  const server = createServer((request, response) => {
    if (request.url === '/healthz') response.statusCode = own.healthy ? 200 : 503;
    response.end(name);
  });
  // Nobody else is given it, also once this server is gone.
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const own: Backend = { address: `127.0.0.1:${port}`, port, healthy: true, server };
  return own;
}

/** What answered each of so many requests. */
async function answers(at: Place, count: number, headers: Record<string, string> = {}): Promise<string> {
  let names = '';
  for (let i = 0; i < count; i++) names += await (await fetch(at.url, { headers })).text();
  return names;
}

const service = (keys: Record<string, unknown>) => ({ services: { app: { routes: [{}], ...keys } } });

test('requests go by the weights that the file gives, and to a backup when nothing else is left', async () => {
  const [a, b, c] = [await backend('a'), await backend('b'), await backend('c')];
  const at = await place(
    service({
      endpoints: { static: [{ address: a.address, weight: 3 }, b.address, { address: c.address, backup: true }] },
      balance: 'round-robin',
      // Both of the others are tried before the backup.
      retries: { max: 2 },
    }),
  );
  await serve(at);
  expect([...(await answers(at, 8))].sort().join('')).toBe('aaaaaabb');
  for (const { server } of [a, b]) {
    server.closeAllConnections();
    server.close();
  }
  expect(await answers(at, 4)).toBe('cccc');
});

test('an address that is not there is noticed by checks, by name as well as by number', async () => {
  const a = await backend('a');
  const dead = await freePort();
  const at = await place(
    service({
      endpoints: { static: [`localhost:${a.port}`, `127.0.0.1:${dead}`] },
      health: { path: '/healthz', interval: '200ms' },
    }),
  );
  const program = await serve(at);
  const says = (text: string) => () => logOf(program).some(({ msg }) => String(msg).includes(text));
  await until('unhealthy', says('endpoint is unhealthy now: refused'));
  expect(await answers(at, 6)).toBe('aaaaaa');
  const { replicas } = (await (await fetch(`${at.admin}/v1/services/app`)).json()) as ServiceStatus;
  expect(replicas.map(({ address, condition }) => [address, condition])).toEqual([
    [`localhost:${a.port}`, undefined],
    [`127.0.0.1:${dead}`, 'unhealthy'],
  ]);
  a.healthy = false;
  await until('503', async () => (await fetch(at.url)).status === 503);
  a.healthy = true;
  await until('200', async () => (await fetch(at.url)).status === 200);
});

test('a cookie leads to the same address after a restart', async () => {
  const backends = [await backend('a'), await backend('b'), await backend('c'), await backend('d')];
  const at = await place(
    service({ endpoints: { static: backends.map(({ address }) => address) }, sticky: { cookie: 'replica' } }),
  );
  const program = await serve(at);
  const first = await fetch(at.url);
  const cookie = first.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const name = await first.text();
  expect(await answers(at, 12, { cookie })).toBe(name.repeat(12));
  program.child.kill('SIGTERM');
  await program.exit;
  await serve(at);
  expect(await answers(at, 12, { cookie })).toBe(name.repeat(12));
});
