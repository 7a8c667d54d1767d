import type { SecureClientSessionOptions } from 'node:http2';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FrameClient, REQUEST, request } from '../../../support/http2-frames.ts';
import { at, EdgeHarness, policy } from '../../edge-harness.ts';
import { answering, Origin, ok, until } from '../../wire.ts';
import { Http2Client } from './http2-client.ts';

async function answered(
  bytes: string,
  change: Parameters<typeof policy>[0] = {},
  options: SecureClientSessionOptions = {},
): Promise<Http2Client> {
  const origin = await Origin.listen(answering(() => Buffer.from(bytes, 'latin1')));
  const h = await EdgeHarness.start(policy({ wakeable: false, ...change }), {}, {}, { http2: true });
  h.state({ endpoints: [at(origin)] });
  return Http2Client.open(h.port, options);
}

describe('fields of an answer', () => {
  test('come in lower case, without those of the connection', async () => {
    const fields =
      'X-A: 1\r\nConnection: keep-alive, X-B\r\nX-B: 2\r\nKeep-Alive: timeout=5\r\nProxy-Connection: close\r\n' +
      'Upgrade: h2c\r\nTE: gzip\r\nHTTP2-Settings: x\r\n';
    const { fields: got } = await (await answered(ok('x', fields))).get();
    expect(got['x-a']).toBe('1');
    expect(Object.keys(got).sort()).toEqual(['content-length', 'date', 'x-a', 'x-request-id']);
  });

  test('may occur more than once, even where they should not', async () => {
    const client = await answered(ok('x', 'Set-Cookie: a\r\nSet-Cookie: b\r\nETag: "1"\r\nETag: "2"\r\n'));
    const answer = await client.get();
    expect([answer.status, answer.fields['set-cookie'], answer.reset]).toEqual([200, 'a,b', 0]);
  });

  test('keep bytes from 0x80', async () => {
    const answer = await (await answered(ok('x', 'X-Text: caf\xe9\r\n'))).get();
    expect(answer.fields['x-text']).toBe('caf\xe9');
  });

  test('may be as many and as long as limits say', async () => {
    const lines = Array.from({ length: 200 }, (_, i) => `X-${i}: ${'\\"<>^'.repeat(60)}\r\n`).join('');
    const limits = { head: 200_000, fields: 300, chunkExtensions: 16_384, trailers: 16_384 };
    const takesAll = { maxHeaderListPairs: 400, settings: { maxHeaderListSize: 200_000 } };
    const client = await answered(ok('x', lines), { limits }, takesAll);
    const answer = await client.get();
    expect([answer.status, answer.fields['x-199']?.length, client.closed]).toEqual([200, 300, false]);
  });
});

test.each([
  ['205 without content', 'HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n', 205, ''],
  ['205 with content, which it may not have', ok('none', '', '205 Reset Content'), 205, ''],
  ['a status that nobody knows', ok('x', '', '599 Strange'), 599, 'x'],
  ['an empty one in chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 200, ''],
])('an answer is passed on: %s', async (_name, bytes, status, text) => {
  const client = await answered(bytes);
  expect(await client.get('/', { te: 'trailers' })).toMatchObject({ status, text, reset: 0 });
  expect(await client.get()).toMatchObject({ status, text, reset: 0 });
});

test('an answer until the end of the connection is whole when that ends', async () => {
  const origin = await Origin.listen(async (connection) => {
    await connection.head();
    connection.write('HTTP/1.1 200 OK\r\n\r\nall');
    connection.end();
  });
  const h = await EdgeHarness.start(policy(), {}, {}, { http2: true });
  h.state({ endpoints: [at(origin)] });
  const client = await Http2Client.open(h.port);
  expect(await client.get()).toMatchObject({ status: 200, text: 'all', reset: 0 });
});

describe('answers of our own', () => {
  test('say what they say in HTTP/1.1', async () => {
    const h = await EdgeHarness.start(policy(), { routes: [] }, {}, { http2: true });
    const client = await Http2Client.open(h.port);
    const answer = await client.get();
    expect(answer).toMatchObject({
      status: 404,
      fields: { 'proxy-status': 'pilotlight; error=destination_not_found', 'content-type': 'application/problem+json' },
    });
    expect(JSON.parse(answer.text)).toMatchObject({ code: 'NO_ROUTE' });
    const head = await client.send({ ':method': 'HEAD' }).answer();
    expect(head).toMatchObject({ status: 404, text: '', reset: 0 });
    expect(Number(head.fields['content-length'])).toBeGreaterThan(100);
    expect(client.closed).toBe(false);
  });

  test('to HEAD have no content, even where it is malformed', async () => {
    const h = await EdgeHarness.start(policy(), {}, {}, { http2: true });
    const client = await FrameClient.open(h.port);
    onTestFinished(() => client.destroy());
    const bad = [['connection', 'close']] as const;
    client.send(request(1, bad, [[':method', 'HEAD'], ...REQUEST.slice(1)]), request(3, bad));
    await until(() => client.hasEnded(1) && client.hasEnded(3), 'both answers');
    expect([client.statusOf(1), client.bodyOf(1).length, client.bodyOf(3).length > 0]).toEqual([400, 0, true]);
  });

  test('a browser gets the waiting page, and its progress on the same connection', async () => {
    const origin = await Origin.listen(answering());
    const h = await EdgeHarness.start(policy(), {}, {}, { http2: true });
    h.state({ starting: true });
    const client = await Http2Client.open(h.port);
    const page = client.send({ accept: 'text/html' });
    await h.held(1);
    await h.pass(700);
    expect(await page.answer()).toMatchObject({ status: 503, fields: { 'content-type': 'text/html; charset=utf-8' } });
    const progress = client.send({ ':path': '/.well-known/pilotlight/wait/', accept: 'text/event-stream' });
    await until(() => progress.body.includes('starting'), 'the first event');
    expect(progress.status).toBe(200);
    h.state({ endpoints: [at(origin)] });
    expect(await progress.answer()).toMatchObject({ text: expect.stringContaining('event: ready'), reset: 0 });
    expect((await client.get()).status).toBe(200);
  });
});
