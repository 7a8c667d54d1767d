import { expect, test } from 'vitest';
import { EdgeHarness } from '../edge-harness.ts';
import { basic, cheapHash, rules, serve } from '../route/rules.ts';

const head = (...lines: string[]) => `${['GET / HTTP/1.1', 'Host: app.test', ...lines].join('\r\n')}\r\n\r\n`;
const chunks = (body: string) =>
  `POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n${body}\r\n0\r\n\r\n`;

test.each<[reason: string, bytes: string, refusal?: string]>([
  ['two Content-Length fields', head('Content-Length: 1', 'Content-Length: 2')],
  ['invalid Content-Length', head('Content-Length: +1')],
  ['Content-Length and Transfer-Encoding', head('Content-Length: 1', 'Transfer-Encoding: chunked')],
  ['Transfer-Encoding twice', head('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked')],
  ['Transfer-Encoding twice', head('Transfer-Encoding: chunked, chunked')],
  ['chunked is not the last transfer coding', head('Transfer-Encoding: chunked, gzip')],
  ['unknown transfer coding', head('Transfer-Encoding: gzip'), 'CODING_UNKNOWN'],
  ['invalid Transfer-Encoding', head('Transfer-Encoding: "chunked"')],
  ['Transfer-Encoding in HTTP/1.0', head('Transfer-Encoding: chunked').replace('1.1', '1.0')],
  ['bare LF', 'GET / HTTP/1.1\nHost: app.test\n\n'],
  ['bare LF', head('A: 1\nB: 2')],
  ['bare CR', head('A: 1\r2')],
  ['control character in a field', head('A: \x00')],
  ['folded line', head('A: 1', ' 2')],
  ['white space before a colon', head('A : 1')],
  ['field without a colon', head('A')],
  ['field without a name', head(': 1')],
  ['invalid field name', head('A(: 1')],
  ['no Host field', 'GET / HTTP/1.1\r\nA: 1\r\n\r\n', 'BAD_HOST'],
  ['two Host fields', head('Host: app.test'), 'BAD_HOST'],
  ['invalid Host', 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n', 'BAD_HOST'],
  ['invalid method', 'G(T / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['invalid method', '\x80\x81'],
  ['invalid request line', 'GET / HTTP/1.1 x\r\nHost: a\r\n\r\n'],
  ['invalid request target', 'GET /# HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['invalid request target', 'GET * HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['invalid HTTP version', 'GET / HTTP/x.1\r\nHost: a\r\n\r\n'],
  ['HTTP version', 'GET / HTTP/2.0\r\nHost: a\r\n\r\n', 'VERSION_UNKNOWN'],
  ['method', 'TRACE / HTTP/1.1\r\nHost: a\r\n\r\n', 'METHOD_REFUSED'],
  ['limits.target', `GET /${'a'.repeat(9000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 'TARGET_TOO_LONG'],
  ['limits.head', head(`A: ${'a'.repeat(40_000)}`), 'HEAD_TOO_LARGE'],
  ['too many fields', head(...Array.from({ length: 101 }, () => 'A: 1')), 'HEAD_TOO_LARGE'],
  ['too long a list in a field', head(`Connection: ${','.repeat(100)}`), 'HEAD_TOO_LARGE'],
  ['too long a list in a field', head(`X-Forwarded-Host: ${','.repeat(100)}`), 'HEAD_TOO_LARGE'],
  ['ambiguous path', 'GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n', 'AMBIGUOUS_PATH'],
  ['invalid chunk size', chunks('x')],
  ['invalid chunk extension', chunks('1;\r\nx')],
  ['chunk extensions too long', chunks(`1;a=${'a'.repeat(17_000)}\r\nx`)],
  ['chunk data without CRLF behind it', chunks('1\r\nxx')],
  ['invalid trailers', chunks('0\r\nA : 1')],
  ['trailers too long', chunks(`0\r\nA: ${'a'.repeat(17_000)}`)],
])('the record of a refused request names what it breaks: %s', async (reason, bytes, refusal = 'BAD_REQUEST') => {
  const { harness } = await serve({ '/': undefined });
  const client = await harness.connect();
  client.write(bytes);
  await client.answer();
  expect(harness.accessed).toHaveLength(1);
  expect(harness.accessed[0]).toMatchObject({ refusal, reason, ending: 'refused' });
});

test('the record of TLS on a port without it names that', async () => {
  const harness = await EdgeHarness.start();
  const client = await harness.connect();
  client.write('\x16\x03\x01\x02\x00\x01');
  await client.readAll();
  const record = { refusal: 'BAD_REQUEST', reason: 'TLS on a port without it', ending: 'refused' };
  expect(harness.accessed).toMatchObject([record]);
});

test('a head that ends with its connection says so', async () => {
  const harness = await EdgeHarness.start();
  const client = await harness.connect();
  client.write('GET / HT');
  client.end();
  await client.answer();
  expect(harness.accessed[0]).toMatchObject({ refusal: 'BAD_REQUEST', reason: 'connection ended within the head' });
});

test('what a route asks is named by the option that asks it', async () => {
  const users = [{ name: 'a', hash: cheapHash('secret') }];
  const { harness } = await serve({
    '/': undefined,
    '/allow': rules({ allow: ['10.0.0.0/8'] }),
    '/rate': rules({ rate: { requests: 1, perMs: 60_000, burst: 1 } }),
    '/auth': rules({ basicAuth: { realm: 'r', users, forward: false } }),
  });
  const client = await harness.connect();
  for (const path of ['/allow', '/rate', '/rate', '/auth', '/x/../allow']) {
    client.get(path, path === '/auth' ? basic('a', 'wrong') : '');
    await client.answer();
  }
  expect(harness.accessed.map(({ reason }) => reason)).toEqual([
    'allow',
    undefined,
    'rate',
    'basicAuth',
    'ambiguous path',
  ]);
});

test('what is not refused has no reason, also behind what was', async () => {
  const { harness } = await serve({ '/a': undefined });
  const client = await harness.connect();
  for (const path of ['/b', '/a']) {
    client.get(path);
    await client.answer();
  }
  expect(harness.accessed.map(({ refusal, reason }) => [refusal, reason])).toEqual([
    ['NO_ROUTE', 'no route'],
    [undefined, undefined],
  ]);
});
