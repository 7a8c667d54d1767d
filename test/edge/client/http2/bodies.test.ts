import { describe, expect, test } from 'vitest';
import { at, EdgeHarness, policy } from '../../edge-harness.ts';
import { answering, Origin, ok, quiet, silent, until } from '../../wire.ts';
import { Http2Client } from './http2-client.ts';

async function ready(origin: Origin): Promise<EdgeHarness> {
  const h = await EdgeHarness.start(policy(), {}, {}, { http2: true });
  h.state({ endpoints: [at(origin)] });
  return h;
}

const POST = { ':method': 'POST' };
const seenOf = () => {
  const seen: { body: string; trailers: string; fields: Record<string, string[]> }[] = [];
  const script = answering(({ body, trailers, fields }) => {
    seen.push({ body: body.toString('latin1'), trailers, fields });
    return ok('taken');
  });
  return { seen, script };
};

describe('a body', () => {
  test('of a known length goes up with that length', async () => {
    const { seen, script } = seenOf();
    const h = await ready(await Origin.listen(script));
    const client = await Http2Client.open(h.port);
    const answer = await client.send({ ...POST, 'content-length': 5 }, 'hello').answer();
    expect([answer.status, answer.text]).toEqual([200, 'taken']);
    expect(seen).toMatchObject([{ body: 'hello', fields: { 'content-length': ['5'] } }]);
  });

  test('of an unknown length goes up in chunks, with its trailers', async () => {
    const { seen, script } = seenOf();
    const h = await ready(await Origin.listen(script));
    const client = await Http2Client.open(h.port);
    const stream = client.session.request(
      { ':path': '/', ':authority': 'app.test', ...POST },
      { waitForTrailers: true },
    );
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '7', authorization: 'a' }));
    stream.end('hello');
    await until(() => seen.length === 1, 'the request at the origin');
    expect(seen).toMatchObject([
      { body: 'hello', trailers: 'x-sum: 7\r\n', fields: { 'transfer-encoding': ['chunked'] } },
    ]);
  });

  test('that waits with its request for a start goes up whole', async () => {
    const { seen, script } = seenOf();
    const origin = await Origin.listen(script);
    const h = await EdgeHarness.start(policy(), {}, {}, { http2: true });
    h.state();
    const client = await Http2Client.open(h.port);
    const big = Buffer.alloc(300_000, 'x');
    const sent = client.send(POST, big);
    await h.held(1);
    const other = client.send({ ...POST, ':path': '/b' }, 'small');
    await h.held(2);
    h.state({ endpoints: [at(origin)] });
    expect((await sent.answer()).status).toBe(200);
    expect((await other.answer()).status).toBe(200);
    expect(seen.map(({ body }) => body.length).sort()).toEqual([300_000, 5]);
  });

  test('that is held or not taken keeps no other stream of its connection waiting', async () => {
    const origin = await Origin.listen(async (connection) => {
      const head = (await connection.head()) ?? '';
      if (head.startsWith('POST')) connection.socket.pause();
      else connection.write(ok('swift'));
    });
    const h = await ready(origin);
    // In MB: what the client has yet to send counts.
    const client = await Http2Client.open(h.port, { maxSessionMemory: 100 });
    const bodies = Array.from({ length: 4 }, () => client.send(POST, Buffer.alloc(4_000_000, 'x')));
    await origin.connection(3);
    await quiet();
    expect((await client.get('/quick')).text).toBe('swift');
    expect(bodies.every(({ closed }) => !closed)).toBe(true);
  });

  test('is waited for no longer than the time for it', async () => {
    const origin = await Origin.listen(silent);
    const h = await ready(origin);
    const client = await Http2Client.open(h.port);
    const sent = client.send({ ...POST, 'content-length': 10 }, 'hel', true);
    const upstream = await origin.connection();
    await until(() => upstream.peek().toString().endsWith('hel'), 'what there is of the body');
    await h.pass(34_000, 1000);
    expect(await sent.answer()).toMatchObject({ status: 408 });
    expect(client.closed).toBe(false);
  });

  test('is cut a moment after an early answer, and the connection lives', async () => {
    const origin = await Origin.listen(async (connection) => {
      await connection.head();
      connection.write(ok('enough', '', '413 Content Too Large'));
    });
    const h = await ready(origin);
    const client = await Http2Client.open(h.port);
    const sent = client.send(POST, 'part', true).answer();
    let isOver = false;
    void sent.then(() => {
      isOver = true;
    });
    while (!isOver) await h.pass(500, 100);
    const answer = await sent;
    expect([answer.status, answer.text, answer.reset]).toEqual([413, 'enough', 0]);
    expect((await client.get('/')).status).toBe(413);
  });
});

describe('an answer', () => {
  test('of unknown length, with trailers for who takes them', async () => {
    const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n';
    const h = await ready(await Origin.listen(answering(() => chunked)));
    const client = await Http2Client.open(h.port);
    expect(await client.get('/', { te: 'trailers' })).toMatchObject({
      text: 'abc',
      trailers: { 'x-sum': '7' },
      reset: 0,
    });
    expect(await client.get('/')).toMatchObject({ text: 'abc', trailers: {}, reset: 0 });
  });

  test('in pieces, with trailers only at its end', async () => {
    const origin = await Origin.listen(silent);
    const h = await ready(origin);
    const client = await Http2Client.open(h.port);
    const sent = client.send({ te: 'trailers' });
    const upstream = await origin.connection();
    await upstream.head();
    upstream.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
    await until(() => sent.body.length === 3, 'the first piece');
    upstream.write('3\r\ndef\r\n0\r\n\r\n');
    expect(await sent.answer()).toMatchObject({ text: 'abcdef', trailers: {}, reset: 0 });
  });

  test.each([
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', 200, '5'],
    ['GET', 'HTTP/1.1 204 No Content\r\n\r\n', 204, undefined],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: "a"\r\n\r\n', 304, '5'],
  ])('to %s without a body: %s', async (method, bytes, status, length) => {
    const h = await ready(await Origin.listen(answering(() => bytes)));
    const client = await Http2Client.open(h.port);
    const answer = await client.send({ ':method': method }).answer();
    expect([answer.status, answer.text, answer.fields['content-length'], answer.reset]).toEqual([
      status,
      '',
      length,
      0,
    ]);
  });

  test('has interim ones before it', async () => {
    const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nLink: </b>\r\n\r\n';
    const h = await ready(await Origin.listen(answering(() => hints + ok('x'))));
    const client = await Http2Client.open(h.port);
    expect(await client.get('/')).toMatchObject({ interim: [103], text: 'x', status: 200 });
  });

  test('to a client that waits for 100', async () => {
    const origin = await Origin.listen(async (connection) => {
      await connection.head();
      connection.write('HTTP/1.1 100 Continue\r\n\r\n');
      await connection.wait(() => connection.available >= 5, 'the body');
      connection.write(ok('x'));
    });
    const h = await ready(origin);
    const client = await Http2Client.open(h.port);
    const sent = client.send({ ...POST, expect: '100-continue', 'content-length': 5 }, undefined, true);
    sent.stream.on('headers', () => sent.stream.end('hello'));
    expect(await sent.answer()).toMatchObject({ interim: [100], text: 'x' });
  });

  test('larger than any window comes as fast as the client takes it', async () => {
    const big = Buffer.alloc(8_000_000, 'y');
    const origin = await Origin.listen(answering(() => ok(big.toString())));
    const h = await ready(origin);
    const client = await Http2Client.open(h.port);
    const slow = client.send({ ':path': '/slow' });
    slow.stream.pause();
    const upstream = await origin.connection();
    await quiet();
    expect(upstream.socket.writableLength).toBeGreaterThan(1_000_000);
    expect((await client.get('/')).text.length).toBe(8_000_000);
    slow.stream.resume();
    expect((await slow.answer()).text.length).toBe(8_000_000);
  });

  test('that breaks off is reset, and the connection lives', async () => {
    const origin = await Origin.listen(async (connection) => {
      const head = (await connection.head()) ?? '';
      if (head.startsWith('GET /whole')) connection.write(ok('whole'));
      else {
        connection.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhel');
        connection.end();
      }
    });
    const h = await ready(origin);
    const client = await Http2Client.open(h.port);
    expect(await client.get('/part')).toMatchObject({ status: 200, reset: 2 });
    expect((await client.get('/whole')).text).toBe('whole');
    expect(h.accessed).toMatchObject([{ ending: 'upstream-broke' }, { ending: 'complete' }]);
  });

  test('is not waited for by a client that takes its request back', async () => {
    const origin = await Origin.listen(silent);
    const h = await ready(origin);
    const client = await Http2Client.open(h.port);
    const sent = client.send();
    const upstream = await origin.connection();
    await h.inFlight(1);
    sent.stream.close(8);
    await h.inFlight(0);
    await until(() => upstream.ending !== 'open', 'the end of the connection to the service');
    expect(h.accessed).toMatchObject([{ status: 499, ending: 'client-left' }]);
  });
});
