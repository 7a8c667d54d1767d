import * as fc from 'fast-check';
import { type FramedBody, field, inChunks, ofKnownLength, originForm, token, writeMessage } from './grammar.ts';

const METHODS = ['GET', 'GET', 'POST', 'POST', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'PROPFIND', 'M-SEARCH'];
const HOSTS = ['a', 'shop.example.com', 'A.Example.:8080', '127.0.0.1:80', '[::1]:9000', 'a%20b'];

const FIELDS = [
  'Accept: */*',
  'Cookie: a=1; b=2',
  'cookie: c=3',
  'Empty:',
  'X-Latin: \xe9\xff',
  'X-Secret: 1',
  'x-hop:2',
  'Via: 1.0 other',
  'Trailer: X-Sum',
  'TE: trailers',
  'te: trailers, gzip;q=0.5',
  'Keep-Alive: timeout=5',
  'Proxy-Connection: keep-alive',
  'Proxy-Authorization: Basic eDp5',
  'Expect: 100-continue',
  'Upgrade: websocket',
  'Connection: keep-alive',
  'Connection: Upgrade',
  'Connection: close',
  'connection: TE, X-Secret',
  'Connection:  x-hop ,, keep-alive',
  'Connection: X-Forwarded-For, Host, Content-Length, Transfer-Encoding, X-Request-Id',
  'X-Forwarded-For: 6.6.6.6',
  'X-Forwarded-Host: evil',
  'X_Forwarded_For: 6.6.6.6',
  'x-real_ip: 6.6.6.6',
  'X-Real-IP: 6.6.6.6',
  'Forwarded: for=6.6.6.6',
  'X-Request-Id: mine',
  'Content_Length: 3',
  'Transfer_Encoding: chunked',
  'Max-Forwards: 0',
  'Max-Forwards: 7',
];

const NO_BODY: FramedBody = { framing: [], body: '' };

const method = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...METHODS) },
  { weight: 1, arbitrary: token.filter((each) => each !== 'CONNECT' && each !== 'TRACE') },
);
const fields = fc.array(field(FIELDS), { maxLength: 5 });
const host = fc.constantFrom(...HOSTS);
const absoluteForm = fc
  .tuple(fc.constantFrom('http://', 'HTTP://', 'https://'), host, fc.oneof(fc.constantFrom('', '?q'), originForm))
  .map((parts) => parts.join(''));
const target = fc.oneof({ weight: 5, arbitrary: originForm }, { weight: 1, arbitrary: absoluteForm });

const modern = fc
  .record({
    method,
    target,
    host,
    fields,
    body: fc.oneof(fc.constant(NO_BODY), ofKnownLength, inChunks),
    at: fc.nat(7),
  })
  .map((one) =>
    writeMessage(`${one.method} ${one.target} HTTP/1.1`, [`Host: ${one.host}`, ...one.fields], one.body, one.at),
  );

const old = fc
  .record({ method, target, fields, body: fc.oneof(fc.constant(NO_BODY), ofKnownLength), at: fc.nat(7) })
  .map((one) => writeMessage(`${one.method} ${one.target} HTTP/1.0`, one.fields, one.body, one.at));

const asterisk = fields.map((lines) => writeMessage('OPTIONS * HTTP/1.1', ['Host: a', ...lines], NO_BODY, 0));

/** Requests that everybody has to accept, one behind the other. */
export const validRequests = fc
  .array(
    fc.oneof({ weight: 8, arbitrary: modern }, { weight: 1, arbitrary: old }, { weight: 1, arbitrary: asterisk }),
    { minLength: 1, maxLength: 3 },
  )
  .map((messages) => messages.join(''));
