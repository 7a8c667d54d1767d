import { expect, test } from 'vitest';
import type { AccessRecord } from '../../../src/model/access.ts';
import { listenSettings } from '../../support/listen-settings.ts';
import { EdgeHarness } from '../edge-harness.ts';
import { rules, serve } from '../route/rules.ts';
import { Client, Origin } from '../wire.ts';

test.each([
  ['what is not HTTP', 'GET /secret\x00 HTTP/1.1\r\n\r\n', 400],
  ['a target beyond the limit', `GET /${'a'.repeat(9000)} HTTP/1.1\r\nHost: app.test\r\n\r\n`, 414],
  ['a version that is not spoken', 'GET /secret HTTP/2.0\r\nHost: app.test\r\n\r\n', 505],
])('%s is a line too, which tells nothing of what was sent', async (_, bytes, status) => {
  const harness = await EdgeHarness.start();
  const client = await harness.connect();
  client.write(bytes);
  const answer = await client.answer();
  expect(answer.status).toBe(status);
  expect(harness.accessed).toHaveLength(1);
  expect(harness.accessed[0]).toMatchObject({
    client: '127.0.0.1',
    status,
    method: '',
    target: '',
    ending: 'refused',
    requestId: answer.fields['x-request-id']?.[0],
  });
  expect(harness.accessed[0]?.bytesOut).toBeGreaterThan(answer.body.length);
  expect(bodyBytes(harness.accessed[0])).toBe(answer.body.length);
});

test('a slow head is a line when its time is up', async () => {
  const harness = await EdgeHarness.start(undefined, {}, { headMs: 1000 });
  const client = await harness.connect();
  client.write('GET / HT');
  await harness.taken(client);
  harness.clock.advance(2000);
  await client.answer();
  expect(harness.accessed.map(({ status }) => status)).toEqual([408]);
});

test('the bytes of an answer of our own are counted, as those of a service are', async () => {
  const { harness } = await serve({
    '/': undefined,
    '/old': rules({ redirect: { to: '/new', status: 308 } }),
  });
  const client = await harness.connect();
  for (const path of ['/old', '/']) {
    client.get(path);
    await client.answer();
  }
  const [redirect, answer] = harness.accessed;
  expect(redirect).toMatchObject({ status: 308, ending: 'complete' });
  expect(redirect?.bytesOut).toBeGreaterThan('Permanent Redirect\n'.length + 'HTTP/1.1 308'.length);
  expect(answer?.bytesOut).toBeGreaterThan(0);
});

test('heads are told apart from bodies, also where there is no body', async () => {
  const { harness } = await serve({ '/': undefined, '/old': rules({ redirect: { to: '/new', status: 308 } }) });
  const client = await harness.connect();
  const bodies: number[] = [];
  for (const path of ['/old', '/', '/nowhere']) {
    client.get(path);
    bodies.push((await client.answer()).body.length);
  }
  expect(harness.accessed.map(bodyBytes)).toEqual(bodies);
  client.write('HEAD /old HTTP/1.1\r\nHost: app.test\r\n\r\n');
  await client.answer('HEAD');
  expect(bodyBytes(harness.accessed.at(-1))).toBe(0);
});

function bodyBytes(record: AccessRecord | undefined): number {
  return record === undefined ? Number.NaN : record.bytesOut - record.headOut;
}

test('the line of a client that left says where it came in', async () => {
  const harness = await EdgeHarness.start();
  harness.state();
  const client = await harness.connect();
  client.get();
  await harness.held(1);
  client.reset();
  await harness.connections(0);
  expect(harness.accessed).toMatchObject([{ status: 499, listener: `127.0.0.1:${harness.port}` }]);
});

test('the line of a tunnel tells which side broke it', async () => {
  const origin = await Origin.listen(async (connection) => {
    await connection.head();
    connection.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n');
    if ((await connection.readThrough('break')) !== undefined) connection.reset();
  });
  const harness = await EdgeHarness.ready(origin);
  for (const [index, ending] of ['upstream-broke', 'client-left'].entries()) {
    const client = await harness.connect();
    client.get('/', 'Connection: Upgrade\r\nUpgrade: foo\r\n');
    expect((await client.answer()).status).toBe(101);
    if (ending === 'client-left') client.reset();
    else client.write('break');
    await harness.inFlight(0);
    await harness.connections(0);
    expect(harness.accessed[index]).toMatchObject({ status: 101, ending });
  }
});

test('the line of a tunnel in which nothing passed for too long says so', async () => {
  const origin = await Origin.listen(async (connection) => {
    await connection.head();
    connection.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n');
  });
  const harness = await EdgeHarness.ready(origin, { timeouts: { tunnelMs: 5000 } });
  const client = await harness.connect();
  client.get('/', 'Connection: Upgrade\r\nUpgrade: foo\r\n');
  expect((await client.answer()).status).toBe(101);
  harness.clock.advance(6000);
  await client.readAll();
  await harness.inFlight(0);
  expect(harness.accessed).toMatchObject([{ status: 101, ending: 'silent' }]);
});

test('the address that a client of IPv6 or of a listener for both connected to is written as it is dialled', async () => {
  const origin = await Origin.listen();
  const harness = await EdgeHarness.ready(origin);
  const [bound] = await harness.edge.listen([listenSettings({}, { host: '::', port: 0 })]);
  const port = bound?.port ?? 0;
  for (const host of ['127.0.0.1', '::1']) {
    const client = await Client.open(port, host);
    client.get();
    await client.answer();
  }
  expect(harness.accessed.map(({ client, listener }) => [client, listener])).toEqual([
    ['127.0.0.1', `127.0.0.1:${port}`],
    ['::1', `[::1]:${port}`],
  ]);
});
