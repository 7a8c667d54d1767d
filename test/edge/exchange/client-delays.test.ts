import { describe, expect, test } from 'vitest';
import type { OutlierSettings } from '../../../src/model/balancing.ts';
import { bucketMiddle, type SparseCounts } from '../../../src/util/histogram.ts';
import { at, EdgeHarness, policy } from '../edge-harness.ts';
import { type Client, Origin, type OriginConnection, ok, quiet, silent, until } from '../wire.ts';

/** One failure ejects one of two endpoints. */
const outlier: OutlierSettings = {
  consecutive: 1,
  intervalMs: 10_000,
  ejectMs: 30_000,
  maxEjectMs: 30_000,
  maxShare: 1,
};

const values = (counts: SparseCounts) =>
  counts.flatMap((bucket, i) => (i % 2 === 0 ? Array<number>(counts[i + 1] as number).fill(bucketMiddle(bucket)) : []));

type Change = Parameters<typeof policy>[0];

/** An edge with two endpoints, one client, and the connection on which its request came, when it has written `bytes`. */
async function begun(bytes: string, change: Change = {}) {
  const origins = [await Origin.listen(silent), await Origin.listen(silent)];
  const h = await EdgeHarness.start(policy({ wakeable: false, outlier, ...change }));
  h.state({ endpoints: origins.map((origin) => at(origin)) });
  const client = await h.connect();
  client.write(bytes);
  await until(() => origins.some(({ connections }) => connections.length > 0), 'a connection');
  const upstream = origins.flatMap(({ connections }) => connections)[0] as OriginConnection;
  await upstream.head();
  return { h, client, upstream };
}

const head = (length: number, method = 'POST') =>
  `${method} / HTTP/1.1\r\nHost: app.test\r\nContent-Length: ${length}\r\n\r\n`;

/** What the edge holds against its endpoints, all reports together. */
async function held(h: EdgeHarness) {
  const { endpoints = [] } = (await h.service()) ?? {};
  return {
    ejected: endpoints.filter(({ condition }) => condition === 'ejected').length,
    shed: await h.sum('shed'),
    resets: await h.sum('resets'),
  };
}

const NOTHING = { ejected: 0, shed: 0, resets: 0 };

/** Sends a byte each second, so many. */
async function drip(h: EdgeHarness, client: Client, seconds: number): Promise<void> {
  for (let i = 0; i < seconds; i++) {
    client.write('x');
    await h.taken(client);
    h.clock.advance(1000);
  }
}

/** Times to first byte in all reports so far and one of now. */
async function samples(h: EdgeHarness): Promise<number[]> {
  await h.report();
  return h.all('report').flatMap(({ services }) => services.flatMap(({ ttfb }) => values(ttfb)));
}

describe.each(['native', 'http-proxy'] as const)('a client that is slow with its body (%s)', (engine) => {
  test('and stands still is the one that is too late, however short the time for the first byte is', async () => {
    const { h, client } = await begun(`${head(10)}hello`, { engine, timeouts: { firstByteMs: 1000 } });
    await h.pass(29_000, 1000);
    expect(client.total).toBe(0);
    expect((await h.service())?.endpoints.flatMap(({ waiting }) => values(waiting))).toEqual([]);
    await h.pass(2000, 500);
    expect((await client.answer('POST')).status).toBe(408);
    expect(await held(h)).toEqual(NOTHING);
  });

  test('is no latency of the service: its time begins when the request is whole', async () => {
    const { h, client, upstream } = await begun(`${head(10)}x`, { engine });
    await drip(h, client, 8);
    expect((await h.service())?.endpoints.flatMap(({ waiting }) => values(waiting))).toEqual([]);
    client.write('x');
    await upstream.readExactly(10);
    await h.taken(client);
    h.clock.advance(200);
    const { endpoints = [] } = (await h.service()) ?? {};
    expect(endpoints.flatMap(({ waiting }) => values(waiting))).toEqual([expect.closeTo(200, -1.5)]);
    upstream.write(ok());
    expect((await client.answer('POST')).status).toBe(200);
    expect(await samples(h)).toEqual([expect.closeTo(200, -1.5)]);
  });
});

describe('a client that is slow with its body', () => {
  test('does not shorten the time that the service has afterwards', async () => {
    const { h, client, upstream } = await begun(head(5), { timeouts: { firstByteMs: 3000 } });
    await drip(h, client, 5);
    await upstream.readExactly(5);
    await h.pass(1900, 100);
    expect(client.total).toBe(0);
    await h.pass(200, 100);
    expect((await client.answer('POST')).status).toBe(504);
    expect(await held(h)).toEqual({ ejected: 1, shed: 1, resets: 0 });
  });

  test('may be why the service closes the connection: that is no failure of it', async () => {
    const { h, client, upstream } = await begun(head(10));
    await drip(h, client, 5);
    upstream.reset();
    expect((await client.answer('POST')).status).toBe(502);
    expect(await held(h)).toEqual(NOTHING);
  });

  test('may be why the service answers 5xx before it has all', async () => {
    const { h, client, upstream } = await begun(head(10));
    await drip(h, client, 5);
    upstream.write(ok('', '', '500 Nothing came'));
    expect((await client.answer('POST')).status).toBe(500);
    expect((await held(h)).ejected).toBe(0);
  });

  test('is not why it fails when it has all', async () => {
    const { h, client, upstream } = await begun(head(5));
    await drip(h, client, 5);
    await upstream.readExactly(5);
    upstream.reset();
    expect((await client.answer('POST')).status).toBe(502);
    expect(await held(h)).toEqual({ ejected: 1, shed: 0, resets: 1 });
  });

  test('is not timed with the attempt that follows a failed one either', async () => {
    const { h, client, upstream } = await begun(head(5, 'PUT'), { retries: { idempotent: true, budget: 1 } });
    await drip(h, client, 4);
    client.write('x');
    await upstream.readExactly(5);
    upstream.reset();
    while ((await h.sum('retries')) === 0) await quiet(5);
    const { endpoints = [] } = (await h.service()) ?? {};
    expect(endpoints.flatMap(({ waiting }) => values(waiting))).toEqual([expect.closeTo(0, -1)]);
  });
});

test.each(['native', 'http-proxy'] as const)(
  'a service that does not take the body is the one that is too late (%s)',
  async (engine) => {
    const size = 64 * 2 ** 20;
    const { h, client, upstream } = await begun(`${head(size)}x`, { engine, timeouts: { firstByteMs: 5000 } });
    upstream.pause();
    client.write(Buffer.alloc(size - 1));
    const waiting = async () => ((await h.service())?.endpoints ?? []).flatMap(({ waiting: ages }) => values(ages));
    // The kernel's buffers take some of it.
    for (
      let before = -1;
      before !== client.socket.bytesWritten - client.socket.writableLength || !(await waiting()).length;
    ) {
      before = client.socket.bytesWritten - client.socket.writableLength;
      await quiet(200);
    }
    h.clock.advance(3000);
    expect(await waiting()).toEqual([expect.closeTo(3000, -3)]);
    await h.pass(2200, 100);
    expect((await client.answer('POST')).status).toBe(504);
    expect(await held(h)).toEqual({ ejected: 1, shed: 1, resets: 0 });
  },
);

test('an answer before the end of the body is no sample of how long answers take', async () => {
  const { h, client, upstream } = await begun(`${head(10)}hello`);
  h.clock.advance(500);
  upstream.write(ok('early'));
  expect((await client.answer('POST')).text).toBe('early');
  expect(await samples(h)).toEqual([]);
  expect(await h.sum('completions')).toBe(1);
});

test('the wait for a slot counts, what the body takes after it does not', async () => {
  const origin = await Origin.listen(silent);
  const h = await EdgeHarness.ready(origin, { concurrency: 1 });
  const first = await h.connect();
  first.get();
  const upstream = await origin.connection();
  await upstream.head();
  const second = await h.connect();
  second.write(head(5));
  await h.held(1);
  h.clock.advance(3000);
  upstream.write(ok());
  await first.answer();
  await upstream.head();
  await drip(h, second, 5);
  await upstream.readExactly(5);
  upstream.write(ok());
  await second.answer('POST');
  const [one, two] = await samples(h);
  expect(one).toBeCloseTo(3000, -3);
  // The last byte was sent a second before.
  expect(two).toBeCloseTo(4000, -3);
});

describe('a client that does not take its answer', () => {
  const size = 64 * 2 ** 20;
  const flooded = async () => {
    const { h, client, upstream } = await begun('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n');
    upstream.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
    await client.head();
    client.pause();
    upstream.write(Buffer.alloc(size / 2));
    await until(() => h.waiting(client) > 0, 'something that waits for the client');
    return { h, client, upstream };
  };

  test('for long may be why the service breaks it off: that is no failure of it', async () => {
    const { h, client, upstream } = await flooded();
    await h.pass(20_000, 1000);
    upstream.reset();
    client.resume();
    await client.untilOver();
    await h.inFlight(0);
    expect(await held(h)).toEqual(NOTHING);
  });

  test('for a moment only is not why', async () => {
    const { h, client, upstream } = await flooded();
    h.clock.advance(200);
    client.resume();
    await client.readExactly(size / 2);
    upstream.reset();
    await client.untilOver();
    await h.inFlight(0);
    expect(await held(h)).toEqual({ ejected: 1, shed: 0, resets: 1 });
  });
});

test('a body that breaks off within the answer is not said to have broken at the upstream', async () => {
  const { h, client, upstream } = await begun(
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n',
  );
  upstream.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun');
  await client.readThrough('begun');
  client.write('no chunk\r\n');
  await client.untilOver();
  await until(() => h.accessed.length > 0, 'its record');
  expect(h.accessed).toMatchObject([{ status: 200, ending: 'refused' }]);
  expect(await held(h)).toEqual(NOTHING);
});
