import { describe, expect, test } from 'vitest';
import { at, EdgeHarness, policy } from '../edge-harness.ts';
import { answering, BlackHole, Client, Origin, ok, quiet, silent, until } from '../wire.ts';

/** So long after the last byte of its request, a client that closes has given up. */
const LATER_MS = 300;

/** Ways to leave before the first byte of the answer. */
const leaves: [how: string, leave: (client: Client) => void][] = [
  ['resets', (client) => client.reset()],
  ['closes', (client) => client.destroy()],
  ['half-closes', (client) => client.end()],
];

describe.each(leaves)('a client that %s before the answer', (_how, leave) => {
  test('frees its place in the queue, and control is told', async () => {
    const h = await EdgeHarness.start();
    h.state();
    const client = await h.connect();
    client.get();
    await h.message('demand', ({ held }) => held === 1);
    h.clock.advance(LATER_MS);
    leave(client);
    await h.held(0);
    h.clock.advance(20);
    await h.message('demand', ({ held }) => held === 0);
    await h.connections(0);
    expect(await h.codes()).toEqual({ 499: 1 });
  });

  test('frees its place in the queue when its body came after the head', async () => {
    const h = await EdgeHarness.start();
    h.state();
    const client = await h.connect();
    client.write('POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 5\r\n\r\n');
    await h.held(1);
    client.write('hello');
    await h.taken(client);
    h.clock.advance(LATER_MS);
    leave(client);
    await h.held(0);
    await h.connections(0);
    expect((await h.service())?.heldBytes ?? 0).toBe(0);
  });

  test('cancels a request that was sent upstream', async () => {
    const origin = await Origin.listen(silent);
    const h = await EdgeHarness.ready(origin);
    const client = await h.connect();
    client.get('/slow');
    const upstream = await origin.connection();
    await upstream.head();
    h.clock.advance(LATER_MS);
    leave(client);
    await upstream.untilOver();
    await h.inFlight(0);
    await h.connections(0);
  });

  test('cancels a request whose large body went up under back-pressure', async () => {
    const origin = await Origin.listen(silent);
    const h = await EdgeHarness.ready(origin);
    const client = await h.connect();
    const size = 8 * 2 ** 20;
    client.write(`POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: ${size}\r\n\r\n`);
    client.write(Buffer.alloc(size, 120));
    const upstream = await origin.connection();
    await upstream.head();
    await upstream.readExactly(size);
    h.clock.advance(LATER_MS);
    leave(client);
    await upstream.untilOver();
    await h.inFlight(0);
  });

  test('cancels a held request that was released with a body as large as is kept', async () => {
    const origin = await Origin.listen(silent);
    const h = await EdgeHarness.start();
    h.state();
    const client = await h.connect();
    const size = 64 * 1024;
    client.write(`POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: ${size}\r\n\r\n`);
    await h.held(1);
    client.write(Buffer.alloc(size, 120));
    await h.taken(client);
    h.state({ endpoints: [at(origin)] });
    const upstream = await origin.connection();
    await upstream.head();
    await upstream.readExactly(size);
    h.clock.advance(LATER_MS);
    leave(client);
    await upstream.untilOver();
    await h.inFlight(0);
  });

  test('leaves the connection attempt behind it', async () => {
    const hole = await BlackHole.open();
    const h = await EdgeHarness.start();
    h.state({ endpoints: [at(hole)] });
    const client = await h.connect();
    client.get();
    await h.inFlight(1);
    h.clock.advance(LATER_MS);
    leave(client);
    await h.connections(0);
    await h.inFlight(0);
  });
});

describe('a client that leaves in the middle', () => {
  test.each(leaves.slice(0, 2))('of an answer and %s cancels the upstream', async (_how, leave) => {
    const origin = await Origin.listen(async (upstream) => {
      await upstream.head();
      upstream.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
      while (!upstream.over) {
        if (!upstream.socket.write(chunk)) await Promise.race([upstream.untilOver(), quiet(5)]);
      }
    });
    const h = await EdgeHarness.ready(origin);
    const client = await h.connect();
    client.get();
    await client.readExactly(100_000);
    leave(client);
    await (await origin.connection()).untilOver();
    await h.inFlight(0);
    await h.connections(0);
    expect(await h.codes()).toEqual({ 200: 1 });
  });

  test('of its own body makes the upstream see a request that is not whole', async () => {
    const origin = await Origin.listen(silent);
    const h = await EdgeHarness.ready(origin);
    const client = await h.connect();
    client.write('POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
    const upstream = await origin.connection();
    const request = upstream.request();
    await until(() => upstream.total > 100, 'the first chunk');
    client.end();
    expect(await request).toMatchObject({ complete: false });
    await h.inFlight(0);
  });

  test('of its own body in an early answer cancels both', async () => {
    const origin = await Origin.listen(async (upstream) => {
      await upstream.head();
      upstream.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nearly\r\n');
    });
    const h = await EdgeHarness.ready(origin);
    const client = await h.connect();
    client.write('POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 100\r\n\r\nhello');
    expect(await client.head()).toContain('200 OK');
    client.end();
    await (await origin.connection()).untilOver();
    await h.inFlight(0);
    await h.connections(0);
  });

  test.each(leaves.slice(0, 2))('of a tunnel and %s closes the upstream', async (_how, leave) => {
    const origin = await Origin.listen(async (upstream) => {
      await upstream.head();
      upstream.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n');
      upstream.socket.on('end', () => upstream.end());
    });
    const h = await EdgeHarness.ready(origin);
    const client = await h.connect();
    client.get('/', 'Connection: Upgrade\r\nUpgrade: raw\r\n');
    expect((await client.answer()).status).toBe(101);
    leave(client);
    await (await origin.connection()).untilOver();
    await h.inFlight(0);
    await h.connections(0);
  });
});

describe('half-closing before the answer', () => {
  test('is allowed where the service says so', async () => {
    const origin = await Origin.listen(silent);
    const h = await EdgeHarness.ready(origin, { allowHalfOpen: true });
    const client = await h.connect();
    client.get();
    const upstream = await origin.connection();
    await upstream.head();
    h.clock.advance(LATER_MS);
    client.end();
    await quiet();
    upstream.write(ok('late'));
    expect((await client.answer()).text).toBe('late');
    expect(await client.untilOver()).toBe('end');
    await h.connections(0);
  });

  test('is allowed there while the request is held, too', async () => {
    const origin = await Origin.listen();
    const h = await EdgeHarness.start(policy({ allowHalfOpen: true }));
    h.state();
    const client = await h.connect();
    client.get();
    await h.held(1);
    h.clock.advance(LATER_MS);
    client.end();
    await quiet();
    await h.held(1);
    h.state({ endpoints: [at(origin)] });
    expect((await client.answer()).text).toBe('hello');
    expect(await client.untilOver()).toBe('end');
  });

  test('is an abort there as well when the body is not whole', async () => {
    const origin = await Origin.listen(silent);
    const h = await EdgeHarness.ready(origin, { allowHalfOpen: true });
    const client = await h.connect();
    client.write('POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 5\r\n\r\nhel');
    client.end();
    await client.untilOver();
    await h.inFlight(0);
    await h.connections(0);
  });

  test('after the first byte of the answer is no abort', async () => {
    const origin = await Origin.listen(silent);
    const h = await EdgeHarness.ready(origin);
    const client = await h.connect();
    client.get();
    const upstream = await origin.connection();
    await upstream.head();
    upstream.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
    await client.head();
    client.end();
    await quiet();
    upstream.write('world');
    expect((await client.readAll()).toString()).toBe('helloworld');
    expect(client.ending).toBe('end');
  });
});

describe('half-closing within an answer that rests', () => {
  const begin = async (allowHalfOpen: boolean) => {
    const origin = await Origin.listen(silent);
    const h = await EdgeHarness.ready(origin, { allowHalfOpen });
    const client = await h.connect();
    client.get();
    const upstream = await origin.connection();
    await upstream.head();
    upstream.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n');
    await client.readThrough('data: 1\n\n');
    await h.pass(5000, 500);
    client.end();
    await h.connections(1);
    return { h, client, upstream };
  };
  /** Time passes from when the edge knows of the client's end: nothing else tells of it. */
  const untilOver = async (h: EdgeHarness, upstream: { over: boolean }) => {
    const from = h.clock.now();
    while (!upstream.over && h.clock.now() - from < 60_000) await h.pass(100);
    return h.clock.now() - from;
  };

  test('means that the client is gone: the upstream is closed soon', async () => {
    const { h, upstream } = await begin(false);
    const took = await untilOver(h, upstream);
    expect(upstream.over).toBe(true);
    expect(took).toBeGreaterThanOrEqual(1000);
    await h.inFlight(0);
    await h.connections(0);
    expect(h.accessed).toMatchObject([{ status: 200, ending: 'client-left' }]);
  });

  test('means nothing while bytes flow, or where half-closing is allowed', async () => {
    const flowing = await begin(false);
    for (let i = 2; i < 12; i++) {
      flowing.upstream.write(`data: ${i}\n\n`);
      await flowing.client.readThrough(`data: ${i}\n\n`);
      await flowing.h.pass(500);
    }
    const allowed = await begin(true);
    await allowed.h.pass(20_000, 1000);
    for (const { upstream, client } of [flowing, allowed]) {
      upstream.write('data: last\n\n');
      upstream.end();
      expect((await client.readAll()).toString()).toMatch(/data: last\n\n\r\n0\r\n\r\n$/);
    }
  });
});

test('a thousand aborts in all phases leave no socket, no timer and nothing in flight', async () => {
  const origin = await Origin.listen(async (upstream) => {
    for (;;) {
      const head = await upstream.head();
      if (head === undefined) break;
      if (head.includes('/stream')) {
        upstream.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
        for (let i = 0; i < 50 && !upstream.over; i++) {
          upstream.write(`1000\r\n${'x'.repeat(4096)}\r\n`);
          await quiet(1);
        }
      }
    }
    upstream.destroy();
  });
  const h = await EdgeHarness.start([policy(), policy({ name: 'asleep' })], {
    routes: [
      { host: 'app.test', path: '/', service: 'app' },
      { host: 'asleep.test', path: '/', service: 'asleep' },
    ],
  });
  h.state({ endpoints: [at(origin)] });
  h.state({ service: 'asleep' });
  const abort = async (index: number) => {
    // Some leave before they are accepted. Not all: the edge would be ever further behind.
    const client = index % 4 === 0 ? await Client.open(h.port) : await h.connect();
    const phase = index % 5;
    if (phase === 0) client.get('/', '', 'asleep.test');
    else if (phase === 1) client.get('/sent');
    else if (phase === 2) client.get('/stream');
    else if (phase === 3) client.write('POST /upload HTTP/1.1\r\nHost: app.test\r\nContent-Length: 100000\r\n\r\nabc');
    else client.write('GET / HTTP/1.1\r\nHo');
    if (index % 3 !== 0) await quiet(index % 7);
    if (index % 2 === 0) client.reset();
    else client.destroy();
  };
  for (let batch = 0; batch < 20; batch++) {
    await Promise.all(Array.from({ length: 50 }, (_, index) => abort(batch * 50 + index)));
  }
  // The last ones may not even be accepted yet.
  await quiet();
  // Those whose FIN came right behind the request are waited for until the times of held and sent requests are over.
  await h.pass(62_000, 1000);
  await h.connections(0);
  await h.inFlight(0);
  await h.held(0, 'asleep');
  await until(() => origin.open === 0, 'no upstream connection left');
  expect((await h.service('app'))?.endpoints).toMatchObject([{ inFlight: 0 }]);
  await h.close();
  expect(h.clock.pending).toBe(0);
});

test('a client that leaves does not disturb the one that gets its upstream connection next', async () => {
  const origin = await Origin.listen(answering((seen) => ok(seen.line)));
  const h = await EdgeHarness.ready(origin);
  const first = await h.connect();
  first.get('/1');
  expect((await first.answer()).text).toBe('GET /1 HTTP/1.1');
  const second = await h.connect();
  second.get('/2');
  first.reset();
  expect((await second.answer()).text).toBe('GET /2 HTTP/1.1');
  second.get('/3');
  expect((await second.answer()).text).toBe('GET /3 HTTP/1.1');
  expect(origin.connections).toHaveLength(1);
});
