import type { Case } from '../harness/case.ts';
import { reject, rejectMay, relay, relayMay, truncate } from './make.ts';

const ok = (body: string, ...fields: string[]): string =>
  `HTTP/1.1 200 OK\r\n${fields.map((each) => `${each}\r\n`).join('')}\r\n${body}`;
const CHUNKS = '5\r\nhello\r\n0\r\n\r\n';
const hello = { status: 200, body: 'hello' };
const EXTRA = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil';
const head = 'HEAD /case HTTP/1.1\r\nHost: a\r\n\r\n';
const old = 'GET /case HTTP/1.0\r\nHost: a\r\n\r\n';
const oldKept = 'GET /case HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n';
const discarded = { upstream: 'discarded' } as const;

export const responseFraming: Case[] = [
  relay('Content-Length', [14], ok('hello', 'Content-Length: 5'), { ...hello, has: ['Content-Length: 5'] }),
  relay('Content-Length 0', [14], ok('', 'Content-Length: 0'), { status: 200 }),
  relay('Content-Length with leading zeros', [3], ok('hello', 'Content-Length: 005'), hello),
  relay('chunked', [14], ok(CHUNKS, 'Transfer-Encoding: chunked'), { ...hello, lacks: ['Content-Length'] }),
  relay('chunked in odd case', [14], ok(CHUNKS, 'transfer-encoding: CHUNKED'), hello),
  relay(
    'chunked with extensions and many chunks',
    [10, 14],
    ok('1;a=b\r\nh\r\n4 ;c\r\nello\r\n0;d\r\n\r\n', 'Transfer-Encoding: chunked'),
    hello,
  ),
  relay(
    'chunked to a client of HTTP/1.0 lasts until the end of the connection',
    [14],
    ok(CHUNKS, 'Transfer-Encoding: chunked'),
    { ...hello, lacks: ['Transfer-Encoding'] },
    { send: old, then: 'closed' },
  ),
  relay(
    'chunked to a client of HTTP/1.0 that keeps alive, too',
    [14, 49],
    ok(CHUNKS, 'Transfer-Encoding: chunked'),
    { ...hello, lacks: ['Transfer-Encoding'] },
    { send: oldKept, then: 'closed' },
  ),
  relay(
    'until the connection ends, as chunks',
    [14],
    ok('hello'),
    { ...hello, has: ['Transfer-Encoding: chunked'] },
    { after: 'close', ...discarded },
  ),
  relay('until the connection ends, without a byte', [14], ok(''), { status: 200 }, { after: 'close', ...discarded }),
  relay(
    'until the connection ends, to a client of HTTP/1.0',
    [14],
    ok('hello'),
    { ...hello, lacks: ['Transfer-Encoding'] },
    { send: old, after: 'close', then: 'closed', ...discarded },
  ),
  relay('until the connection ends, from HTTP/1.0', [14], 'HTTP/1.0 200 OK\r\n\r\nhello', hello, {
    after: 'close',
    ...discarded,
  }),
  relay(
    'of HTTP/1.0 with Content-Length',
    [14, 30],
    'HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello',
    hello,
    discarded,
  ),

  relayMay(
    'Transfer-Encoding and Content-Length: chunked counts',
    [15],
    ok(CHUNKS, 'Content-Length: 3', 'Transfer-Encoding: chunked'),
    { ...hello, lacks: ['Content-Length'] },
    discarded,
  ),
  relayMay(
    'Transfer-Encoding and Content-Length in the other order',
    [15],
    ok(CHUNKS, 'Transfer-Encoding: chunked', 'Content-Length: 100'),
    { ...hello, lacks: ['Content-Length'] },
    discarded,
  ),
  reject('Transfer-Encoding in HTTP/1.0', [7], `HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKS}`, {
    after: 'close',
  }),
  ...[
    'gzip',
    'gzip, chunked',
    'chunked, gzip',
    'chunked, chunked',
    'identity',
    'cow',
    '\x0bchunked',
    'chunked;x',
    '"chunked"',
    ',chunked',
    '',
  ].map((coding) =>
    reject(
      `Transfer-Encoding: ${JSON.stringify(coding).slice(1, -1)}`,
      [5, 8, 16],
      ok(CHUNKS, `Transfer-Encoding: ${coding}`),
      { after: 'close' },
    ),
  ),
  reject(
    'two Transfer-Encoding fields',
    [6, 16],
    ok(CHUNKS, 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'),
    { after: 'close' },
  ),

  ...['+5', '-5', '0x5', '5.0', '', '5,', '5 5', 'x', '5, 6', '18446744073709551621'].map((value) =>
    reject(`Content-Length: ${value}`, [3, 16], ok('hello', `Content-Length: ${value}`), { after: 'close' }),
  ),
  reject('two Content-Lengths, 5 and 6', [16], ok('hello!', 'Content-Length: 5', 'Content-Length: 6'), {
    after: 'close',
  }),
  reject('two Content-Lengths, 5 and 0', [16], ok('hello', 'Content-Length: 5', 'content-length: 0'), {
    after: 'close',
  }),
  reject('a good Content-Length and an empty one', [16], ok('hello', 'Content-Length: 5', 'Content-Length:'), {
    after: 'close',
  }),
  relayMay('two equal Content-Lengths become one', [16], ok('hello', 'Content-Length: 5', 'Content-Length: 5'), {
    ...hello,
    has: ['Content-Length: 5'],
  }),

  relay(
    'HEAD with Content-Length has no body',
    [18],
    ok('', 'Content-Length: 5'),
    { status: 200, has: ['Content-Length: 5'] },
    { send: head },
  ),
  relay('HEAD with chunked has no body', [18], ok('', 'Transfer-Encoding: chunked'), { status: 200 }, { send: head }),
  relay('HEAD with neither has no body', [18], ok(''), { status: 200 }, { send: head }),
  relay('204 has no body', [18], 'HTTP/1.1 204 No Content\r\n\r\n', { status: 204 }),
  relay('204 with Content-Length has no body', [18], 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n', {
    status: 204,
    lacks: ['Content-Length'],
  }),
  relay('204 with chunked has no body', [18], 'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n', {
    status: 204,
    lacks: ['Transfer-Encoding'],
  }),
  relay('304 has no body', [18], 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n', { status: 304, has: ['ETag: "x"'] }),
  relay('304 with Content-Length has no body', [18], 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n', {
    status: 304,
  }),
  relay(
    'bytes behind the answer to HEAD are dropped',
    [18, 50],
    ok('hello', 'Content-Length: 5'),
    { status: 200 },
    { send: head, ...discarded },
  ),
  relay(
    'a response behind the answer to HEAD is dropped',
    [18, 50],
    ok(EXTRA, 'Content-Length: 5'),
    { status: 200 },
    { send: head, ...discarded },
  ),
  relay(
    'chunks behind the answer to HEAD are dropped',
    [18, 50],
    ok(CHUNKS, 'Transfer-Encoding: chunked'),
    { status: 200 },
    { send: head, ...discarded },
  ),
  relay(
    'bytes behind a 204 are dropped',
    [18, 50],
    'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello',
    { status: 204 },
    discarded,
  ),
  relay(
    'a response behind a 204 is dropped',
    [18, 50],
    `HTTP/1.1 204 No Content\r\n\r\n${EXTRA}`,
    { status: 204 },
    discarded,
  ),
  relay(
    'bytes behind a 304 are dropped',
    [18, 50],
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello',
    { status: 304 },
    discarded,
  ),
  relay(
    'a response behind a 304 is dropped',
    [18, 50],
    `HTTP/1.1 304 Not Modified\r\n\r\n${EXTRA}`,
    { status: 304 },
    discarded,
  ),

  relay('bytes behind Content-Length are dropped', [50], ok('hello!', 'Content-Length: 5'), hello, discarded),
  relay(
    'a response behind Content-Length is dropped',
    [50],
    ok(`hello${EXTRA}`, 'Content-Length: 5'),
    hello,
    discarded,
  ),
  relay(
    'a response behind Content-Length 0 is dropped',
    [50],
    ok(EXTRA, 'Content-Length: 0'),
    { status: 200 },
    discarded,
  ),
  relay(
    'a response behind the last chunk is dropped',
    [50],
    ok(CHUNKS + EXTRA, 'Transfer-Encoding: chunked'),
    hello,
    discarded,
  ),
  relay('an empty line behind a response is dropped', [50], ok('hello\r\n', 'Content-Length: 5'), hello, discarded),
  relay(
    'a 100 behind a response is dropped',
    [50],
    ok('helloHTTP/1.1 100 Continue\r\n\r\n', 'Content-Length: 5'),
    hello,
    discarded,
  ),

  truncate('a broken chunk size', [9, 17], ok('5\r\nhello\r\nx\r\n', 'Transfer-Encoding: chunked'), hello),
  truncate(
    'a chunk size that overflows',
    [9, 17],
    ok('5\r\nhello\r\nFFFFFFFFFFFFFFFFF\r\n', 'Transfer-Encoding: chunked'),
    hello,
  ),
  truncate(
    'a chunk that is longer than it says',
    [11, 17],
    ok('5\r\nhello!\r\n0\r\n\r\n', 'Transfer-Encoding: chunked'),
    hello,
  ),
  truncate('chunks whose lines end with LF', [22, 17], ok('5\nhello\n0\n\n', 'Transfer-Encoding: chunked'), {
    status: 200,
  }),
  truncate('LF in a chunk extension', [10, 17], ok('5;a\nb\r\nhello\r\n0\r\n\r\n', 'Transfer-Encoding: chunked'), {
    status: 200,
  }),
  ...[';', ';a=', ';a="b', ';a b', ';;a', ';a;'].map((extension) =>
    truncate(
      `a chunk extension that is none: ${extension}`,
      [10, 17],
      ok(`5${extension}\r\nhello\r\n0\r\n\r\n`, 'Transfer-Encoding: chunked'),
      { status: 200 },
    ),
  ),
  truncate(
    'chunk extensions of 17 KiB',
    [10, 17, 51],
    ok(`5;${'a'.repeat(17 * 1024)}\r\nhello\r\n0\r\n\r\n`, 'Transfer-Encoding: chunked'),
    { status: 200 },
  ),
  rejectMay(
    'a transfer coding in the answer to HEAD that nobody asked for',
    [16, 18],
    ok('', 'Transfer-Encoding: gzip, chunked'),
    { status: 200 },
    { send: head },
  ),
];
