import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { createAdmin } from '../../src/admin/create-admin.ts';
import { silentLogger } from '../../src/model/observe.ts';
import type { ReloadResult } from '../../src/model/reload.ts';
import { freePort } from '../support/free-port.ts';
import { exchange } from './exchange.ts';
import { FakeControl } from './fake-control.ts';
import { routeBook, serveAdmin } from './serve-admin.ts';

test('liveness is always ok, readiness follows the control plane', async () => {
  const { ask, control } = await serveAdmin();
  control.isReady = false;
  expect(await ask('GET', '/healthz')).toMatchObject({ status: 200, body: 'ok\n' });
  expect(await ask('GET', '/readyz')).toMatchObject({ status: 503, body: 'not ready\n' });
  control.awaits = 'Consul';
  expect(await ask('GET', '/readyz')).toMatchObject({ status: 503, body: 'not ready: waiting for Consul\n' });
  control.isReady = true;
  expect(await ask('GET', '/readyz')).toMatchObject({ status: 200, body: 'ready\n' });
});

test('metrics are brought up to date and sent as the text format', async () => {
  const { ask, control } = await serveAdmin();
  const answer = await ask('GET', '/metrics');
  expect(answer).toMatchObject({ status: 200, body: '# TYPE pilotlight_held gauge\n' });
  expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(control.asked).toEqual(['collect']);
});

test('services are listed and read one by one', async () => {
  const { ask } = await serveAdmin();
  const all = await ask('GET', '/v1/services');
  expect(all.headers['content-type']).toBe('application/json');
  expect(JSON.parse(all.body).map(({ name }: { name: string }) => name)).toEqual(['shop', 'wiki']);
  const one = await ask('GET', '/v1/services/%73hop');
  expect(JSON.parse(one.body)).toMatchObject({ name: 'shop', state: 'asleep' });
});

test('routes are listed, and one request is explained', async () => {
  const { ask } = await serveAdmin();
  const hosts = async (query: string) => {
    const { body } = await ask('GET', `/v1/routes${query}`);
    return JSON.parse(body).map(({ host }: { host: string }) => host);
  };
  expect(await hosts('')).toEqual(['shop.example.com']);
  expect(await hosts('?host=other.example.com')).toEqual([]);
  const asked = await ask(
    'GET',
    `/v1/routes/explain?method=GET&url=${encodeURIComponent('http://shop.example.com/a')}`,
  );
  expect(JSON.parse(asked.body)).toMatchObject({ host: 'shop.example.com', path: '/a', elsewhere: 1 });
  const nothing = await ask('GET', '/v1/routes/explain');
  expect(JSON.parse(nothing.body)).toMatchObject({ status: 400, code: 'QUERY_INVALID' });
});

test('the endpoints of a service are told', async () => {
  const { ask } = await serveAdmin();
  const answer = await ask('GET', '/v1/services/shop/endpoints');
  expect(JSON.parse(answer.body)).toMatchObject([{ address: '127.0.0.1:3000', reason: 'ejected' }]);
  expect((await ask('GET', '/v1/services/nope/endpoints')).status).toBe(404);
});

test('the last output of replicas is told, as many lines as are asked for', async () => {
  const { ask, control } = await serveAdmin();
  expect(JSON.parse((await ask('GET', '/v1/services/shop/logs')).body)).toMatchObject([{ lines: ['listening'] }]);
  await ask('GET', '/v1/services/shop/logs?lines=7');
  expect(control.asked).toEqual(['output shop 50', 'output shop 7']);
  for (const lines of ['0', '1001', '-1', 'x', '']) {
    expect((await ask('GET', `/v1/services/shop/logs?lines=${lines}`)).status).toBe(400);
  }
});

test('the log level is told and changed', async () => {
  const { ask, port } = await serveAdmin();
  const post = async (body: string) => {
    const head = `POST /v1/log-level HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n`;
    return exchange(port, `${head}Content-Length: ${body.length}\r\n\r\n${body}`);
  };
  expect(JSON.parse((await ask('GET', '/v1/log-level')).body)).toEqual({ level: 'info' });
  expect(JSON.parse((await post('{"level":"debug"}')).body)).toEqual({ level: 'debug' });
  expect(JSON.parse((await ask('GET', '/v1/log-level')).body)).toEqual({ level: 'debug' });
  for (const body of ['{"level":"loud"}', 'null', 'debug', '']) expect((await post(body)).status).toBe(400);
});

test('HEAD is GET without the body', async () => {
  const { ask } = await serveAdmin();
  const [get, headAnswer] = [await ask('GET', '/v1/services'), await ask('HEAD', '/v1/services')];
  expect(headAnswer).toMatchObject({ status: 200, body: '' });
  expect(headAnswer.headers['content-length']).toBe(get.headers['content-length']);
});

test.each(['wake', 'sleep'])('POST %s acts on the service and answers with it', async (what) => {
  const { ask, control } = await serveAdmin();
  const answer = await ask('POST', `/v1/services/shop/${what}`);
  expect(answer.status).toBe(200);
  expect(JSON.parse(answer.body)).toMatchObject({ name: 'shop' });
  expect(control.asked).toEqual([`${what} shop`]);
});

describe('problems', () => {
  test.each([
    ['GET', '/v1/services/nope', 404, 'SERVICE_UNKNOWN'],
    ['POST', '/v1/services/nope/wake', 404, 'SERVICE_UNKNOWN'],
    ['POST', '/v1/services/wiki/sleep', 409, 'SERVICE_NOT_RUNNABLE'],
    ['GET', '/dash', 404, 'NOT_FOUND'],
    ['GET', '/v1/services/', 404, 'NOT_FOUND'],
    ['GET', '/v1/services/%zz', 404, 'NOT_FOUND'],
    ['GET', '/v1/services/shop/wake/now', 404, 'NOT_FOUND'],
    ['GET', '/healthz/', 404, 'NOT_FOUND'],
  ])('%s %s is %d %s', async (method, path, status, code) => {
    const answer = await (await serveAdmin()).ask(method, path);
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(JSON.parse(answer.body)).toMatchObject({ type: 'about:blank', status, code });
  });

  test.each([
    ['POST', '/healthz', 'GET, HEAD'],
    ['POST', '/v1/services', 'GET, HEAD'],
    ['DELETE', '/v1/services/shop', 'GET, HEAD'],
    ['GET', '/v1/services/shop/wake', 'POST'],
    ['OPTIONS', '/v1/services/shop/sleep', 'POST'],
  ])('%s %s is 405 and names what is allowed: %s', async (method, path, allowed) => {
    const answer = await (await serveAdmin()).ask(method, path);
    expect(answer.status).toBe(405);
    expect(answer.headers['allow']).toBe(allowed);
    expect(JSON.parse(answer.body).code).toBe('METHOD_NOT_ALLOWED');
  });

  test('an error that is not ours is 500 without its text', async () => {
    const { ask, control } = await serveAdmin();
    control.failure = new Error('secret path /var/secret');
    const answer = await ask('GET', '/metrics');
    expect(JSON.parse(answer.body)).toEqual({
      type: 'about:blank',
      status: 500,
      title: 'Internal error',
      code: 'INTERNAL',
    });
  });

  test('a control plane that hangs is 503 after ten seconds, and its late answer goes nowhere', async () => {
    const { ask, control, clock } = await serveAdmin();
    let goOn = (): void => undefined;
    control.pause = new Promise((resolve) => {
      goOn = resolve;
    });
    const asked = ask('GET', '/v1/services');
    const advance = setInterval(() => clock.advance(1000), 5);
    const answer = await asked.finally(() => clearInterval(advance));
    expect(answer.status).toBe(503);
    expect(clock.now()).toBeGreaterThanOrEqual(10_000);
    goOn();
    expect((await ask('GET', '/healthz')).status).toBe(200);
  });
});

describe('limits', () => {
  test('a head over 16 KiB is 431', async () => {
    const { ask } = await serveAdmin();
    expect((await ask('GET', '/healthz', { 'X-Filler': 'x'.repeat(20_000) })).status).toBe(431);
  });

  test('what is not HTTP is 400', async () => {
    const { port } = await serveAdmin();
    expect((await exchange(port, 'hello there\r\n\r\n')).status).toBe(400);
  });

  test('a little body is read past, a large one is 413: announced or chunked', async () => {
    const { port, ask, control } = await serveAdmin();
    const start = `POST /v1/services/shop/wake HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n`;
    const small = await exchange(port, `${start}Content-Length: 2\r\n\r\n{}`);
    expect(small.status).toBe(200);
    expect((await ask('POST', '/v1/services/shop/wake', { 'Content-Length': '999999' })).status).toBe(413);
    const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
    const chunked = await exchange(port, `${start}Transfer-Encoding: chunked\r\n\r\n${chunk}${chunk}0\r\n\r\n`);
    expect(chunked.status).toBe(413);
    expect(control.asked).toEqual(['wake shop']);
  });
});

test('an address in use is one line with a code', async () => {
  const { port } = await serveAdmin();
  const settings = { address: { host: '127.0.0.1', port }, token: undefined };
  const second = createAdmin({
    settings,
    api: new FakeControl(),
    renderMetrics: () => '',
    logger: silentLogger,
    routes: routeBook([]),
    logLevel: { get: () => 'info', set: () => undefined },
  });
  await expect(second.listen()).rejects.toMatchObject({
    code: 'ADDRESS_IN_USE',
    message: `cannot listen on the admin address 127.0.0.1:${port}: the address is in use`,
  });
  await second.close();
});

test('an address of another machine is one line with a code', async () => {
  const settings = { address: { host: '203.0.113.1', port: 0 }, token: 'x' };
  const admin = createAdmin({
    settings,
    api: new FakeControl(),
    renderMetrics: () => '',
    logger: silentLogger,
    routes: routeBook([]),
    logLevel: { get: () => 'info', set: () => undefined },
  });
  await expect(admin.listen()).rejects.toMatchObject({ code: 'ADDRESS_FORBIDDEN' });
});

test('closing frees the port and does not wait for idle connections', async () => {
  const { port, close } = await serveAdmin({ port: await freePort() });
  const kept = await fetch(`http://127.0.0.1:${port}/healthz`);
  await kept.text();
  await close();
  await new Promise<void>((resolve, reject) => {
    const other = createServer();
    other.once('error', reject);
    other.listen(port, '127.0.0.1', () => other.close(() => resolve()));
  });
});

test('a reload is answered with what changed, one that is refused with every problem', async () => {
  const source = { file: '/a.yaml', modified: '2026-05-01T10:00:00.000Z' };
  const none = { added: [], removed: [], changed: [] };
  const changes = { services: { ...none, added: ['a'] }, listeners: none, keys: [], needRestart: ['workers'] };
  const results: ReloadResult[] = [
    { ...source, reloaded: true, changed: true, changes },
    { ...source, reloaded: false, problems: ['one', 'two'] },
  ];
  const { ask } = await serveAdmin({ reload: async () => results.shift() as ReloadResult });
  const done = await ask('POST', '/v1/reload');
  expect(done.status).toBe(200);
  expect(JSON.parse(done.body)).toEqual({ ...source, reloaded: true, changed: true, changes });
  const refused = await ask('POST', '/v1/reload');
  expect(refused.status).toBe(422);
  expect(JSON.parse(refused.body)).toMatchObject({
    code: 'CONFIG_INVALID',
    detail: 'one',
    problems: ['one', 'two'],
    ...source,
  });
  expect((await ask('GET', '/v1/reload')).status).toBe(405);
  expect((await ask('POST', '/v1/reload', { Origin: 'http://evil.example' })).status).toBe(403);
});

test('where there is no file to read again, there is no reload', async () => {
  const { ask } = await serveAdmin();
  expect((await ask('POST', '/v1/reload')).status).toBe(404);
});
