import { createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { at } from '../../edge-harness.ts';
import { answering, Origin, ok, quiet, until } from '../../wire.ts';
import { answer, edgeBefore, Http2Origin, unanswered } from './http2-origin.ts';

const POST = 'POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 5\r\n\r\nhello';

describe('an endpoint', () => {
  test('gets no more requests at once than it takes, and another session for the rest', async () => {
    const origin = await Http2Origin.listen(unanswered, { settings: { maxConcurrentStreams: 2 } });
    const edge = await edgeBefore([origin]);
    const clients = await Promise.all([1, 2, 3, 4, 5].map(() => edge.connect()));
    for (const client of clients) client.get();
    await origin.request(4);
    expect(origin.sessions).toHaveLength(3);
    for (const { stream } of origin.asked) answer('done')({ stream } as never);
    for (const client of clients) expect((await client.answer()).text).toBe('done');
  });

  test('that says goodbye answers what it has, and gets the next request on another session', async () => {
    const origin = await Http2Origin.listen(unanswered);
    const edge = await edgeBefore([origin]);
    const [first, second] = [await edge.connect(), await edge.connect()];
    first.get('/first');
    const { stream } = await origin.request();
    origin.sessions[0]?.goaway(0, stream.id as number);
    await quiet();
    second.get('/second');
    await origin.request(1);
    expect(origin.sessions).toHaveLength(2);
    answer('one')({ stream } as never);
    answer('two')({ stream: (await origin.request(1)).stream } as never);
    expect([(await first.answer()).text, (await second.answer()).text]).toEqual(['one', 'two']);
  });

  test('that takes a stream back undone has the request sent to another one, whatever its method', async () => {
    const one = await Http2Origin.listen(({ stream }) => stream.close(7));
    const other = await Http2Origin.listen(answer('done'));
    const edge = await edgeBefore([one, other], { balance: 'round-robin' });
    for (let at = 0; at < 2; at++) {
      const client = await edge.connect();
      client.write(POST);
      expect((await client.answer()).text).toBe('done');
    }
    expect(one.asked).toHaveLength(1);
    expect(other.asked.map(({ body }) => body())).toEqual(['hello', 'hello']);
  });

  test.each([0, 11])('that leaves with code %i gets what it has not looked at on another session', async (code) => {
    let isLeaving = true;
    const origin = await Http2Origin.listen((asked) => {
      if (asked.headers[':path'] === '/first' || !isLeaving) {
        answer('done')(asked);
        return;
      }
      isLeaving = false;
      asked.stream.session?.goaway(code, 1);
    });
    const edge = await edgeBefore([origin]);
    const client = await edge.connect();
    client.get('/first');
    expect((await client.answer()).text).toBe('done');
    client.write(POST);
    expect((await client.answer()).text).toBe('done');
    expect(origin.sessions).toHaveLength(2);
  });

  test('that may have begun with a request does not get it again, where that is not safe', async () => {
    const origin = await Http2Origin.listen(({ stream }) => stream.session?.destroy());
    const edge = await edgeBefore([origin]);
    const client = await edge.connect();
    client.write(POST);
    const got = await client.answer();
    expect([got.status, JSON.parse(got.text).code]).toEqual([502, 'UPSTREAM_RESET']);
    expect(origin.asked).toHaveLength(1);
  });

  test('that always takes streams back does not get the request for ever', async () => {
    const origin = await Http2Origin.listen(({ stream }) => stream.close(7));
    const edge = await edgeBefore([origin]);
    const client = await edge.connect();
    client.write(POST);
    const got = await client.answer();
    expect([got.status, JSON.parse(got.text).code, JSON.parse(got.text).retrySafe]).toEqual([
      502,
      'UPSTREAM_DECLINED',
      true,
    ]);
    expect(origin.asked.length).toBeLessThan(4);
  });

  test('that speaks HTTP/1.1 alone is told of, and nothing is sent to it', async () => {
    const origin = await Origin.listen(async (connection) => {
      await connection.head();
      connection.write(ok('what?', '', '400 Bad Request'));
      connection.end();
    });
    const edge = await edgeBefore([origin], { retries: { max: 0 } });
    const client = await edge.connect();
    client.get();
    expect((await client.answer()).status).toBe(502);
    expect(await edge.message('bad-answer')).toMatchObject({ fault: 'no HTTP/2 answer' });
  });

  test('that takes the connection and says nothing is waited for as long as a connect may take', async () => {
    const server = createServer(() => {});
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const edge = await edgeBefore([server.address() as { port: number }], { retries: { max: 0 } });
    const client = await edge.connect();
    client.get();
    await edge.inFlight(1);
    edge.clock.advance(2000);
    const got = await client.answer();
    expect([got.status, JSON.parse(got.text).code]).toEqual([504, 'CONNECT_TIMEOUT']);
  });

  test('that has no request for a while loses its session, and no request with it', async () => {
    const origin = await Http2Origin.listen();
    const edge = await edgeBefore([origin]);
    const client = await edge.connect();
    client.get();
    await client.answer();
    await edge.pass(30_000, 1000);
    expect(origin.sessions[0]?.closed).toBe(false);
    client.get();
    await client.answer();
    await edge.pass(70_000, 1000);
    await until(() => origin.sessions[0]?.closed === true, 'the end of the session');
    const other = await edge.connect();
    other.get();
    expect((await other.answer()).text).toBe('hello');
    expect(origin.sessions).toHaveLength(2);
  });

  test('that is cordoned ends what it has, and its session after that', async () => {
    const origin = await Http2Origin.listen(unanswered);
    const edge = await edgeBefore([origin]);
    const client = await edge.connect();
    client.get();
    const { stream } = await origin.request();
    edge.state({ endpoints: [at(origin, { state: 'cordoned' })] });
    answer('last')({ stream } as never);
    expect((await client.answer()).text).toBe('last');
    await until(() => origin.sessions[0]?.closed === true, 'the end of the session');
    expect(await edge.message('drained')).toMatchObject({ quiet: 0 });
  });

  test('that spoke HTTP/1.1 until a reload is spoken to by HTTP/2 from then on', async () => {
    const old = await Origin.listen(answering(() => ok('old')));
    const edge = await edgeBefore([old], { upstream: { protocol: 'http1', proxyProtocol: false } });
    const client = await edge.connect();
    client.get();
    expect((await client.answer()).text).toBe('old');
    const origin = await Http2Origin.listen();
    edge.table((await import('./http2-origin.ts')).http2Policy());
    edge.state({ endpoints: [at(origin)] });
    client.get();
    expect((await client.answer()).text).toBe('hello');
  });
});

describe('a probe', () => {
  const check = { kind: 'http', path: '/ready', hostHeader: 'app.test', statusMin: 200, statusMax: 299 } as const;
  const probe = { type: 'probe', probe: 'p1', service: 'app', endpoint: 'app-1@1', host: '127.0.0.1', check } as const;

  test('asks by HTTP/2, and the first request goes on the session that it opened', async () => {
    const origin = await Http2Origin.listen();
    const edge = await edgeBefore([]);
    edge.send({ ...probe, port: origin.port, timeoutMs: 60_000 });
    expect(await edge.message('probed')).toMatchObject({ ok: true });
    expect((await origin.request()).headers[':path']).toBe('/ready');
    edge.state({ endpoints: [at(origin, { id: 'app-1@1' })] });
    const client = await edge.connect();
    client.get('/first');
    expect((await client.answer()).text).toBe('hello');
    expect(origin.sessions).toHaveLength(1);
  });

  test('of health asks by HTTP/2 too, and leaves no session behind', async () => {
    const origin = await Http2Origin.listen();
    const health = { intervalMs: 1000, timeoutMs: 500, rise: 1, fall: 1, check: { ...check, kind: 'http' as const } };
    await edgeBefore([origin], { health: health as never, healthHost: 'app.test' }).then((edge) => edge.pass(1500));
    await until(() => origin.asked.length > 0, 'a check');
    expect(origin.asked[0]?.headers['user-agent']).toBe('pilotlight-probe');
    await until(() => origin.sessions[0]?.closed === true, 'the end of the session');
  });
});
