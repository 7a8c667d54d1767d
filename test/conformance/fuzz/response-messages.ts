import * as fc from 'fast-check';
import { content, type FramedBody, field, inChunks, ofKnownLength, writeMessage } from './grammar.ts';

const FINAL = ['200 OK', '200 ', '201 Created', '206 d\xe9j\xe0', '299 Odd', '404 Not Found', '500 Oops', '503 Busy'];
const BODILESS = ['204 No Content', '304 Not Modified'];
const INTERIM = ['100 Continue', '102 Processing', '103 Early Hints', '199 Odd'];

const FIELDS = [
  'Content-Type: text/plain',
  'Set-Cookie: a=1',
  'set-cookie: b=2',
  'ETag: "x"',
  'Empty:',
  'X-Latin: \xe9\xff',
  'X-Secret: 1',
  'x-hop:2',
  'Server-Timing: app;dur=1',
  'Via: 1.1 other',
  'Trailer: X-Sum',
  'Keep-Alive: timeout=5',
  'Proxy-Connection: keep-alive',
  'Proxy-Authenticate: Basic',
  'Upgrade: h2c',
  'Connection: keep-alive',
  'Connection: close',
  'connection: X-Secret',
  'Connection:  x-hop ,, keep-alive',
  'Connection: Content-Length, Transfer-Encoding, X-Request-Id',
  'X-Request-Id: theirs',
  'X-Spaced  : 1',
];

const fields = fc.array(field(FIELDS), { maxLength: 4 });
const untilTheEnd: fc.Arbitrary<FramedBody> = content.map((body) => ({ framing: [], body }));
const version = fc.constantFrom('HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0');

const final = fc
  .record({
    line: fc.constantFrom(...FINAL),
    fields,
    body: fc.oneof(ofKnownLength, inChunks, untilTheEnd),
    at: fc.nat(7),
  })
  .map((one) => writeMessage(`HTTP/1.1 ${one.line}`, one.fields, one.body, one.at));
const old = fc
  .record({ line: fc.constantFrom(...FINAL), fields, body: fc.oneof(ofKnownLength, untilTheEnd), at: fc.nat(7) })
  .map((one) => writeMessage(`HTTP/1.0 ${one.line}`, one.fields, one.body, one.at));
const bodiless = fc
  .record({ version, line: fc.constantFrom(...BODILESS), fields })
  .map((one) => writeMessage(`${one.version} ${one.line}`, one.fields, { framing: [], body: '' }, 0));
const interim = fc
  .record({ line: fc.constantFrom(...INTERIM), fields })
  .map((one) => writeMessage(`HTTP/1.1 ${one.line}`, one.fields, { framing: [], body: '' }, 0));

/** A response that everybody has to accept, behind interim ones. */
export const validResponse = fc
  .tuple(
    fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(interim, { minLength: 1, maxLength: 2 }) },
    ),
    fc.oneof({ weight: 8, arbitrary: final }, { weight: 1, arbitrary: old }, { weight: 1, arbitrary: bodiless }),
  )
  .map(([before, last]) => before.join('') + last);

/** What the client asks when it gets the response. */
export const question = fc.constantFrom(
  'GET /case HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /case HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /case HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\n\r\n',
  'GET /case HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  'POST /case HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
  'HEAD /case HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /case HTTP/1.0\r\nHost: a\r\n\r\n',
  'GET /case HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n',
);
