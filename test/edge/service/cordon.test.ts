import { describe, expect, test } from 'vitest';
import { at, EdgeHarness, policy } from '../edge-harness.ts';
import { answering, type Client, Origin, ok, quiet, silent, until } from '../wire.ts';

async function sent(h: EdgeHarness, path = '/', fields = ''): Promise<Client> {
  const client = await h.connect();
  client.get(path, fields);
  return client;
}

const upgrade: (protocol: string) => (connection: { head(): Promise<unknown>; write(text: string): void }) => void =
  (protocol) => async (upstream) => {
    await upstream.head();
    upstream.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`);
  };

describe('a cordon', () => {
  test('is acknowledged with what is in flight, and drained is told once, when the last one ends', async () => {
    const origin = await Origin.listen(silent);
    const h = await EdgeHarness.ready(origin);
    const clients = [await sent(h), await sent(h)];
    const upstreams = [await origin.connection(0), await origin.connection(1)];
    for (const upstream of upstreams) await upstream.head();
    const version = h.state({ endpoints: [at(origin, { state: 'cordoned' })] });
    const endpoint = `e-${origin.port}`;
    expect(await h.message('ack')).toEqual({
      type: 'ack',
      version,
      service: 'app',
      endpoint,
      inFlight: 2,
      quiet: 0,
      passive: 0,
      idleForMs: 0,
    });
    for (const upstream of upstreams) {
      h.clock.advance(3000);
      await h.report();
      expect(h.all('drained')).toEqual([]);
      upstream.write(ok('done'));
      await until(() => clients.some((client) => client.available > 0), 'an answer');
      for (const client of clients) if (client.available > 0) expect((await client.answer()).text).toBe('done');
    }
    expect(await h.message('drained')).toEqual({ type: 'drained', version, service: 'app', endpoint, quiet: 0 });
    h.clock.advance(5000);
    h.state({ endpoints: [at(origin, { state: 'cordoned' })], expectedStartMs: 5 });
    h.clock.advance(5000);
    await h.report();
    expect(h.all('drained')).toHaveLength(1);
    expect(h.all('ack')).toHaveLength(1);
  });

  test('with nothing in flight tells how long nothing was', async () => {
    const origin = await Origin.listen();
    const h = await EdgeHarness.ready(origin);
    const client = await sent(h);
    await client.answer();
    h.clock.advance(12_345);
    h.state({ endpoints: [at(origin, { state: 'cordoned' })] });
    expect(await h.message('ack')).toMatchObject({ inFlight: 0, quiet: 0, idleForMs: 12_345 });
  });

  test('closes idle connections, and the ones in use when they are done', async () => {
    const origin = await Origin.listen();
    const h = await EdgeHarness.ready(origin);
    const client = await sent(h);
    await client.answer();
    expect(origin.open).toBe(1);
    h.state({ endpoints: [at(origin, { state: 'cordoned' })] });
    await until(() => origin.open === 0, 'no connection');
  });

  test('sends nothing new there: requests are held, and go to whoever is ready', async () => {
    const old = await Origin.listen(silent);
    const fresh = await Origin.listen(answering(() => ok('fresh')));
    const h = await EdgeHarness.ready(old);
    const first = await sent(h);
    await h.inFlight(1);
    h.state({ endpoints: [at(old, { state: 'cordoned' })] });
    await h.message('ack');
    first.get('/pipelined');
    const second = await sent(h);
    await h.held(1);
    expect(await h.message('demand')).toMatchObject({ held: 1, inFlight: 1 });
    h.state({ endpoints: [at(old, { state: 'cordoned' }), at(fresh)] });
    expect((await second.answer()).text).toBe('fresh');
    const upstream = await old.connection();
    await upstream.head();
    upstream.write(ok('old'));
    expect((await first.answer()).text).toBe('old');
    expect((await first.answer()).text).toBe('fresh');
    expect(old.connections).toHaveLength(1);
  });

  test('is called off by ready: what was held goes there, without the marks of a cold start', async () => {
    const origin = await Origin.listen(answering((seen) => ok(seen.line)));
    const h = await EdgeHarness.ready(origin);
    h.state({ endpoints: [at(origin, { state: 'cordoned' })] });
    h.clock.advance(10);
    const client = await sent(h);
    await h.held(1);
    h.state({ endpoints: [at(origin)] });
    const answer = await client.answer();
    expect(answer.status).toBe(200);
    expect(answer.fields['x-cold-start']).toBeUndefined();
    const version = h.state({ endpoints: [at(origin, { state: 'cordoned' })] });
    await h.message('ack', (ack) => ack.version === version);
    h.clock.advance(1000);
    expect(await h.message('drained', (drained) => drained.version === version)).toMatchObject({ quiet: 0 });
  });

  test('nothing is sent to it in the same moment in which another one is closed', async () => {
    const old = await Origin.listen(silent);
    const other = await Origin.listen(silent);
    const h = await EdgeHarness.start(policy({ concurrency: 1 }));
    h.state({ endpoints: [at(old), at(other)] });
    const clients = [await sent(h), await sent(h)];
    for (const each of [old, other]) await (await each.connection()).head();
    // Each has one behind it, on its own connection, and two more wait for a slot.
    for (const client of clients) client.get('/behind');
    const waiting = [await sent(h), await sent(h)];
    await h.held(2);
    h.state({ endpoints: [at(old, { state: 'closing' }), at(other, { state: 'cordoned' })] });
    await h.message('ack', ({ endpoint }) => endpoint === `e-${other.port}`);
    await h.message('drained', ({ endpoint }) => endpoint === `e-${old.port}`);
    await h.held(3);
    expect(old.connections.length + other.connections.length).toBe(2);
    h.clock.advance(2000);
    expect(await h.service()).toMatchObject({ inFlight: 1, held: 3 });
    expect(waiting.every((client) => client.total === 0)).toBe(true);
  });
});

describe('quiet streams', () => {
  test('do not hold a retire, and are told apart in ack and drained', async () => {
    const origin = await Origin.listen(upgrade('raw'));
    const h = await EdgeHarness.ready(origin, { timeouts: { streamMs: 5000 } });
    const client = await sent(h, '/', 'Connection: Upgrade\r\nUpgrade: raw\r\n');
    await client.answer();
    h.clock.advance(2000);
    h.state({ endpoints: [at(origin, { state: 'cordoned' })] });
    expect(await h.message('ack')).toMatchObject({ inFlight: 1, quiet: 0, idleForMs: 0 });
    h.clock.advance(2000);
    await h.report();
    expect(h.all('drained')).toEqual([]);
    h.clock.advance(2000);
    expect(await h.message('drained')).toMatchObject({ quiet: 1 });
    expect(await h.service()).toMatchObject({ inFlight: 1 });
  });

  test('that are quiet at the cordon are told in its acknowledgement', async () => {
    const origin = await Origin.listen(upgrade('raw'));
    const h = await EdgeHarness.ready(origin, { timeouts: { streamMs: 5000 } });
    const client = await sent(h, '/', 'Connection: Upgrade\r\nUpgrade: raw\r\n');
    await client.answer();
    h.clock.advance(7000);
    h.state({ endpoints: [at(origin, { state: 'cordoned' })] });
    expect(await h.message('ack')).toMatchObject({ inFlight: 1, quiet: 1, idleForMs: 2000 });
  });
});

describe('closing', () => {
  test('says goodbye to a WebSocket with 1001 and closes both sides', async () => {
    const origin = await Origin.listen(upgrade('websocket'));
    const h = await EdgeHarness.ready(origin);
    const client = await sent(h, '/', 'Connection: Upgrade\r\nUpgrade: WebSocket\r\n');
    await client.answer();
    h.state({ endpoints: [at(origin, { state: 'closing' })] });
    expect([...(await client.readAll())]).toEqual([0x88, 0x02, 0x03, 0xe9]);
    expect(client.ending).toBe('end');
    await (await origin.connection()).untilOver();
    client.end();
    await h.connections(0);
    await h.inFlight(0);
    expect(await h.message('drained')).toMatchObject({ quiet: 0 });
  });

  test('breaks off an answer so that nobody takes it for whole', async () => {
    const origin = await Origin.listen(async (upstream) => {
      await upstream.head();
      upstream.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
    });
    const h = await EdgeHarness.ready(origin);
    const client = await sent(h);
    await client.readThrough('hello\r\n');
    h.state({ endpoints: [at(origin, { state: 'closing' })] });
    expect((await client.readAll()).toString()).toBe('');
    await (await origin.connection()).untilOver();
    await h.inFlight(0);
    await h.connections(0);
  });

  test('answers 502 where no byte of an answer came', async () => {
    const origin = await Origin.listen(silent);
    const h = await EdgeHarness.ready(origin);
    const client = await sent(h);
    const upstream = await origin.connection();
    await upstream.head();
    h.state({ endpoints: [at(origin, { state: 'closing' })] });
    expect((await client.answer()).status).toBe(502);
    await upstream.untilOver();
    client.get();
    await h.held(1);
  });
});

describe('an endpoint that left the snapshot', () => {
  test('is forgotten at once when nothing is in flight', async () => {
    const origin = await Origin.listen();
    const h = await EdgeHarness.ready(origin);
    await (await sent(h)).answer();
    h.state({ endpoints: [] });
    await until(() => origin.open === 0, 'no connection');
    expect((await h.service())?.endpoints ?? []).toEqual([]);
  });

  test('lets what is in flight end, and is forgotten with it', async () => {
    const origin = await Origin.listen(silent);
    const h = await EdgeHarness.ready(origin);
    const client = await sent(h);
    await h.inFlight(1);
    h.state({ endpoints: [] });
    await h.held(0);
    expect((await h.service())?.endpoints).toMatchObject([{ inFlight: 1 }]);
    const upstream = await origin.connection();
    await upstream.head();
    upstream.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
    await client.head();
    await quiet();
    upstream.write('world');
    expect((await client.readExactly(10)).toString()).toBe('helloworld');
    await upstream.untilOver();
    await h.inFlight(0);
    await h.report();
    expect((await h.service())?.endpoints ?? []).toEqual([]);
    expect(await h.service()).toBeUndefined();
  });

  test('tells a drain that was going on', async () => {
    const origin = await Origin.listen(silent);
    const h = await EdgeHarness.ready(origin);
    const client = await sent(h);
    await h.inFlight(1);
    const version = h.state({ endpoints: [at(origin, { state: 'cordoned' })] });
    h.state({ endpoints: [] });
    await h.message('ack');
    client.reset();
    expect(await h.message('drained')).toMatchObject({ version, quiet: 0 });
  });

  test('that comes back takes requests again', async () => {
    const origin = await Origin.listen(silent);
    const h = await EdgeHarness.ready(origin);
    const first = await sent(h, '/1');
    await h.inFlight(1);
    h.state({ endpoints: [] });
    h.state({ endpoints: [at(origin)] });
    const second = await sent(h, '/2');
    await h.inFlight(2);
    for (const index of [0, 1]) {
      const upstream = await origin.connection(index);
      await upstream.head();
      upstream.write(ok());
    }
    await first.answer();
    await second.answer();
    expect((await h.service())?.endpoints).toMatchObject([{ inFlight: 0 }]);
    expect(origin.open).toBe(2);
  });
});
