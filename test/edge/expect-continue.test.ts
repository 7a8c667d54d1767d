import { expect, test } from 'vitest';
import { at, EdgeHarness, policy } from './edge-harness.ts';
import { Origin, ok, silent } from './wire.ts';

const POST = 'POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n';
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

test('a client that waits for its 100 is not slow with its body, neither held nor at a slow service', async () => {
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
  await h.pass(20_000, 1000);
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
