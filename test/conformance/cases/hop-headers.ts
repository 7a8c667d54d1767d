import type { Case } from '../harness/case.ts';
import { accept, GET_SEEN, get, head, lenient, NEXT, NEXT_SEEN, POST_SEEN, post, refuse, relay } from './make.ts';

const own = [
  'X-Forwarded-For',
  'X-Forwarded-Proto',
  'X-Forwarded-Host',
  'X-Forwarded-Port',
  'X-Real-IP',
  'X-Request-Id',
];
const ok = (...fields: string[]): string =>
  `HTTP/1.1 200 OK\r\n${fields.map((each) => `${each}\r\n`).join('')}Content-Length: 2\r\n\r\nok`;

export const hopHeaders: Case[] = [
  accept('fields that Connection names are removed', [37], get('Connection: X-Secret', 'X-Secret: 1', 'X-Other: 2'), {
    ...GET_SEEN,
    has: ['X-Other: 2'],
    lacks: ['X-Secret'],
  }),
  accept(
    'in whatever case and number',
    [37],
    get('x-a: 1', 'cOnnection: X-A,x-B', 'X-b: 2', 'X-A: 3', 'Connection: X-C', 'X-C: 4'),
    {
      ...GET_SEEN,
      lacks: ['X-A', 'X-B', 'X-C'],
    },
  ),
  accept('with empty elements and white space', [37], get('Connection: , ,\tX-A ,', 'X-A: 1'), {
    ...GET_SEEN,
    lacks: ['X-A'],
  }),
  accept('beside keep-alive', [37], get('Connection: keep-alive, X-A', 'X-A: 1'), { ...GET_SEEN, lacks: ['X-A'] }),
  accept(
    'beside close',
    [37, 49],
    get('Connection: X-A, close', 'X-A: 1'),
    { ...GET_SEEN, lacks: ['X-A'] },
    { then: 'closed' },
  ),
  accept('only fields of exactly that name', [37], get('Connection: X-A', 'X-AB: 1', 'X: 2'), {
    ...GET_SEEN,
    has: ['X-AB: 1', 'X: 2'],
  }),
  accept('Keep-Alive is removed', [37], get('Keep-Alive: timeout=5', 'Connection: keep-alive'), {
    ...GET_SEEN,
    lacks: ['Keep-Alive'],
  }),
  accept('Keep-Alive is removed though Connection does not name it', [37], get('Keep-Alive: timeout=5'), {
    ...GET_SEEN,
    lacks: ['Keep-Alive'],
  }),
  accept('Proxy-Connection is removed', [37], get('Proxy-Connection: keep-alive'), {
    ...GET_SEEN,
    lacks: ['Proxy-Connection'],
  }),
  accept('Proxy-Connection: close closes nothing', [37, 49], get('Proxy-Connection: close'), {
    ...GET_SEEN,
    lacks: ['Proxy-Connection'],
  }),
  lenient('Proxy-Authorization is removed', [37], get('Proxy-Authorization: Basic eA=='), GET_SEEN, {
    ours: { lacks: ['Proxy-Authorization'] },
  }),
  lenient('Proxy-Authenticate is removed', [37], get('Proxy-Authenticate: Basic'), GET_SEEN, {
    ours: { lacks: ['Proxy-Authenticate'] },
  }),
  accept('Authorization stays', [37], get('Authorization: Basic eA=='), {
    ...GET_SEEN,
    has: ['Authorization: Basic eA=='],
  }),
  accept('of TE only trailers goes on', [37], get('TE: gzip, trailers;q=0.5', 'Connection: TE'), GET_SEEN, {
    ours: { has: ['TE: trailers', 'Connection: TE'] },
  }),
  accept('TE without trailers is removed', [37], get('TE: gzip', 'Connection: TE'), { ...GET_SEEN, lacks: ['TE'] }),
  accept('Upgrade that Connection does not name is removed', [37, 41], get('Upgrade: websocket'), {
    ...GET_SEEN,
    lacks: ['Upgrade'],
  }),
  accept(
    'Connection: upgrade without Upgrade',
    [37, 41],
    get('Connection: upgrade'),
    { ...GET_SEEN, lacks: ['Upgrade'] },
    { ours: { lacks: ['Connection'] } },
  ),
  lenient(
    'Upgrade to h2c is not passed on',
    [37, 41, 'h2'],
    get('Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'),
    GET_SEEN,
    {
      ours: { lacks: ['Upgrade', 'HTTP2-Settings', 'Connection'] },
    },
  ),
  lenient(
    'Upgrade in HTTP/1.0 is ignored',
    [41],
    head('GET /c HTTP/1.0', 'Host: a', 'Connection: upgrade', 'Upgrade: websocket'),
    GET_SEEN,
    {
      then: 'closed',
      ours: { lacks: ['Upgrade'] },
    },
  ),
  accept(
    'the request behind an Upgrade that was not followed is a request',
    [41, 'CVE-2026-2833'],
    get('Connection: Upgrade', 'Upgrade: websocket') + NEXT,
    [GET_SEEN, NEXT_SEEN],
  ),
  accept(
    'bytes behind an Upgrade that was not followed are held to the grammar',
    [41, 'CVE-2026-2833'],
    get('Connection: Upgrade', 'Upgrade: foo'),
    GET_SEEN,
    {
      ours: { has: ['Upgrade: foo', 'Connection: Upgrade'] },
    },
  ),
  ...own.map((name) =>
    accept(
      `Connection cannot take our ${name} away`,
      [38, 'CVE-2024-45410'],
      get(`Connection: close, ${name}`),
      GET_SEEN,
      {
        then: 'closed',
        ours: { has: name === 'X-Request-Id' ? [] : [`${name}: ${ownValue(name)}`] },
      },
    ),
  ),
  accept(
    'the forwarding fields of a client that nobody trusts are replaced',
    [38, 'GHSA-5m6w-wvh7-57vm'],
    get(...own.map((name) => `${name}: 9.9.9.9`)),
    GET_SEEN,
    {
      ours: { has: own.slice(0, 5).map((name) => `${name}: ${ownValue(name)}`) },
    },
  ),
  ...[
    'Forwarded: for=9.9.9.9',
    'X-Forwarded-Prefix: /evil',
    'X-Forwarded-Server: evil',
    'X-Forwarded-Uri: /',
    'X-Forwarded-Anything: x',
  ].map((field) =>
    accept(`${field} of a client that nobody trusts is dropped`, [38, 'GHSA-6384-m2mw-rf54'], get(field), GET_SEEN, {
      ours: { lacks: [nameOf(field)] },
    }),
  ),
  ...[
    'X_Forwarded_For: 9.9.9.9',
    'X-Forwarded_For: 9.9.9.9',
    'x_forwarded-host: evil',
    'X_Real_IP: 9.9.9.9',
    'X_Request_Id: evil',
    'X_Forwarded_Prefix: /evil',
  ].map((field) =>
    accept(`${field}, an alias by underscores, is dropped`, [42, 'GHSA-5m6w-wvh7-57vm'], get(field), GET_SEEN, {
      ours: { lacks: [nameOf(field)] },
    }),
  ),
  accept(
    'other names with underscores stay',
    [42],
    get('X_Custom_Name: 1'),
    { ...GET_SEEN },
    { ours: { has: ['X_Custom_Name: 1'] } },
  ),
  accept(
    'Via is left alone by default',
    [39],
    get('Via: 1.0 fred'),
    { ...GET_SEEN },
    { ours: { has: ['Via: 1.0 fred'] } },
  ),
  accept('Max-Forwards of OPTIONS is counted down', [40], head('OPTIONS /c HTTP/1.1', 'Host: a', 'Max-Forwards: 5'), {
    method: 'OPTIONS',
    target: '/c',
    has: ['Max-Forwards: 4'],
  }),
  accept(
    'of several Max-Forwards of OPTIONS the smallest counts',
    [40],
    head('OPTIONS /c HTTP/1.1', 'Host: a', 'Max-Forwards: 2', 'Max-Forwards: 7'),
    { ...GET_SEEN, method: 'OPTIONS', has: ['Max-Forwards: 1'] },
  ),
  accept(
    'Max-Forwards of OPTIONS beyond 2⁵³ is counted down all the same',
    [40],
    head('OPTIONS /c HTTP/1.1', 'Host: a', 'Max-Forwards: 99999999999999999999'),
    { ...GET_SEEN, method: 'OPTIONS', has: ['Max-Forwards: 9007199254740990'] },
  ),
  accept('Max-Forwards of other methods is left alone', [40], get('Max-Forwards: 5'), {
    ...GET_SEEN,
    has: ['Max-Forwards: 5'],
  }),
  {
    ...refuse(
      'Max-Forwards 0 of OPTIONS is answered here',
      [40],
      head('OPTIONS /c HTTP/1.1', 'Host: a', 'Max-Forwards: 0'),
      200,
    ),
    then: 'open',
  },
  lenient(
    'a Max-Forwards that is no number is left alone',
    [40],
    head('OPTIONS /c HTTP/1.1', 'Host: a', 'Max-Forwards: x'),
    { method: 'OPTIONS', target: '/c' },
  ),
  accept('Connection: close ends the connection', [49], get('Connection: close'), GET_SEEN, { then: 'closed' }),
  accept(
    'HTTP/1.0 with keep-alive is kept',
    [49],
    head('GET /c HTTP/1.0', 'Host: a', 'Connection: keep-alive'),
    GET_SEEN,
  ),
  accept(
    'HTTP/1.0 with keep-alive and close is closed',
    [49],
    head('GET /c HTTP/1.0', 'Host: a', 'Connection: keep-alive, close'),
    GET_SEEN,
    { then: 'closed' },
  ),
  accept('a POST in HTTP/1.0', [49], `${head('POST /c HTTP/1.0', 'Host: a', 'Content-Length: 5')}hello`, POST_SEEN, {
    then: 'closed',
  }),
  accept(
    'a long body and Connection that names our fields',
    ['GHSA-6x33-pw7p-hmpq'],
    post('x'.repeat(2000), 'Connection: X-Forwarded-For', 'Content-Length: 2000'),
    {
      ...POST_SEEN,
      body: 'x'.repeat(2000),
    },
  ),

  relay(
    'fields that Connection of a response names are removed',
    [37],
    ok('Connection: X-Secret', 'X-Secret: 1', 'X-Other: 2'),
    {
      status: 200,
      body: 'ok',
      has: ['X-Other: 2'],
      lacks: ['X-Secret'],
    },
  ),
  relay(
    'Keep-Alive and Proxy-Connection of a response are removed',
    [37],
    ok('Keep-Alive: timeout=5', 'Proxy-Connection: keep-alive'),
    {
      status: 200,
      body: 'ok',
      lacks: ['Keep-Alive', 'Proxy-Connection'],
    },
  ),
  relay('Upgrade of a response that switches nothing is removed', [37], ok('Upgrade: h2c', 'Connection: Upgrade'), {
    status: 200,
    body: 'ok',
    lacks: ['Upgrade'],
  }),
  relay('Connection of a response cannot take its framing away', [37], ok('Connection: Content-Length'), {
    status: 200,
    body: 'ok',
    has: ['Content-Length: 2'],
  }),
  relay(
    "Connection: close of the origin is not the client's",
    [37, 49],
    ok('Connection: close'),
    { status: 200, body: 'ok' },
    { upstream: 'discarded' },
  ),
  relay(
    'an origin of HTTP/1.0 is not used again',
    [30, 49],
    'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok',
    { status: 200, body: 'ok' },
    { upstream: 'discarded' },
  ),
  relay(
    'an origin of HTTP/1.0 that keeps alive is used again',
    [49],
    'HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok',
    { status: 200, body: 'ok' },
  ),
];

function nameOf(field: string): string {
  return field.split(':')[0] as string;
}

/** What the field holds for a client on loopback; the port is only known at run time. */
function ownValue(name: string): string {
  if (name === 'X-Forwarded-Proto') return '{scheme}';
  if (name === 'X-Forwarded-Host') return 'a';
  if (name === 'X-Forwarded-Port') return '{port}';
  return '127.0.0.1';
}
