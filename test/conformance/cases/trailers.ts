import type { Case } from '../harness/case.ts';
import { chunked, lenient, NEXT, NEXT_SEEN, POST_SEEN, post, refuse, relay, relayMay, truncate } from './make.ts';

const trailed = (...lines: string[]): string =>
  chunked(`5\r\nhello\r\n0\r\n${lines.map((each) => `${each}\r\n`).join('')}\r\n`);
const prohibited = [
  'Content-Length: 3',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: identity',
  'Host: evil',
  'Authorization: Basic eA==',
  'Trailer: X',
  'Connection: close',
  'Cookie: a=b',
  'Cache-Control: no-store',
  'Content-Type: text/html',
  'Content-Encoding: gzip',
  'Content-Range: bytes 0-1/2',
  'Range: bytes=0-1',
  'If-Match: *',
  'Expect: 100-continue',
  'TE: trailers',
  'Max-Forwards: 0',
  'Upgrade: websocket',
  'X-Forwarded-For: 9.9.9.9',
  'X-Forwarded-Host: evil',
  'X-Real-IP: 9.9.9.9',
  'X-Request-Id: evil',
  'Forwarded: for=9.9.9.9',
  'Content_Length: 3',
  'X_Forwarded_For: 9.9.9.9',
];

const nameOf = (field: string): string => field.split(':')[0] as string;
const CHUNKS = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n';
const ASKS = 'GET /case HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\n\r\n';

export const trailers: Case[] = [
  lenient('a trailer goes on as a trailer, not as a field', [12], trailed('X-Check: 1'), {
    ...POST_SEEN,
    trailers: ['X-Check: 1'],
  }),
  ...prohibited.map((field) =>
    lenient(`a trailer that may not be one: ${field}`, [12], trailed('X-Check: 1', field), {
      ...POST_SEEN,
      trailers: ['X-Check: 1'],
      ...(/^(host|transfer-encoding|x-|forwarded)/i.test(field) ? {} : { lacks: [nameOf(field)] }),
    }),
  ),
  lenient(
    'a trailer does not replace a field of its name',
    [12],
    post('5\r\nhello\r\n0\r\nX-A: 2\r\n\r\n', 'X-A: 1', 'Transfer-Encoding: chunked'),
    {
      ...POST_SEEN,
      has: ['X-A: 1'],
      trailers: ['X-A: 2'],
    },
  ),
  lenient('a request behind trailers', [12, 48], trailed('X-Check: 1') + NEXT, [
    { ...POST_SEEN, trailers: ['X-Check: 1'] },
    NEXT_SEEN,
  ]),
  refuse('a trailer without a colon', [12, 26], trailed('X-Check')),
  refuse('a trailer with white space before the colon', [12, 23], trailed('X-Check : 1')),
  refuse('a trailer without a name', [12, 26], trailed(': 1')),
  refuse('a trailer that is folded', [12, 24], trailed('X-Check: 1', ' 2')),
  refuse('a trailer with a NUL', [12, 21], trailed('X-Check: \x00')),
  refuse('a trailer with a bare CR', [12, 20], trailed('X-Check: 1\r2')),
  refuse('a trailer ended by LF', [12, 22], chunked('5\r\nhello\r\n0\r\nX-Check: 1\n\r\n')),
  refuse('trailers ended by LF', [12, 22], chunked('5\r\nhello\r\n0\r\nX-Check: 1\r\n\n')),
  refuse('trailers of 20 KiB', [12, 51], trailed(`X-Check: ${'a'.repeat(20 * 1024)}`)),
  refuse('a thousand trailers', [12, 51], trailed(...Array.from({ length: 1000 }, (_, index) => `X-${index}: 1`))),

  relayMay(
    'trailers of a response reach a client that accepts them',
    [12],
    `${CHUNKS}X-Check: 1\r\n\r\n`,
    { status: 200, body: 'hello', trailers: ['X-Check: 1'] },
    { send: ASKS },
  ),
  relay('trailers of a response are kept from a client that does not', [12], `${CHUNKS}X-Check: 1\r\n\r\n`, {
    status: 200,
    body: 'hello',
    lacks: ['X-Check'],
  }),
  relayMay(
    'trailers of a response that may not be any are dropped',
    [12],
    `${CHUNKS}X-Check: 1\r\nContent-Length: 3\r\nSet-Cookie: a=b\r\nTransfer-Encoding: chunked\r\n\r\n`,
    { status: 200, body: 'hello', trailers: ['X-Check: 1'] },
    { send: ASKS },
  ),
  truncate(
    'a broken trailer of a response',
    [12, 17, 26],
    `${CHUNKS}X-Check\r\n\r\n`,
    { status: 200, body: 'hello' },
    { send: ASKS },
  ),
];
