import { describe, expect, test } from 'vitest';
import { Http2Client } from '../../client/http2/http2-client.ts';
import { quiet, until } from '../../wire.ts';
import { answer, edgeBefore, Http2Origin, takeBack, unanswered } from './http2-origin.ts';

describe('a client of HTTP/1.1', () => {
  test('gets the answer of a service of HTTP/2, with its length or in chunks', async () => {
    const origin = await Http2Origin.listen(({ stream, headers }) => {
      const length = headers[':path'] === '/length' ? { 'content-length': '5' } : {};
      stream.respond({ ':status': 201, 'x-kind': ['a', 'b'], ...length });
      stream.end('hello');
    });
    const edge = await edgeBefore([origin]);
    const client = await edge.connect();
    client.get('/length');
    const first = await client.answer();
    expect([first.status, first.text, first.fields['content-length']]).toEqual([201, 'hello', ['5']]);
    expect(first.fields['x-kind']).toEqual(['a', 'b']);
    client.get('/chunks');
    const second = await client.answer();
    expect([second.text, second.fields['transfer-encoding']]).toEqual(['hello', ['chunked']]);
    expect(origin.sessions).toHaveLength(1);
  });

  test('is asked for by pseudo-fields, without what belongs to its connection', async () => {
    const origin = await Http2Origin.listen();
    const edge = await edgeBefore([origin]);
    const client = await edge.connect();
    client.get(
      '/a?b=c',
      'Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nTE: trailers, gzip\r\nX-Two: 1\r\nX-Two: 2\r\n',
    );
    expect((await client.answer()).text).toBe('hello');
    const { raw, headers } = await origin.request();
    expect(raw.slice(0, 8)).toEqual([':method', 'GET', ':scheme', 'http', ':authority', 'app.test', ':path', '/a?b=c']);
    expect(headers['te']).toBe('trailers');
    expect(headers['x-forwarded-for']).toBe('127.0.0.1');
    const names = raw.filter((_, index) => index % 2 === 0);
    for (const name of ['connection', 'keep-alive', 'x-hop', 'host', 'transfer-encoding'])
      expect(names).not.toContain(name);
    expect(raw.filter((_, index) => index % 2 === 1 && raw[index - 1] === 'x-two')).toEqual(['1', '2']);
  });

  test('sends a body, in chunks and with trailers', async () => {
    const origin = await Http2Origin.listen(({ stream }) => {
      stream.on('end', () => answer('taken')({ stream } as never));
    });
    const edge = await edgeBefore([origin]);
    const client = await edge.connect();
    const head = 'POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n';
    client.write(`${head}5\r\nhello\r\n`);
    const asked = await origin.request();
    client.write('1\r\n!\r\n0\r\nX-Sum: 7\r\n\r\n');
    expect((await client.answer()).text).toBe('taken');
    expect([asked.body(), asked.trailers['x-sum']]).toEqual(['hello!', '7']);
  });

  test('gets trailers, interim answers and empty answers', async () => {
    const origin = await Http2Origin.listen(({ stream, headers }) => {
      if (headers[':path'] === '/empty') {
        stream.respond({ ':status': 200 }, { endStream: true });
        return;
      }
      stream.additionalHeaders({ ':status': 103, link: '</a.css>' });
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '7' }));
      stream.end('hello');
    });
    const edge = await edgeBefore([origin]);
    const client = await edge.connect();
    client.get('/', 'Connection: TE\r\nTE: trailers\r\n');
    const first = await client.answer();
    expect([first.text, first.trailers]).toEqual(['hello', 'x-sum: 7\r\n']);
    expect(first.interim[0]).toContain('103');
    client.get('/empty');
    const second = await client.answer();
    expect([second.status, second.text, second.fields['content-length']]).toEqual([200, '', ['0']]);
  });

  test('sees an answer break off: reset, cut short, or taken back in order', async () => {
    const origin = await Http2Origin.listen(({ stream, headers }) => {
      stream.respond({ ':status': 200, ...(headers[':path'] === '/short' ? { 'content-length': '9' } : {}) });
      stream.write('part');
      if (headers[':path'] === '/short') stream.end();
      else setImmediate(() => takeBack(stream, headers[':path'] === '/taken' ? 0 : 2));
    });
    const edge = await edgeBefore([origin]);
    for (const path of ['/reset', '/short', '/taken']) {
      const client = await edge.connect();
      client.get(path);
      expect((await client.answer()).complete).toBe(false);
    }
  });

  test('that leaves takes its request back', async () => {
    const origin = await Http2Origin.listen(unanswered);
    const edge = await edgeBefore([origin]);
    const client = await edge.connect();
    client.get();
    const { stream } = await origin.request();
    client.reset();
    await until(() => stream.closed, 'the reset');
    expect(stream.rstCode).toBe(8);
    expect(origin.sessions[0]?.closed).toBe(false);
  });

  test('gets the answer to HEAD, 204 and 304 without content', async () => {
    const origin = await Http2Origin.listen(({ stream, headers }) => {
      const status = Number(String(headers[':path']).slice(1));
      stream.respond({ ':status': status, ...(status === 200 ? { 'content-length': '7' } : {}) }, { endStream: true });
    });
    const edge = await edgeBefore([origin]);
    const client = await edge.connect();
    client.write('HEAD /200 HTTP/1.1\r\nHost: app.test\r\n\r\n');
    expect((await client.answer('HEAD')).fields['content-length']).toEqual(['7']);
    for (const status of [204, 304]) {
      client.get(`/${status}`);
      const got = await client.answer();
      expect([got.status, got.fields['transfer-encoding'], got.fields['content-length']]).toEqual([
        status,
        undefined,
        undefined,
      ]);
    }
  });
});

describe('a client of HTTP/2', () => {
  test('and a service of HTTP/2 talk both ways at once', async () => {
    const origin = await Http2Origin.listen(({ stream }) => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-end': 'yes' }));
      stream.on('data', (piece: Buffer) => stream.write(`echo ${piece.toString()};`));
      stream.on('end', () => stream.end());
    });
    const edge = await edgeBefore([origin]);
    const client = await Http2Client.open(edge.port);
    const call = client.send({ ':method': 'POST', te: 'trailers' }, 'one', true);
    await until(() => call.body.toString() === 'echo one;', 'the first echo');
    call.stream.write('two');
    await until(() => call.body.toString() === 'echo one;echo two;', 'the second echo');
    call.stream.end();
    expect(await call.answer()).toMatchObject({ status: 200, trailers: { 'x-end': 'yes' }, reset: 0 });
  });

  test('has the answer before its body is sent, which then is not wanted any more', async () => {
    const origin = await Http2Origin.listen(answer('enough'));
    const edge = await edgeBefore([origin]);
    const client = await Http2Client.open(edge.port);
    const call = client.send({ ':method': 'POST' }, 'part', true);
    await until(() => call.body.toString() === 'enough', 'the answer');
    const { stream } = await origin.request();
    await until(() => stream.closed, 'the end of the stream at the origin');
    expect(stream.rstCode).toBe(0);
  });

  test('that takes nothing holds the service up, and the service that takes nothing holds the client up', async () => {
    let sent = 0;
    const origin = await Http2Origin.listen(({ stream, headers }) => {
      if (headers[':path'] === '/up') {
        stream.pause();
        return;
      }
      stream.respond({ ':status': 200 });
      const more = () => {
        while (sent < 8 * 2 ** 20) {
          sent += 16_384;
          if (!stream.write(Buffer.alloc(16_384))) return;
        }
        stream.end();
      };
      stream.on('drain', more);
      more();
    });
    const edge = await edgeBefore([origin]);
    const client = await Http2Client.open(edge.port);
    const down = client.send({ ':path': '/down' });
    down.stream.pause();
    await until(() => down.status === 200, 'the head');
    await quiet();
    expect(sent).toBeLessThan(2 * 2 ** 20);
    const up = client.send({ ':method': 'POST', ':path': '/up' }, undefined, true);
    await origin.request(1);
    let taken = 0;
    while (taken < 8 * 2 ** 20 && up.stream.write(Buffer.alloc(16_384))) taken += 16_384;
    await quiet();
    expect(up.stream.writableLength + taken).toBeLessThan(2 * 2 ** 20);
    down.stream.resume();
    await until(() => down.closed, 'the end');
    expect(down.body.length).toBe(8 * 2 ** 20);
    up.stream.close();
  });
});
