import { describe, expect, test } from 'vitest';
import { at, EdgeHarness, policy } from '../edge-harness.ts';
import { answering, type Client, deadPort, Origin, ok, quiet, silent, until } from '../wire.ts';
import { waiting } from './waiting.ts';

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
