import { describe, expect, test } from 'vitest';
import { at, EdgeHarness, policy } from '../edge-harness.ts';
import { Origin, ok, silent } from '../wire.ts';

const POST = 'POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n';
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

test('a client that waits for its 100 is not slow with its body while it is held', async () => {
  const origin = await Origin.listen(silent);
  const h = await EdgeHarness.start(policy(), {}, { bodyMs: 5000 });
  h.state();
  const client = await h.connect();
  client.write(POST);
  await h.held(1);
  await h.pass(20_000, 1000);
  h.state({ endpoints: [at(origin)] });
  const upstream = await origin.connection();
  expect(await upstream.head()).toContain('Expect: 100-continue');
  await h.pass(900, 100);
  expect(client.total).toBe(0);
  upstream.write(CONTINUE);
  expect(await client.readThrough('\r\n\r\n')).toBe(CONTINUE);
  client.write('hello');
  expect((await upstream.readExactly(5)).toString()).toBe('hello');
  upstream.write(ok('late'));
  expect(await client.answer()).toMatchObject({ status: 200, text: 'late' });
});

test.each([
  ['its 100 came', CONTINUE, ''],
  ['it began without one', '', 'he'],
])('a client is slow with its body once %s', async (_when, interim, beginning) => {
  const origin = await Origin.listen(silent);
  const h = await EdgeHarness.start(policy(), {}, { bodyMs: 5000 });
  h.state({ endpoints: [at(origin)] });
  const client = await h.connect();
  client.write(POST);
  const upstream = await origin.connection();
  await upstream.head();
  if (interim !== '') {
    upstream.write(interim);
    await client.readThrough('\r\n\r\n');
  }
  client.write(beginning);
  await h.taken(client);
  await h.pass(4000, 1000);
  await h.inFlight(1);
  await h.pass(2000, 500);
  expect((await client.answer()).status).toBe(408);
});

describe('an upstream that says no 100', () => {
  const started = async () => {
    const origin = await Origin.listen(silent);
    const h = await EdgeHarness.start(policy({ timeouts: { firstByteMs: 10_000 } }), {}, { bodyMs: 5000 });
    h.state({ endpoints: [at(origin)] });
    const client = await h.connect();
    client.write(POST);
    const upstream = await origin.connection();
    await upstream.head();
    return { origin, h, client, upstream };
  };

  test('is spoken for after a second: the client goes on, and gets one 100 only', async () => {
    const { h, client, upstream } = await started();
    await h.pass(900, 100);
    expect(client.total).toBe(0);
    await h.pass(200, 100);
    expect(await client.readThrough('\r\n\r\n')).toBe(CONTINUE);
    client.write('hello');
    expect((await upstream.readExactly(5)).toString()).toBe('hello');
    upstream.write(`${CONTINUE}${ok('late')}`);
    expect(await client.answer('POST')).toMatchObject({ status: 200, text: 'late', interim: [] });
  });

  test('is spoken for at once when its last answer was of HTTP/1.0', async () => {
    const { origin, h, client, upstream } = await started();
    await h.pass(1100, 100);
    await client.readThrough('\r\n\r\n');
    client.write('hello');
    await upstream.readExactly(5);
    upstream.write('HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok');
    upstream.end();
    expect((await client.answer('POST')).text).toBe('ok');
    client.write(POST);
    expect(await client.readThrough('\r\n\r\n')).toBe(CONTINUE);
    client.write('again');
    const next = await origin.connection(1);
    await next.head();
    expect((await next.readExactly(5)).toString()).toBe('again');
    next.write('HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok');
    expect((await client.answer('POST')).text).toBe('ok');
  });

  test('is not to blame for a client that does not go on then', async () => {
    const { h, client } = await started();
    await h.pass(6500, 500);
    await client.readThrough('\r\n\r\n');
    expect((await client.answer('POST')).status).toBe(408);
    expect(await h.sum('shed')).toBe(0);
  });

  test('is to blame when it does not answer a client that goes on', async () => {
    const { h, client } = await started();
    await h.pass(1100, 100);
    await client.readThrough('\r\n\r\n');
    client.write('hello');
    await h.taken(client);
    await h.pass(10_500, 500);
    expect((await client.answer('POST')).status).toBe(504);
  });
});
