import { describe, expect, test } from 'vitest';
import { at, EdgeHarness, policy } from '../edge-harness.ts';
import { answering, type Client, deadPort, Origin, ok, quiet, silent, until } from '../wire.ts';

/** Clients with one request each, sent one after the other so that their order is known. */
async function waiting(h: EdgeHarness, count: number, fields = ''): Promise<Client[]> {
  const clients: Client[] = [];
  for (let index = 0; index < count; index++) {
    const client = await h.connect();
    client.get(`/${index}`, fields);
    clients.push(client);
    await h.held(index + 1);
  }
  return clients;
}

describe('demand', () => {
  test('is told at once for the first request, then at most every 10 ms', async () => {
    const h = await EdgeHarness.start();
    h.state();
    const clients = [await h.connect(), await h.connect(), await h.connect(), await h.connect()];
    for (const client of clients) client.get();
    await h.held(4);
    // Whatever order the sockets came in: time stood still, so only the first was told.
    expect(h.all('demand')).toEqual([{ type: 'demand', service: 'app', held: 1, inFlight: 0 }]);
    h.clock.advance(10);
    await h.message('demand', ({ held }) => held === 4);
    expect(h.all('demand')).toHaveLength(2);
    h.clock.advance(1000);
    await h.report();
    expect(h.all('demand')).toHaveLength(2);
  });

  test('is told at once again for the first request after nothing was held', async () => {
    const h = await EdgeHarness.start();
    h.state();
    const [client] = (await waiting(h, 1)) as [Client];
    client.reset();
    await h.held(0);
    h.clock.advance(20);
    await h.message('demand', ({ held }) => held === 0);
    const before = h.all('demand').length;
    const again = await h.connect();
    again.get();
    await until(() => h.all('demand').length > before, 'demand');
    expect(h.all('demand').at(-1)?.held).toBe(1);
  });

  test('counts what is in flight on other endpoints', async () => {
    const origin = await Origin.listen(silent);
    const h = await EdgeHarness.ready(origin, { concurrency: 1 });
    const first = await h.connect();
    first.get();
    await h.inFlight(1);
    const second = await h.connect();
    second.get();
    expect(await h.message('demand')).toMatchObject({ held: 1, inFlight: 1 });
  });

  test('is not told for a service that nobody can start', async () => {
    const origin = await Origin.listen(silent);
    const h = await EdgeHarness.ready(origin, { wakeable: false, concurrency: 1 });
    for (const client of [await h.connect(), await h.connect()]) client.get();
    await h.held(1);
    h.clock.advance(100);
    await h.report();
    expect(h.all('demand')).toEqual([]);
  });
});

describe('release', () => {
  test('lets go first who came first', async () => {
    const order: string[] = [];
    const origin = await Origin.listen(
      answering((seen) => {
        order.push(seen.line.split(' ')[1] as string);
        return ok();
      }),
    );
    const h = await EdgeHarness.start(policy({ concurrency: 1 }));
    h.state();
    const clients = await waiting(h, 12);
    h.state({ endpoints: [at(origin)] });
    for (const client of clients) expect((await client.answer()).status).toBe(200);
    expect(order).toEqual(clients.map((_, index) => `/${index}`));
  });

  test('lets nobody past who came later', async () => {
    const origin = await Origin.listen(silent);
    const h = await EdgeHarness.start(policy({ concurrency: 1 }));
    h.state();
    await waiting(h, 2);
    h.state({ endpoints: [at(origin)] });
    const upstream = await origin.connection();
    expect(await upstream.head()).toContain('GET /0 ');
    const late = await h.connect();
    late.get('/late');
    await h.held(2);
    upstream.write(ok());
    expect(await upstream.head()).toContain('GET /1 ');
    upstream.write(ok());
    expect(await upstream.head()).toContain('GET /late ');
  });

  test('a request whose connect failed goes back to the front', async () => {
    const port = await deadPort();
    const origin = await Origin.listen(silent);
    const h = await EdgeHarness.start(policy({ concurrency: 1 }));
    h.state();
    await waiting(h, 3);
    h.state({ endpoints: [at({ port })] });
    await h.message('suspect');
    await h.held(3);
    h.state({ endpoints: [at(origin)] });
    const upstream = await origin.connection();
    for (const index of [0, 1, 2]) {
      expect(await upstream.head()).toContain(`GET /${index} `);
      upstream.write(ok());
    }
  });

  test('one of each connection at a time: pipelined requests wait for the one before', async () => {
    const origin = await Origin.listen(answering((seen) => ok(seen.line)));
    const h = await EdgeHarness.start();
    h.state();
    const client = await h.connect();
    client.get('/1');
    client.get('/2');
    await h.held(1);
    h.state({ endpoints: [at(origin)] });
    expect((await client.answer()).text).toBe('GET /1 HTTP/1.1');
    expect((await client.answer()).text).toBe('GET /2 HTTP/1.1');
  });
});

describe('the deadline', () => {
  test.each([
    [true, 12_300, ['13']],
    [true, null, ['1']],
    [false, 12_300, undefined],
  ])('with a start under way: %s, expected: %s → Retry-After %s', async (starting, expectedStartMs, retryAfter) => {
    const h = await EdgeHarness.start();
    h.state({ holdTimeoutMs: 20_000, starting, expectedStartMs });
    const [client] = (await waiting(h, 1)) as [Client];
    await h.pass(19_950);
    await quiet();
    expect(client.total).toBe(0);
    await h.pass(200);
    const answer = await client.answer();
    expect(answer.status).toBe(504);
    expect(answer.fields['proxy-status']).toEqual(['pilotlight; error=connection_timeout']);
    expect(answer.fields['retry-after']).toEqual(retryAfter);
    expect((await h.service())?.held ?? 0).toBe(0);
    // The connection goes on.
    client.get();
    await h.held(1);
  });

  test('counts from the beginning of the wait, whatever is heard of the service meanwhile', async () => {
    const h = await EdgeHarness.start();
    h.state({ holdTimeoutMs: 10_000 });
    const [client] = (await waiting(h, 1)) as [Client];
    for (let i = 0; i < 5; i++) {
      await h.pass(1900);
      h.state({ holdTimeoutMs: 10_000, starting: true });
    }
    await h.pass(600);
    expect((await client.answer()).status).toBe(504);
  });

  test('holds for those who wait for a slot, too', async () => {
    const origin = await Origin.listen(silent);
    const h = await EdgeHarness.start(policy({ concurrency: 1 }));
    h.state({ endpoints: [at(origin)], holdTimeoutMs: 5000 });
    const first = await h.connect();
    first.get();
    await (await origin.connection()).head();
    const [second] = (await waiting(h, 1)) as [Client];
    await h.pass(5100);
    expect((await second.answer()).status).toBe(504);
    await h.inFlight(1);
  });
});

describe('who waits is answered', () => {
  test('503 at once when the start failed, the next one waits again', async () => {
    const h = await EdgeHarness.start();
    h.state({ failures: 3 });
    const clients = await waiting(h, 3);
    h.state({ failures: 4 });
    for (const client of clients) {
      const answer = await client.answer();
      expect(answer.status).toBe(503);
      expect(answer.fields['proxy-status']).toEqual(['pilotlight; error=destination_unavailable']);
      expect(answer.text).toContain('START_FAILED');
    }
    clients[0]?.get();
    await h.held(1);
  });

  test('and a pipelined request behind one that failed waits for another start', async () => {
    const h = await EdgeHarness.start();
    h.state();
    const client = await h.connect();
    client.get('/1');
    client.get('/2');
    await h.held(1);
    h.state({ failures: 1 });
    expect((await client.answer()).text).toContain('START_FAILED');
    await h.held(1);
    const origin = await Origin.listen(answering((seen) => ok(seen.line)));
    h.state({ failures: 1, endpoints: [at(origin)] });
    expect((await client.answer()).text).toBe('GET /2 HTTP/1.1');
  });

  test('503 with the back-off while starts are blocked', async () => {
    const h = await EdgeHarness.start();
    h.state({ blocked: { retryAfterMs: 7200 } });
    const client = await h.connect();
    client.get();
    const answer = await client.answer();
    expect(answer.status).toBe(503);
    expect(answer.fields['retry-after']).toEqual(['8']);
    expect(answer.text).toContain('START_BLOCKED');
    await h.pass(5000);
    client.get();
    expect((await client.answer()).fields['retry-after']).toEqual(['3']);
    await h.pass(2300);
    client.get();
    await h.held(1);
    expect(h.all('demand')).toHaveLength(1);
  });

  test('503 when the last endpoint of a service that nobody can start goes away', async () => {
    const origin = await Origin.listen(silent);
    const h = await EdgeHarness.ready(origin, { wakeable: false, concurrency: 1 });
    const first = await h.connect();
    first.get();
    await h.inFlight(1);
    const [second] = (await waiting(h, 1)) as [Client];
    h.state({ endpoints: [] });
    // What is in flight goes on; who waits could wait for ever.
    const upstream = await origin.connection();
    await upstream.head();
    upstream.write(ok('to the end'));
    expect((await first.answer()).text).toBe('to the end');
    expect((await second.answer()).status).toBe(503);
    second.get();
    const answer = await second.answer();
    expect(answer.status).toBe(503);
    expect(answer.fields['retry-after']).toEqual(['1']);
  });
});

describe('bounds', () => {
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
});

test('wake rules decide before the queue and the circuit do', async () => {
  const wake = [
    { path: '/healthz', userAgent: undefined, then: 'answer' as const, status: 200 },
    { path: undefined, userAgent: '*bot*', then: 'deny' as const, status: 200 },
  ];
  const h = await EdgeHarness.start(policy({ wake, hold: { max: 1 } }));
  h.state({ expectedStartMs: 2500 });
  await waiting(h, 1);
  const client = await h.connect();
  client.get('/healthz');
  const answer = await client.answer();
  expect(answer).toMatchObject({ status: 200, text: 'asleep\n' });
  expect(answer.fields['x-service-state']).toEqual(['asleep']);
  client.get('/', 'User-Agent: A Bot\r\n');
  const denied = await client.answer();
  expect(denied).toMatchObject({ status: 503 });
  expect(denied.text).toContain('WAKE_DENIED');
  expect(denied.fields['retry-after']).toEqual(['3']);
  h.state({ starting: true, blocked: { retryAfterMs: 5000 } });
  client.get('/healthz/live');
  expect((await client.answer()).text).toBe('waking\n');
  expect(h.all('demand')).toHaveLength(1);
});

test.each([204, 304, 205, 200])(
  'a wake rule that answers %i leaves nothing on the connection for the next answer',
  async (status) => {
    const wake = [{ path: '/healthz', userAgent: undefined, then: 'answer' as const, status }];
    const h = await EdgeHarness.start(policy({ wake }));
    h.state();
    const client = await h.connect();
    client.get('/healthz');
    client.get('/healthz');
    for (let i = 0; i < 2; i++) {
      const answer = await client.answer();
      expect(answer).toMatchObject({ status, text: status === 200 ? 'asleep\n' : '' });
      if (status === 204) expect(answer.fields['content-length']).toBeUndefined();
    }
    expect(client.peek().length).toBe(0);
  },
);

test('wake rules are not asked while the service is awake, nor of one that cannot be started', async () => {
  const wake = [{ path: '/', userAgent: undefined, then: 'answer' as const, status: 200 }];
  const origin = await Origin.listen();
  const h = await EdgeHarness.ready(origin, { wake });
  const client = await h.connect();
  client.get();
  expect((await client.answer()).text).toBe('hello');
  h.table(policy({ wake, wakeable: false }), { states: [] });
  h.state();
  client.get();
  expect((await client.answer()).text).toContain('NO_ENDPOINT');
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
