import { describe, expect, test } from 'vitest';
import { EdgeHarness } from '../edge-harness.ts';
import { rules, serve } from '../route/rules.ts';
import { type Answer, answering, Origin, ok } from '../wire.ts';
import { accepting, compressing, compression, decoded, prose } from './compressing.ts';

const CONTENT = prose(4000);
const TEXT = 'Content-Type: text/plain\r\n';
const ALL = accepting('gzip, br, zstd');

/** What a client gets for an answer of the service. */
async function got(
  answer: string,
  { method = 'GET', fields = ALL, types }: { method?: string; fields?: string; types?: string[] } = {},
): Promise<Answer> {
  const { harness } = await compressing(
    answering(() => answer),
    types === undefined ? {} : { types },
  );
  const client = await harness.connect();
  client.write(`${method} / HTTP/1.1\r\nHost: app.test\r\n${fields}\r\n`);
  return client.answer(method);
}

const page = (fields: string, status = '200 OK') => ok(CONTENT, fields, status);

describe('compressed', () => {
  test.each([
    ['text', page('Content-Type: text/html; charset=utf-8\r\n')],
    ['a type in capitals', page('Content-Type: TEXT/HTML\r\n')],
    ['JSON of a kind', page('Content-Type: application/problem+json\r\n')],
    ['a page that tells of an error', page(TEXT, '404 Not Found')],
    ['an error of the service', page(TEXT, '500 Broken')],
  ])('%s', async (_, answer) => {
    const { fields, body, status } = await got(answer);
    expect(fields).toMatchObject({ 'content-encoding': ['zstd'], vary: ['Accept-Encoding'] });
    expect(fields['content-length']).toEqual([String(body.length)]);
    expect(decoded('zstd', body).toString()).toBe(CONTENT);
    expect(answer).toContain(` ${status} `);
  });

  test('an event stream that is named', async () => {
    const answer = page('Content-Type: text/event-stream\r\n');
    expect((await got(answer, { types: ['text/event-stream'] })).fields['content-encoding']).toEqual(['zstd']);
  });
});

describe('sent as it is, and the same to all', () => {
  test.each([
    ['no type', page('')],
    ['short content', ok(prose(1023), TEXT)],
    ['what is compressed already', page(`${TEXT}Content-Encoding: deflate\r\n`)],
    ['what says that it is not', page(`${TEXT}Content-Encoding: identity\r\n`)],
    ['what must not be changed', page(`${TEXT}Cache-Control: public\r\nCache-Control: max-age=1, No-Transform\r\n`)],
    ['content with a digest', page(`${TEXT}Content-Digest: sha-256=:AAAA:\r\n`)],
    ['a digest of the representation', page(`${TEXT}Repr-Digest: sha-256=:AAAA:\r\n`)],
    ['an old digest', page(`${TEXT}Digest: sha-256=AAAA\r\n`)],
    ['a still older one', page(`${TEXT}Content-MD5: AAAA\r\n`)],
    ['a part', page(`${TEXT}Content-Range: bytes 0-3999/8000\r\n`, '206 Partial Content')],
    ['parts', page('Content-Type: multipart/byteranges; boundary=x\r\n', '206 Partial Content')],
    ['a range that cannot be had', page(`${TEXT}Content-Range: bytes */8000\r\n`, '416 No')],
    ['an event stream', page('Content-Type: text/event-stream\r\n')],
    ['several parts', page('Content-Type: multipart/mixed; boundary=x\r\n')],
    ['gRPC', page('Content-Type: application/grpc+json\r\n')],
  ])('%s', async (_, answer) => {
    const { fields, text, body } = await got(answer, { types: ['*/*'] });
    expect([fields['vary'], fields['etag']]).toEqual([undefined, undefined]);
    expect(fields['content-length']).toEqual([String(body.length)]);
    expect(answer.endsWith(text)).toBe(true);
  });

  test('a type that is not named', async () => {
    const { fields, text } = await got(page('Content-Type: image/png\r\n'));
    expect([fields['content-encoding'], fields['vary'], text]).toEqual([undefined, undefined, CONTENT]);
  });

  test('a digest that comes behind the content', async () => {
    const chunks = `${CONTENT.length.toString(16)}\r\n${CONTENT}\r\n0\r\nContent-Digest: sha-256=:AAAA:\r\n\r\n`;
    const head = `HTTP/1.1 200 OK\r\n${TEXT}Trailer: Content-Digest\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const { fields, text } = await got(head + chunks, { fields: `${ALL}TE: trailers\r\nConnection: TE\r\n` });
    expect([fields['content-encoding'], text]).toEqual([undefined, CONTENT]);
  });

  test('no content', async () => {
    const { fields, status } = await got(`HTTP/1.1 204 No Content\r\n${TEXT}\r\n`);
    expect([status, fields['vary'], fields['content-encoding']]).toEqual([204, undefined, undefined]);
  });
});

describe('sent as it is, but other clients may get something else', () => {
  test.each([
    ['accepts nothing', ''],
    ['accepts other encodings', accepting('deflate')],
    ['excludes ours', accepting('gzip;q=0')],
    ['asks for a part', `${ALL}Range: bytes=0-\r\n`],
    ['wants nothing changed', `${ALL}Cache-Control: no-transform\r\n`],
  ])('a client that %s', async (_, fields) => {
    const answer = await got(page(`${TEXT}ETag: "a"\r\nAccept-Ranges: bytes\r\n`), { fields });
    expect(answer.text).toBe(CONTENT);
    expect(answer.fields).toMatchObject({
      vary: ['Accept-Encoding'],
      etag: ['"a"'],
      'accept-ranges': ['bytes'],
      'content-length': ['4000'],
    });
    expect(answer.fields['content-encoding']).toBeUndefined();
  });

  test('content in chunks that turns out to be short', async () => {
    const { fields, text } = await got(
      `HTTP/1.1 200 OK\r\n${TEXT}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
    );
    expect([fields['content-encoding'], fields['vary'], text]).toEqual([undefined, ['Accept-Encoding'], 'ok']);
  });

  test('content that does not get smaller', async () => {
    let noise = '';
    for (let seed = 1; noise.length < 2000; seed = (seed * 48_271) % 2_147_483_647)
      noise += String.fromCharCode(seed % 256);
    const { fields, body } = await got(
      Buffer.from(ok('', TEXT).replace('Content-Length: 0', 'Content-Length: 2000') + noise, 'latin1').toString(
        'latin1',
      ),
    );
    expect([fields['content-encoding'], fields['content-length'], body.toString('latin1')]).toEqual([
      undefined,
      ['2000'],
      noise,
    ]);
  });
});

test('a HEAD is answered with the fields of its GET', async () => {
  const answer = `HTTP/1.1 200 OK\r\n${TEXT}ETag: "a"\r\nAccept-Ranges: bytes\r\nContent-Length: 4000\r\n\r\n`;
  const { fields } = await got(answer, { method: 'HEAD' });
  expect(fields).toMatchObject({ 'content-encoding': ['zstd'], vary: ['Accept-Encoding'], etag: ['W/"a"'] });
  expect([fields['content-length'], fields['accept-ranges'], fields['transfer-encoding']]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  const short = await got(answer.replace('4000', '400'), { method: 'HEAD' });
  expect([short.fields['content-encoding'], short.fields['content-length']]).toEqual([undefined, ['400']]);
});

describe('fields that say what the content is', () => {
  test.each([
    ['a strong tag gets weak', 'ETag: "a"\r\n', { etag: ['W/"a"'] }],
    ['a weak tag stays', 'ETag: W/"a"\r\n', { etag: ['W/"a"'] }],
    ['parts are not offered', 'Accept-Ranges: bytes\r\n', { 'accept-ranges': undefined }],
    ['Vary is added to', 'Vary: Origin\r\nX: y\r\nVary: Cookie\r\n', { vary: ['Origin, Cookie, Accept-Encoding'] }],
    ['Vary has it already', 'Vary: Origin, accept-encoding\r\n', { vary: ['Origin, accept-encoding'] }],
    ['Vary: * says all', 'Vary: *\r\n', { vary: ['*'] }],
  ])('%s', async (_, given, expected) => {
    const { fields } = await got(page(TEXT + given));
    expect(fields).toMatchObject({ 'content-encoding': ['zstd'] });
    for (const [name, value] of Object.entries(expected)) expect(fields[name]).toEqual(value);
  });
});

describe('rules of the route for fields of answers', () => {
  const fields = `${TEXT}ETag: "a"\r\nVary: Origin\r\n`;

  async function ruled(response: Parameters<typeof rules>[0]): Promise<Answer> {
    const { harness } = await serve({ '/': rules(response) }, {}, { compress: compression() }, () => page(fields));
    const client = await harness.connect();
    client.get('/', ALL);
    return client.answer();
  }

  test('take no encoding away that the content has', async () => {
    const remove = ['Content-Encoding', 'Vary', 'ETag'];
    const answer = await ruled({ response: { remove } });
    expect(answer.fields).toMatchObject({ 'content-encoding': ['zstd'], vary: ['Accept-Encoding'] });
    expect(answer.fields['etag']).toBeUndefined();
    expect(decoded('zstd', answer.body).toString()).toBe(CONTENT);
  });

  test('may say more of what an answer depends on', async () => {
    const answer = await ruled({ response: { set: [{ name: 'Vary', value: 'Cookie' }] } });
    expect(answer.fields['vary']?.join(', ')).toBe('Cookie, Accept-Encoding');
  });
});

test('a route may have it off, or on by itself', async () => {
  const origin = await Origin.listen(answering(() => page(TEXT)));
  const routes = [
    { host: undefined, path: '/', service: 'app' },
    { host: undefined, path: '/off', service: 'app', compress: false as const },
    { host: undefined, path: '/br', service: 'app', compress: compression({ encodings: ['br'] }) },
  ];
  const harness = await EdgeHarness.ready(origin, { compress: compression() }, { routes });
  const client = await harness.connect();
  const encodings: unknown[] = [];
  for (const path of ['/', '/off', '/br']) {
    client.get(path, ALL);
    encodings.push((await client.answer()).fields['content-encoding']?.[0]);
  }
  expect(encodings).toEqual(['zstd', undefined, 'br']);
});
