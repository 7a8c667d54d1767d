import { expect, test } from 'vitest';
import { at, EdgeHarness, policy } from '../edge-harness.ts';
import { answering, type Client, Origin, ok, quiet } from '../wire.ts';
import { waiting } from './waiting.ts';

test('hold.max', async () => {
  const h = await EdgeHarness.start(policy({ hold: { max: 2 } }));
  h.state({ expectedStartMs: 4100 });
  const [first] = (await waiting(h, 2)) as [Client];
  const third = await h.connect();
  third.get();
  const answer = await third.answer();
  expect(answer.status).toBe(503);
  expect(answer.fields['retry-after']).toEqual(['5']);
  expect(answer.text).toContain('HOLD_FULL');
  first.reset();
  await h.held(1);
  third.get();
  await h.held(2);
  expect(h.all('report').reduce((sum, { services }) => sum + (services[0]?.holdRejected.full ?? 0), 0)).toBe(1);
});

test('hold.perClient', async () => {
  const h = await EdgeHarness.start(policy({ hold: { perClient: 2 } }));
  h.state();
  await waiting(h, 2);
  const third = await h.connect();
  third.get();
  expect((await third.answer()).text).toContain('HOLD_CLIENT');
  const other = await h.connect('127.0.0.1', '127.0.0.9');
  other.get();
  await h.held(3);
  third.get();
  expect((await third.answer()).text).toContain('HOLD_CLIENT');
});

test('hold.perClient counts whom a trusted proxy names', async () => {
  const h = await EdgeHarness.start(policy({ hold: { perClient: 1 } }), { trustedProxies: ['127.0.0.0/8'] });
  h.state();
  const clients = [await h.connect(), await h.connect(), await h.connect()];
  clients[0]?.get('/', 'X-Forwarded-For: 203.0.113.1\r\n');
  await h.held(1);
  clients[1]?.get('/', 'X-Forwarded-For: 203.0.113.2\r\n');
  await h.held(2);
  clients[2]?.get('/', 'X-Forwarded-For: 203.0.113.1\r\n');
  expect((await clients[2]?.answer())?.text).toContain('HOLD_CLIENT');
});

test('hold.perClient takes an IPv6 network for one client', async () => {
  const h = await EdgeHarness.start(policy({ hold: { perClient: 1 } }), { trustedProxies: ['127.0.0.0/8'] });
  h.state();
  const clients = [await h.connect(), await h.connect(), await h.connect()];
  clients[0]?.get('/', 'X-Forwarded-For: 2001:db8:0:1::1\r\n');
  await h.held(1);
  clients[1]?.get('/', 'X-Forwarded-For: 2001:db8:0:2::1\r\n');
  await h.held(2);
  clients[2]?.get('/', 'X-Forwarded-For: 2001:db8:0:1::2\r\n');
  expect((await clients[2]?.answer())?.text).toContain('HOLD_CLIENT');
});

test('hold.maxBytes, by what is announced where there is room for it, by what is there where there is not', async () => {
  const h = await EdgeHarness.start(policy({ hold: { maxBytes: 1000 } }));
  h.state();
  const post = async (length: number, body: string) => {
    const client = await h.connect();
    client.write(`POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: ${length}\r\n\r\n${body}`);
    return client;
  };
  await post(600, 'x'.repeat(100));
  await h.held(1);
  expect((await h.service())?.heldBytes).toBe(600);
  await post(600, 'x'.repeat(100));
  await h.held(2);
  expect((await h.service())?.heldBytes).toBe(700);
  const third = await post(600, 'x'.repeat(400));
  const answer = await third.answer();
  expect(answer.status).toBe(503);
  expect(answer.text).toContain('HOLD_BYTES');
  expect(answer.fields['retry-after']).toEqual(['1']);
  expect((await h.service())?.heldBytes).toBe(700);
  // Without a body there is always room.
  const fourth = await h.connect();
  fourth.get();
  await h.held(3);
});

test('budget.heldBytes over all services', async () => {
  const h = await EdgeHarness.start([policy(), policy({ name: 'other' })], {
    routes: [
      { host: 'app.test', path: '/', service: 'app' },
      { host: 'other.test', path: '/', service: 'other' },
    ],
    heldBytes: 1000,
  });
  h.state();
  h.state({ service: 'other' });
  const client = await h.connect();
  client.write(`POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 800\r\n\r\n${'x'.repeat(800)}`);
  await h.held(1);
  const other = await h.connect();
  other.write(`POST / HTTP/1.1\r\nHost: other.test\r\nContent-Length: 300\r\n\r\n${'x'.repeat(300)}`);
  expect((await other.answer()).text).toContain('HOLD_BYTES');
  client.reset();
  await h.held(0);
  const again = await h.connect();
  again.write(`POST / HTTP/1.1\r\nHost: other.test\r\nContent-Length: 300\r\n\r\n${'x'.repeat(300)}`);
  await h.held(1, 'other');
});

test('a body of unknown length is held to 64 KiB, and sent on whole', async () => {
  const origin = await Origin.listen(answering((seen) => ok(`${seen.body.length} ${seen.complete}`)));
  const h = await EdgeHarness.start();
  h.state();
  const client = await h.connect();
  client.write('POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n');
  await h.held(1);
  const chunk = `8000\r\n${'x'.repeat(0x8000)}\r\n`;
  for (let i = 0; i < 40; i++) {
    client.write(chunk);
    await quiet(1);
  }
  client.write('0\r\n\r\n');
  await quiet();
  expect((await h.service())?.heldBytes).toBe(65_536);
  h.state({ endpoints: [at(origin)] });
  expect((await client.answer()).text).toBe(`${40 * 0x8000} true`);
  expect((await h.service())?.heldBytes).toBe(0);
});

test('many who come and go leave the sums at zero and never exceed the bounds', async () => {
  const origin = await Origin.listen(answering((seen) => ok(String(seen.body.length))));
  const max = 40;
  const maxBytes = 200_000;
  const h = await EdgeHarness.start(policy({ hold: { max, maxBytes } }));
  h.state();
  const sizes = [0, 1, 500, 5000, 60_000, 70_000, 200_000];
  const run = async (index: number) => {
    const client = await h.connect();
    const size = sizes[index % sizes.length] as number;
    const chunked = index % 3 === 0;
    const framing = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${size}`;
    client.write(`POST / HTTP/1.1\r\nHost: app.test\r\n${framing}\r\n\r\n`);
    await quiet(index % 4);
    const body = Buffer.alloc(size, 97);
    if (chunked) {
      for (let at = 0; at < size; at += 9000) {
        const piece = body.subarray(at, at + 9000);
        client.write(`${piece.length.toString(16)}\r\n`);
        client.write(piece);
        client.write('\r\n');
      }
      client.write('0\r\n\r\n');
    } else {
      client.write(body);
    }
    if (index % 5 === 0) {
      await quiet(index % 20);
      client.reset();
      return;
    }
    const answer = await client.answer();
    expect([200, 503]).toContain(answer.status);
    if (answer.status === 200) expect(answer.text).toBe(String(size));
  };
  const runs = Promise.all(Array.from({ length: 150 }, (_, index) => run(index)));
  for (let i = 0; i < 30; i++) {
    const service = await h.service();
    expect(service?.held ?? 0).toBeLessThanOrEqual(max);
    expect(service?.heldBytes ?? 0).toBeLessThanOrEqual(maxBytes);
    await quiet(10);
  }
  h.state({ endpoints: [at(origin)] });
  // Slowly enough that no deadline passes before the work of a slow machine is done.
  const releasing = setInterval(() => h.clock.advance(10), 5);
  try {
    await runs;
  } finally {
    clearInterval(releasing);
  }
  await h.held(0);
  expect((await h.service())?.heldBytes).toBe(0);
  const late = await h.connect();
  late.get();
  expect((await late.answer()).status).toBe(200);
});
