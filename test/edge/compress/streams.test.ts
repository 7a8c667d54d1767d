import { createGunzip } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { Http2Client } from '../client/http2/http2-client.ts';
import { at, EdgeHarness, policy } from '../edge-harness.ts';
import { answering, type Client, Origin, ok, until } from '../wire.ts';
import { accepting, compressing, compression, decoded, prose } from './compressing.ts';

const TEXT = 'Content-Type: text/plain\r\n';
const CHUNKED = `HTTP/1.1 200 OK\r\n${TEXT}Transfer-Encoding: chunked\r\n\r\n`;

function chunk(content: string): string {
  return `${Buffer.byteLength(content).toString(16)}\r\n${content}\r\n`;
}

/** Reads a chunked answer by gzip as it comes. */
async function decoding(client: Client): Promise<{ readonly text: string }> {
  expect(await client.head()).toContain('Content-Encoding: gzip');
  const result = { text: '' };
  const gunzip = createGunzip();
  // Some streams have no end.
  gunzip.on('error', () => {});
  gunzip.on('data', (bytes: Buffer) => {
    result.text += bytes.toString();
  });
  void (async () => {
    for (;;) {
      const size = Number.parseInt((await client.readThrough('\r\n')) ?? '0', 16);
      if (size === 0) break;
      gunzip.write(await client.readExactly(size));
      await client.readExactly(2);
    }
    gunzip.end();
  })();
  return result;
}

describe('a stream', () => {
  test('comes as its service sends it: the head at once, and all so far whenever that pauses', async () => {
    const { harness, origin } = await compressing(() => {});
    const client = await harness.connect();
    client.get('/', accepting('gzip'));
    const connection = await origin.connection();
    await connection.request();
    connection.write(CHUNKED);
    const got = await decoding(client);
    let sent = '';
    for (const part of ['first\n', 'second\n', prose(70_000), 'last\n']) {
      sent += part;
      connection.write(chunk(part));
      await until(() => got.text === sent, `so far ${sent.length}, not ${got.text.length}`);
    }
    connection.write('0\r\n\r\n');
    await harness.inFlight(0);
  });

  test('of events comes event by event where its type is named', async () => {
    const { harness, origin } = await compressing(() => {}, { types: ['text/event-stream'] });
    const client = await harness.connect();
    client.get('/', accepting('gzip'));
    const connection = await origin.connection();
    await connection.request();
    connection.write(CHUNKED.replace('text/plain', 'text/event-stream') + chunk('data: 0\n\n'));
    const got = await decoding(client);
    for (let event = 1; event < 20; event++) {
      connection.write(chunk(`data: ${event}\n\n`));
      await until(() => got.text.endsWith(`data: ${event}\n\n`), `event ${event}`);
    }
  });

  test('that begins with a pause and ends with its length is whole', async () => {
    const content = prose(40_000);
    const { harness, origin } = await compressing(() => {});
    const client = await harness.connect();
    client.get('/', accepting('br'));
    const connection = await origin.connection();
    await connection.request();
    const answer = ok(content, TEXT);
    connection.write(answer.slice(0, 500));
    expect(await client.head()).toContain('Transfer-Encoding: chunked');
    connection.write(answer.slice(500));
    const body: Buffer[] = [];
    for (;;) {
      const size = Number.parseInt((await client.readThrough('\r\n')) ?? '', 16);
      body.push(await client.readExactly(size));
      await client.readExactly(2);
      if (size === 0) break;
    }
    expect(decoded('br', Buffer.concat(body)).toString()).toBe(content);
  });
});

describe('trailers', () => {
  test.each([
    ['of content that is small', prose(3000)],
    ['of content that is large', prose(300_000)],
  ])('%s come behind it', async (_, content) => {
    const { harness } = await compressing(answering(() => `${CHUNKED}${chunk(content)}0\r\nX-Sum: 1\r\n\r\n`));
    const client = await harness.connect();
    client.get('/', `${accepting('gzip')}TE: trailers\r\nConnection: TE\r\n`);
    const { trailers, body, complete } = await client.answer();
    expect([complete, trailers]).toEqual([true, 'X-Sum: 1\r\n']);
    expect(decoded('gzip', body).toString()).toBe(content);
  });
});

describe('a client of HTTP/1.0', () => {
  const content = prose(200_000);

  test('gets small content with its length, and may ask again', async () => {
    const { harness } = await compressing(answering(() => ok(prose(3000), TEXT)));
    const client = await harness.connect();
    for (let i = 0; i < 2; i++) {
      client.write(`GET / HTTP/1.0\r\nHost: app.test\r\nConnection: keep-alive\r\n${accepting('gzip')}\r\n`);
      const { fields, body } = await client.answer();
      expect(fields['connection']).toEqual(['keep-alive']);
      expect(decoded('gzip', body).toString()).toBe(prose(3000));
    }
  });

  test('gets any other until the end of the connection', async () => {
    const { harness } = await compressing(answering(() => ok(content, TEXT)));
    const client = await harness.connect();
    client.write(`GET / HTTP/1.0\r\nHost: app.test\r\nConnection: keep-alive\r\n${accepting('gzip')}\r\n`);
    const { fields, body, complete } = await client.answer();
    expect([complete, fields['content-length'], fields['transfer-encoding']]).toEqual([true, undefined, undefined]);
    expect(decoded('gzip', body).toString()).toBe(content);
  });
});

test('requests that were sent ahead are answered in their order', async () => {
  const { harness } = await compressing(
    answering(({ line }) => ok(prose(line.includes('/large') ? 300_000 : 2000), TEXT)),
  );
  const client = await harness.connect();
  const paths = ['/large', '/small', '/large', '/small'];
  for (const path of paths) client.get(path, accepting('zstd'));
  for (const path of paths) {
    const { body } = await client.answer();
    expect(decoded('zstd', body).length).toBe(path === '/large' ? 300_000 : 2000);
  }
});

describe('over HTTP/2', () => {
  async function open(answer: string): Promise<Http2Client> {
    const origin = await Origin.listen(answering(() => answer));
    const h = await EdgeHarness.start(policy({ compress: compression() }), {}, {}, { http2: true });
    h.state({ endpoints: [at(origin)] });
    return Http2Client.open(h.port);
  }

  test.each([
    ['small', prose(3000)],
    ['large', prose(1_000_000)],
  ])('%s contents of many streams come whole, with their trailers', async (_, content) => {
    const client = await open(`${CHUNKED}${chunk(content)}0\r\nX-Sum: 1\r\n\r\n`);
    const asked = Array.from({ length: 6 }, () => client.send({ 'accept-encoding': 'br', te: 'trailers' }));
    for (const stream of asked) {
      const { fields, trailers, reset } = await stream.answer();
      expect([fields['content-encoding'], fields['vary'], trailers, reset]).toEqual([
        'br',
        'Accept-Encoding',
        { 'x-sum': '1' },
        0,
      ]);
      expect(decoded('br', stream.body).toString()).toBe(content);
    }
  });

  test('small content has its length', async () => {
    const client = await open(ok(prose(3000), `${TEXT}ETag: "a"\r\n`));
    const stream = client.send({ 'accept-encoding': 'gzip' });
    const { fields } = await stream.answer();
    expect(fields).toMatchObject({ 'content-length': String(stream.body.length), etag: 'W/"a"' });
  });

  test('a HEAD ends with its head', async () => {
    const client = await open(`HTTP/1.1 200 OK\r\n${TEXT}Content-Length: 4000\r\n\r\n`);
    const { fields, text, reset } = await client.get('/', { ':method': 'HEAD', 'accept-encoding': 'gzip' });
    expect([fields['content-encoding'], fields['content-length'], text, reset]).toEqual(['gzip', undefined, '', 0]);
  });
});
