import { describe, expect, test } from 'vitest';
import type { ListenLimits } from '../../../src/model/settings.ts';
import { listenSettings } from '../../support/listen-settings.ts';
import { at, EdgeHarness, policy, type TableChange } from '../edge-harness.ts';
import { answering, Client, Origin, type OriginConnection, until } from '../wire.ts';

async function limited(limits: Partial<ListenLimits>, table: TableChange = {}) {
  const origin = await Origin.listen();
  const harness = await EdgeHarness.start(policy(), table, {}, { limits });
  harness.state({ endpoints: [at(origin)] });
  return { harness, origin, client: await harness.connect() };
}

const route = (maxBody: number): TableChange => ({ routes: [{ host: undefined, path: '/', service: 'app', maxBody }] });

/** A head of exactly so many bytes, its final empty line not counted. */
function headOf(bytes: number): string {
  const start = 'GET / HTTP/1.1\r\nHost: app.test\r\nX-Fill: ';
  return `${start}${'x'.repeat(bytes - start.length - 2)}\r\n`;
}

async function refusedWith(client: Client, status: number): Promise<void> {
  const answer = await client.answer();
  expect(answer.status).toBe(status);
  expect(answer.fields['connection']).toEqual(['close']);
  expect(answer.fields['proxy-status']).toEqual(['pilotlight; error=http_request_error']);
  expect(await client.untilOver()).toBe('end');
}

/** Waits until a client that has read an end finds, by writing, that nobody listens to it any more. */
async function cutOff(client: Client): Promise<void> {
  const isCutOff = () => {
    if (!client.closed) client.write('x');
    return client.closed;
  };
  await until(isCutOff, 'the cut');
}

describe('a head', () => {
  test('of the most bytes there may be is served, one byte more is 431', async () => {
    const { harness, client } = await limited({ head: 1000 });
    client.write(`${headOf(1000)}\r\n`);
    expect((await client.answer()).status).toBe(200);
    client.write(`${headOf(1001)}\r\n`);
    await refusedWith(client, 431);
    const slow = await harness.connect();
    for (const byte of headOf(1001)) {
      slow.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await refusedWith(slow, 431);
  });

  test('is not waited for beyond the limit', async () => {
    const { client, origin } = await limited({ head: 1000 });
    client.write(headOf(1100).slice(0, -2));
    await refusedWith(client, 431);
    expect(origin.connections.length).toBe(0);
  });

  test('of the most fields there may be is served, one more is 431', async () => {
    const { client } = await limited({ fields: 5 });
    client.get('/', 'A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n');
    expect((await client.answer()).status).toBe(200);
    client.get('/', 'A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\n');
    await refusedWith(client, 431);
  });

  test('with the longest target there may be is served, a longer one is 414', async () => {
    const { harness, client } = await limited({ target: 64 });
    client.get(`/${'x'.repeat(63)}`);
    expect((await client.answer()).status).toBe(200);
    client.get(`/${'x'.repeat(64)}`);
    await refusedWith(client, 414);
    const endless = await harness.connect();
    endless.write(`GET /${'x'.repeat(40_000)}`);
    await refusedWith(endless, 414);
  });
});

describe('a chunked body', () => {
  const head = 'POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n';

  test('with the longest extensions there may be is served, with one byte more it is 400', async () => {
    const { harness, client } = await limited({ chunkExtensions: 100 });
    const chunk = (extension: number) => `1;${'e'.repeat(extension - 1)}\r\nx\r\n`;
    client.write(`${head}${chunk(49)}${chunk(49)}0\r\n\r\n`);
    expect((await client.answer('POST')).status).toBe(200);
    const other = await harness.connect();
    other.write(`${head}${chunk(51)}${chunk(51)}0\r\n\r\n`);
    await refusedWith(other, 400);
  });

  test('with the longest trailers there may be is served, with one byte more it is 400', async () => {
    const { harness, client } = await limited({ trailers: 100 });
    client.write(`${head}1\r\nx\r\n0\r\nT: ${'x'.repeat(93)}\r\n\r\n`);
    expect((await client.answer('POST')).status).toBe(200);
    const other = await harness.connect();
    other.write(`${head}1\r\nx\r\n0\r\nT: ${'x'.repeat(94)}\r\n\r\n`);
    await refusedWith(other, 400);
    const endless = await harness.connect();
    endless.write(`${head}1\r\nx\r\n0\r\nT: ${'x'.repeat(101)}`);
    await refusedWith(endless, 400);
  });
});

describe('the size of a body', () => {
  test('by its Content-Length: up to the limit it is served, beyond it is 413 before a byte of it came', async () => {
    const { harness, client, origin } = await limited({}, route(10));
    client.write(`POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 10\r\n\r\n${'x'.repeat(10)}`);
    expect((await client.answer('POST')).status).toBe(200);
    const other = await harness.connect();
    other.write('POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 11\r\n\r\n');
    await refusedWith(other, 413);
    const asking = await harness.connect();
    asking.write('PUT / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 99\r\nExpect: 100-continue\r\n\r\n');
    await refusedWith(asking, 413);
    expect(origin.connections.length).toBe(1);
  });

  test('that is chunked counts its data alone', async () => {
    const { client } = await limited({}, route(4));
    const head = 'POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n';
    client.write(`${head}2;extension=1\r\nab\r\n2\r\ncd\r\n0\r\nTrailer-Field: 1\r\n\r\n`);
    expect((await client.answer('POST')).status).toBe(200);
    client.write(`${head}2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n`);
    await refusedWith(client, 413);
  });

  test('that grows beyond it under way cuts the upstream, which never sees an end', async () => {
    const { client, origin } = await limited({}, route(8));
    origin.script = () => {};
    client.write('POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n12345678\r\n');
    const upstream = await origin.connection();
    expect(await upstream.readThrough('12345678\r\n')).toContain('chunked');
    client.write('1\r\n9\r\n0\r\n\r\n');
    await refusedWith(client, 413);
    await upstream.untilOver();
    expect(upstream.peek().toString()).toBe('');
  });

  test('cuts the client where the answer has begun', async () => {
    const { client, origin } = await limited({}, route(4));
    origin.script = () => {};
    client.write('POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n');
    const upstream: OriginConnection = await origin.connection();
    await upstream.readThrough('ab\r\n');
    upstream.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun');
    expect(await client.readThrough('begun')).toContain('200 OK');
    client.write('3\r\ncde\r\n');
    await client.untilOver();
    expect(client.available).toBe(0);
    await upstream.untilOver();
  });

  test('is limited while the request waits for a start, too', async () => {
    const harness = await EdgeHarness.start(policy(), route(4));
    const client = await harness.connect();
    client.write('POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n');
    await harness.held(1);
    client.write('5\r\nabcde\r\n');
    await refusedWith(client, 413);
    await harness.held(0);
    expect((await harness.service())?.heldBytes ?? 0).toBe(0);
    harness.clock.advance(50);
  });

  test('is a route’s own', async () => {
    const origin = await Origin.listen();
    const harness = await EdgeHarness.start(policy(), {
      routes: [
        { host: undefined, path: '/', service: 'app' },
        { host: undefined, path: '/small', service: 'app', maxBody: 1 },
      ],
    });
    harness.state({ endpoints: [at(origin)] });
    const client = await harness.connect();
    client.write('POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 2\r\n\r\nab');
    expect((await client.answer('POST')).status).toBe(200);
    client.write('POST /small HTTP/1.1\r\nHost: app.test\r\nContent-Length: 2\r\n\r\nab');
    await refusedWith(client, 413);
  });
});

describe('requests per connection', () => {
  test('the last one is answered with Connection: close, and closed after', async () => {
    const { client, origin } = await limited({ requests: 2 });
    client.get();
    expect((await client.answer()).fields['connection']).toBeUndefined();
    client.get();
    expect((await client.answer()).fields['connection']).toEqual(['close']);
    expect(await client.untilOver()).toBe('end');
    expect(origin.connections.length).toBe(1);
  });

  test('those that were pipelined behind it are not served', async () => {
    let served = 0;
    const { client, origin } = await limited({ requests: 2 });
    origin.script = answering(() => {
      served++;
      return 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
    });
    client.write('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n'.repeat(5));
    const all = (await client.readAll()).toString();
    expect(all.split('HTTP/1.1 200').length - 1).toBe(2);
    expect(served).toBe(2);
  });
});

/** Half a request, and its rest. */
const HALF = 'GET / HTTP/1.1\r\n';
const REST = 'Host: app.test\r\n\r\n';

/** Each of these connections is in the middle of a request. */
async function busy(harness: EdgeHarness, ...clients: Client[]): Promise<void> {
  for (const client of clients) {
    client.write(HALF);
    await harness.taken(client);
  }
}

describe('connections', () => {
  test('beyond the limit are answered 503 unasked and closed where all are in use, and one that closes makes room', async () => {
    const { harness, client } = await limited({ connections: 2 });
    client.get();
    expect((await client.answer()).status).toBe(200);
    const second = await harness.connect();
    await busy(harness, client, second);
    const third = await harness.connect();
    const answer = await third.answer();
    expect(answer.status).toBe(503);
    expect(answer.fields['proxy-status']).toEqual(['pilotlight; error=connection_limit_reached']);
    expect(answer.fields['connection']).toEqual(['close']);
    expect(answer.fields['x-request-id']?.[0]).toMatch(/./);
    expect(await third.untilOver()).toBe('end');
    second.destroy();
    await harness.connections(1);
    const fourth = await harness.connect();
    fourth.get();
    expect((await fourth.answer()).status).toBe(200);
    client.write(REST);
    expect((await client.answer()).status).toBe(200);
  });

  test('turned away do not stay: their time and their bytes are bounded', async () => {
    const { harness, client } = await limited({ connections: 1 });
    await busy(harness, client);
    const silent = await harness.connect();
    const talking = await harness.connect();
    expect((await silent.answer()).status).toBe(503);
    expect((await talking.answer()).status).toBe(503);
    talking.write(Buffer.alloc(1024 * 1024));
    await cutOff(talking);
    harness.clock.advance(900);
    silent.write('x');
    await harness.taken(silent);
    expect(silent.closed).toBe(false);
    harness.clock.advance(300);
    await cutOff(silent);
  });

  test('that come in a flood are told so, however many, and closed', async () => {
    const { harness, client } = await limited({ connections: 1 });
    await busy(harness, client);
    const flood = await Promise.all(Array.from({ length: 300 }, () => Client.open(harness.port)));
    await Promise.all(flood.map((client) => client.untilOver()));
    const answered = flood.filter((client) => client.total > 0).length;
    expect(answered).toBe(300);
  });

  test('of one client are limited, those of others not', async () => {
    const { harness, client } = await limited({ connectionsPerClient: 2 });
    const second = await harness.connect();
    client.get();
    expect((await client.answer()).status).toBe(200);
    const third = await harness.connect();
    const refused = await third.answer();
    expect(refused.status).toBe(503);
    expect(refused.fields['proxy-status']).toEqual(['pilotlight; error=connection_limit_reached']);
    const other = await harness.connect('127.0.0.1', '127.0.0.2');
    other.get();
    expect((await other.answer()).status).toBe(200);
    second.destroy();
    third.destroy();
    await harness.connections(2);
    const fourth = await harness.connect();
    fourth.get();
    expect((await fourth.answer()).status).toBe(200);
  });

  test('of a trusted proxy, which brings many clients, are not limited per client', async () => {
    const { harness } = await limited({ connectionsPerClient: 1 }, { trustedProxies: ['127.0.0.1'] });
    for (let i = 0; i < 3; i++) {
      const each = await harness.connect();
      each.get();
      expect((await each.answer()).status).toBe(200);
    }
  });
});

test('a reload changes the limits of a listener that stays, for open connections too', async () => {
  const { harness, client } = await limited({});
  client.get('/', `X-Fill: ${'x'.repeat(2000)}\r\n`);
  expect((await client.answer()).status).toBe(200);
  const address = { host: '127.0.0.1', port: 0 };
  await harness.edge.listen([listenSettings({ limits: { head: 1000, connections: 1 } }, address)]);
  client.get('/', `X-Fill: ${'x'.repeat(2000)}\r\n`);
  await refusedWith(client, 431);
});

test('what was refused before it was a request is counted by its status', async () => {
  const { harness, client } = await limited({ target: 16, connections: 1 });
  client.write('GET /longer');
  await harness.taken(client);
  const second = await harness.connect();
  await second.answer();
  client.write('-than-sixteen-bytes HTTP/1.1\r\n\r\n');
  await client.answer();
  const { unrouted } = await harness.report();
  const counts = Object.fromEntries(unrouted.flatMap((value, i) => (i % 2 === 0 ? [[value, unrouted[i + 1]]] : [])));
  expect(counts).toEqual({ 414: 1, 503: 1 });
});
