import { describe, expect, test } from 'vitest';
import { PROGRESS_PREFIX } from '../../../src/edge/hold/waiting-page.ts';
import { at, EdgeHarness, policy } from '../edge-harness.ts';
import { basic, cheapHash, routes, rules, serve } from '../route/rules.ts';
import { answering, type Client, Origin, ok, quiet, silent } from '../wire.ts';

/** Right behind, and just not so any more, ms. */
const [BEHIND, LATER] = [250, 251];

const GET = 'GET / HTTP/1.1\r\nHost: app.test\r\n\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 5\r\n\r\nhello';

const echo = answering(({ line, body }) => ok(`${line.split(' ')[1]} ${body}`));

describe('a client that half-closes right behind its request gets its answer', () => {
  test.each([
    ['warm', GET],
    ['warm, with a body', POST],
    [
      'warm, with a chunked body',
      POST.replace('Content-Length: 5', 'Transfer-Encoding: chunked').replace('hello', '0\r\n\r\n'),
    ],
    ['warm, of HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n'],
  ])('%s', async (_name, request) => {
    const origin = await Origin.listen(silent);
    const h = await EdgeHarness.ready(origin);
    const client = await h.connect();
    client.write(request);
    const upstream = await origin.connection();
    await upstream.request();
    h.clock.advance(BEHIND);
    await h.end(client);
    await h.inFlight(1);
    await h.pass(30_000, 1000);
    upstream.write(ok('late'));
    const answer = await client.answer();
    expect([answer.status, answer.text, answer.fields['connection']]).toEqual([200, 'late', ['close']]);
    expect(await client.untilOver()).toBe('end');
    await h.connections(0);
    expect(h.accessed).toMatchObject([{ status: 200, ending: 'complete' }]);
  });

  test.each([
    ['cold', GET, '/ '],
    ['cold, with a body', POST, '/ hello'],
  ])('%s', async (_name, request, text) => {
    const origin = await Origin.listen(echo);
    const h = await EdgeHarness.start();
    h.state();
    const client = await h.connect();
    client.write(request);
    await h.held(1);
    await h.end(client);
    await h.pass(20_000, 1000);
    await h.held(1);
    h.state({ endpoints: [at(origin)] });
    expect((await client.answer()).text).toBe(text);
    expect(await client.untilOver()).toBe('end');
    await h.connections(0);
  });

  test('while a connection to the service is being made', async () => {
    const origin = await Origin.listen(echo);
    const h = await EdgeHarness.ready(origin);
    const client = await h.connect();
    client.write(GET);
    client.end();
    expect((await client.answer()).text).toBe('/ ');
    expect(await client.untilOver()).toBe('end');
  });

  test('though the process was too busy to see it in time', async () => {
    const origin = await Origin.listen(silent);
    const h = await EdgeHarness.ready(origin);
    const client = await h.connect();
    client.write(GET);
    const upstream = await origin.connection();
    await upstream.head();
    // Time goes on, and nothing was done meanwhile.
    const { now } = h.clock;
    h.clock.now = () => now.call(h.clock) + 2000;
    await h.end(client);
    upstream.write(ok('late'));
    expect((await client.answer()).text).toBe('late');
  });

  test('while its password is being checked', async () => {
    const users = [{ name: 'alice', hash: cheapHash('wonderland', 14, 8) }];
    const { harness } = await serve({ '/': rules({ basicAuth: { realm: 'r', users, forward: false } }) });
    const client = await harness.connect();
    client.get('/in', basic('alice', 'wonderland'));
    client.end();
    expect((await client.answer()).text).toBe('/in');
    expect(await client.untilOver()).toBe('end');
  });

  test('however long the answer rests when it has begun', async () => {
    const origin = await Origin.listen(silent);
    const h = await EdgeHarness.ready(origin);
    const client = await h.connect();
    client.write(GET);
    const upstream = await origin.connection();
    await upstream.head();
    upstream.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
    await client.readThrough('hello');
    await h.end(client);
    await h.pass(20_000, 1000);
    upstream.write('world');
    expect((await client.readAll()).toString()).toBe('world');
    expect(client.ending).toBe('end');
  });

  test('but an answer that rests for longer than a stream may be quiet is kept up for nobody', async () => {
    const origin = await Origin.listen(silent);
    const h = await EdgeHarness.ready(origin, { timeouts: { streamMs: 20_000 } });
    const clients = [await h.connect(), await h.connect()];
    for (const [index, client] of clients.entries()) {
      client.write(GET);
      if (index === 0) await h.end(client);
      const upstream = await origin.connection(index);
      await upstream.head();
      upstream.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
      await client.readThrough('hello');
      if (index === 1) await h.end(client);
    }
    await h.pass(19_000, 1000);
    await h.connections(2);
    await h.pass(2000, 500);
    await h.connections(0);
    expect(h.accessed).toMatchObject([{ ending: 'client-left' }, { ending: 'client-left' }]);
  });

  test('and those to all requests that it sent before', async () => {
    const origin = await Origin.listen(echo);
    const h = await EdgeHarness.ready(origin);
    const client = await h.connect();
    const count = 200;
    for (let i = 0; i < count; i++) client.get(`/${i}`);
    client.write(POST);
    client.end();
    const texts: string[] = [];
    for (let i = 0; i <= count; i++) texts.push((await client.answer()).text);
    expect(texts).toEqual([...Array.from({ length: count }, (_, i) => `/${i} `), '/ hello']);
    expect(await client.untilOver()).toBe('end');
    await h.connections(0);
  });

  test('and those while it takes none of them', async () => {
    const to = `/${'x'.repeat(4000)}`;
    const h = await EdgeHarness.start(policy(), { routes: routes({ '/': rules({ redirect: { to, status: 308 } }) }) });
    const client = await h.connect();
    const count = 3000;
    client.pause();
    client.write(GET.repeat(count));
    client.end();
    await quiet(200);
    client.resume();
    const all = (await client.readAll()).toString('latin1');
    expect(all.split('HTTP/1.1 308').length - 1).toBe(count);
    expect(client.ending).toBe('end');
  });

  test.each([
    ['half a head', 'GET /half HTTP/1.1\r\nHo', 400],
    ['half a body', POST.slice(0, -2), undefined],
  ])('but %s behind it is no request', async (_name, rest, status) => {
    const seen: string[] = [];
    const origin = await Origin.listen(answering(({ line }) => ok(seen[seen.push(line) - 1])));
    const h = await EdgeHarness.ready(origin);
    const client = await h.connect();
    client.write(`${GET}${rest}`);
    client.end();
    expect((await client.answer()).text).toBe('GET / HTTP/1.1');
    if (status !== undefined) expect((await client.answer()).status).toBe(status);
    await client.untilOver();
    await h.connections(0);
    expect(seen).toEqual(['GET / HTTP/1.1']);
  });

  test('an upgrade, whose tunnel then begins with its end', async () => {
    const origin = await Origin.listen(silent);
    const h = await EdgeHarness.ready(origin);
    const client = await h.connect();
    client.get('/', 'Connection: Upgrade\r\nUpgrade: raw\r\n');
    client.write('first and last');
    const upstream = await origin.connection();
    await upstream.head();
    await h.end(client);
    upstream.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n');
    expect((await upstream.readAll()).toString()).toBe('first and last');
    upstream.write('answer');
    upstream.end();
    await client.readThrough('\r\n\r\n');
    expect((await client.readAll()).toString()).toBe('answer');
  });

  test('and the progress of a start', async () => {
    const origin = await Origin.listen(echo);
    const h = await EdgeHarness.start();
    h.state({ starting: true });
    const client = await h.connect();
    client.get(`${PROGRESS_PREFIX}/`);
    await client.readThrough('starting');
    await h.end(client);
    h.state({ endpoints: [at(origin)] });
    expect((await client.readAll()).toString()).toContain('event: ready');
  });
});

describe('a client that closes later has given up', () => {
  test('its held request is dropped unsent', async () => {
    const origin = await Origin.listen(echo);
    const h = await EdgeHarness.start();
    h.state();
    const client = await h.connect();
    client.write(POST);
    await h.held(1);
    h.clock.advance(LATER);
    client.end();
    await h.held(0);
    await h.connections(0);
    h.state({ endpoints: [at(origin)] });
    await h.report();
    expect(origin.connections).toEqual([]);
  });

  test('its last byte counts, not its first', async () => {
    const h = await EdgeHarness.start();
    h.state();
    const client = await h.connect();
    client.write(POST.slice(0, -1));
    await h.held(1);
    h.clock.advance(5000);
    client.write(POST.slice(-1));
    await h.taken(client);
    h.clock.advance(BEHIND);
    await h.end(client);
    await h.held(1);
  });

  test('what it had sent behind is not served either', async () => {
    const origin = await Origin.listen(silent);
    const h = await EdgeHarness.ready(origin);
    const client = await h.connect();
    client.write(GET + GET);
    const upstream = await origin.connection();
    await upstream.head();
    h.clock.advance(LATER);
    client.end();
    await upstream.untilOver();
    await h.connections(0);
    expect(origin.connections).toHaveLength(1);
  });
});

describe('a half-closed client that is held gives up its place first', () => {
  const heldClients = async (hold: Parameters<typeof policy>[0], count: number, request = GET) => {
    const h = await EdgeHarness.start(policy({ wakeable: true, ...hold }));
    h.state();
    const clients: Client[] = [];
    for (let i = 0; i < count; i++) {
      const client = await h.connect();
      client.write(request);
      clients.push(client);
      await h.held(i + 1);
    }
    return { h, clients };
  };

  test('when the queue is full: the others keep theirs', async () => {
    const { h, clients } = await heldClients({ hold: { max: 3 } }, 3);
    const [first, second, third] = clients as [Client, Client, Client];
    await h.end(second);
    const late = await h.connect();
    late.write(GET);
    expect((await second.answer()).status).toBe(503);
    await h.held(3);
    const tooLate = await h.connect();
    tooLate.write(GET);
    expect((await tooLate.answer()).status).toBe(503);
    const origin = await Origin.listen(echo);
    h.state({ endpoints: [at(origin)] });
    for (const client of [first, third, late]) expect((await client.answer()).status).toBe(200);
  });

  test('and is told so', async () => {
    const { h, clients } = await heldClients({ hold: { max: 1 } }, 1, GET + GET);
    const [first] = clients as [Client];
    await h.end(first);
    const late = await h.connect();
    late.write(GET);
    const answer = await first.answer();
    expect([answer.status, JSON.parse(answer.text).code]).toEqual([503, 'HOLD_FULL']);
    expect(await first.untilOver()).toBe('end');
    await h.held(1);
  });

  test('when its client has too many', async () => {
    const { h, clients } = await heldClients({ hold: { perClient: 2 } }, 2);
    const other = await h.connect('127.0.0.1', '127.0.0.2');
    other.write(GET);
    await h.held(3);
    await h.end(other);
    const refused = await h.connect();
    refused.write(GET);
    expect((await refused.answer()).status).toBe(503);
    await h.end(clients[0] as Client);
    const late = await h.connect();
    late.write(GET);
    expect(JSON.parse((await (clients[0] as Client).answer()).text).code).toBe('HOLD_CLIENT');
    await h.held(3);
  });

  test('when its body takes the room', async () => {
    const { h, clients } = await heldClients({ hold: { maxBytes: 10 } }, 2, POST);
    await h.end(clients[1] as Client);
    const late = await h.connect();
    late.write(POST);
    expect(JSON.parse((await (clients[1] as Client).answer()).text).code).toBe('HOLD_BYTES');
    await h.held(2);
    expect((await h.service())?.heldBytes).toBe(10);
    const refused = await h.connect();
    refused.write(POST);
    expect((await refused.answer()).status).toBe(503);
  });
});
