import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { at, EdgeHarness, policy } from '../edge-harness.ts';
import { answering, Origin, OriginConnection, ok, until } from '../wire.ts';

/** A server on a unix socket that answers each request. */
async function socketServer(): Promise<{ path: string; server: Server; heads: string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'pilotlight-socket-'));
  const path = join(folder, 'Shop.sock');
  const heads: string[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const script = answering(({ head }) => {
      heads.push(head);
      return ok('by path');
    });
    void Promise.resolve(script(new OriginConnection(socket))).catch(() => socket.destroy());
  });
  onTestFinished(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return { path, server, heads };
}

test('a service behind a unix socket is reached, and its connection is used again', async () => {
  const { path, heads } = await socketServer();
  const edge = await EdgeHarness.start();
  edge.state({ endpoints: [at({ port: 0 }, { host: path })] });
  const client = await edge.connect();
  for (let index = 0; index < 2; index++) {
    client.get();
    expect((await client.answer()).text).toBe('by path');
  }
  expect(heads[1]).toContain('Host: app.test');
  expect(edge.accessed[0]).toMatchObject({ endpoint: `unix:${path}` });
});

test('a request without a Host has that of no path', async () => {
  const { path, heads } = await socketServer();
  const edge = await EdgeHarness.start();
  edge.state({ endpoints: [at({ port: 0 }, { host: path })] });
  const client = await edge.connect();
  client.write('GET / HTTP/1.0\r\n\r\n');
  await until(() => heads.length === 1, 'the request');
  expect(heads[0]).toContain('Host: localhost\r\n');
});

test('a probe of a unix socket succeeds, and of one that is not there says so', async () => {
  const { path } = await socketServer();
  const edge = await EdgeHarness.start();
  const check = { kind: 'http', path: '/', hostHeader: 'app.test', statusMin: 200, statusMax: 299 } as const;
  const probe = { type: 'probe', service: 'app', endpoint: 'e', port: 0, check, timeoutMs: 60_000 } as const;
  edge.send({ ...probe, probe: 'p1', host: path });
  expect(await edge.message('probed')).toMatchObject({ ok: true, host: path });
  edge.send({ ...probe, probe: 'p2', host: `${path}.gone` });
  expect(await edge.message('probing')).toMatchObject({ probe: 'p2', result: 'there is no such socket' });
});

test('a socket that is not there is told of, once for many requests', async () => {
  const edge = await EdgeHarness.start(policy({ retries: { max: 0 }, wakeable: false }));
  edge.state({ endpoints: [at({ port: 0 }, { host: '/nowhere/shop.sock' })] });
  const client = await edge.connect();
  for (let index = 0; index < 3; index++) {
    client.get();
    expect((await client.answer()).status).toBe(502);
  }
  expect(edge.all('unreachable')).toEqual([
    {
      type: 'unreachable',
      service: 'app',
      address: 'unix:/nowhere/shop.sock',
      reason: 'there is no such socket',
      count: 1,
    },
  ]);
});

test('a service on IPv6 is reached, and named in brackets', async () => {
  const origin = await Origin.listen(
    answering(() => ok('six')),
    '::1',
  );
  const edge = await EdgeHarness.start();
  edge.state({ endpoints: [at(origin, { host: '::1' })] });
  const client = await edge.connect();
  client.get();
  expect((await client.answer()).text).toBe('six');
  expect(edge.accessed[0]).toMatchObject({ endpoint: `[::1]:${origin.port}` });
});
