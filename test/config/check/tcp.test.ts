import { describe, expect, test } from 'vitest';
import { marked, problemsOf, settingsOf, warningsOf } from '../parse.ts';

/** A file with a TCP listener that leads to `db`; `listener` and `service` are further keys. */
function file(service = '', listener = '', tcp = 'tcp: { service: db }'): string {
  return (
    `listen: [{ address: "127.0.0.1:5432", ${tcp}, ${listener} }]\n` +
    `services: { db: { run: { process: { command: [db, "{port}"] } }, ${service} } }\n`
  );
}

const TCP = 'means nothing with tcp';
const OF_TCP = 'means nothing for a service of TCP, which listen[0].tcp leads to';

test('a listener and a service are enough', () => {
  const { listen, services } = settingsOf(file());
  expect(listen[0]?.tcp).toEqual({ service: 'db', sni: [] });
  expect(services).toMatchObject([{ name: 'db', routes: [], isTcp: true, ready: { kind: 'tcp', timeoutMs: 60_000 } }]);
  expect(warningsOf(file())).toEqual([]);
});

test('what defaults say of HTTP is left out', () => {
  const text =
    'listen: [{ address: "127.0.0.1:5432", tcp: { service: db } }]\n' +
    'defaults: { health: { path: /up, interval: 9s }, ready: { path: /up, timeout: 9s }, engine: http-proxy }\n' +
    'services: { db: { endpoints: { static: ["a:1"] } } }\n';
  expect(settingsOf(text).services).toMatchObject([
    {
      engine: 'native',
      ready: { kind: 'tcp', timeoutMs: 9000 },
      health: { check: { kind: 'connect' }, intervalMs: 9000 },
    },
  ]);
});

test('TLS and HTTP/2 to services are left out too, and a PROXY header goes with them', () => {
  const text =
    'listen: [{ address: "127.0.0.1:5432", tcp: { service: db } }]\n' +
    'defaults: { upstream: { protocol: http2, tls: true } }\n' +
    'services: { db: { endpoints: { static: ["a:1"] }, upstream: { proxyProtocol: v2 } } }\n';
  expect(settingsOf(text).services[0]?.upstream).toEqual({ protocol: 'http1', tls: undefined, proxyProtocol: 'v2' });
});

test('names are compared as clients send them', () => {
  const tcp = 'tcp: { sni: { DB.Example.com: db, "*.bücher.example": db, "*": db } }';
  expect(settingsOf(file('', '', tcp)).listen[0]?.tcp?.sni).toEqual([
    { name: 'db.example.com', service: 'db' },
    { name: '*.xn--bcher-kva.example', service: 'db' },
    { name: '*', service: 'db' },
  ]);
});

test('what a replica answers is kept byte for byte', () => {
  const ready = 'ready: { timeout: 5s, tcp: { send: "PING\\r\\n", expect: "\\xff+" } }';
  expect(settingsOf(file(ready)).services[0]?.ready).toEqual({
    kind: 'tcp',
    send: 'PING\r\n',
    expect: '\xff+',
    timeoutMs: 5000,
  });
});

describe('told in one line', () => {
  test.each([
    ['a listener that leads nowhere', file('', '', '§tcp: {}'), 'listen[0].tcp: needs service, or sni'],
    [
      'one that leads two ways',
      file('', '', 'tcp: { service: db, §sni: { a.test: db } }'),
      'listen[0].tcp.sni: service or sni, not both',
    ],
    [
      'a service that is not there',
      file('', '', 'tcp: { sni: { a.test: db, b.test: §dp } }'),
      'listen[0].tcp.sni["b.test"]: no service is called "dp" (did you mean "db"?)',
    ],
    [
      'a name that is none',
      file('', '', 'tcp: { sni: { §"a b": db } }'),
      'listen[0].tcp.sni["a b"]: expected a name such as db.example.com, *.example.com, or * for all others',
    ],
    ['HTTP time-outs', file('', 'timeouts: { keepAlive: §5s }'), `listen[0].timeouts.keepAlive: ${TCP}`],
    ['HTTP limits', file('', 'limits: { fields: §5 }'), `listen[0].limits.fields: ${TCP}`],
    ['HTTP/2', file('', 'http2: §true'), `listen[0].http2: ${TCP}`],
    [
      'routes',
      file('§routes: [{ host: a.test }]'),
      'services.db.routes: listen[0].tcp leads to it: a service has routes or is one of TCP, not both',
    ],
    ['wake rules', file('§wake: [{ then: deny }]'), `services.db.wake: ${OF_TCP}`],
    ['the waiting page', file('hold: { page: §"off" }'), `services.db.hold.page: ${OF_TCP}`],
    ['retries of requests', file('retries: { idempotent: §true }'), `services.db.retries.idempotent: ${OF_TCP}`],
    ['scaling on latency', file('scale: { §latency: { above: 1s } }'), `services.db.scale.latency: ${OF_TCP}`],
    ['a first byte', file('timeouts: { firstByte: §1s }'), `services.db.timeouts.firstByte: ${OF_TCP}`],
    ['an upstream host', file('upstreamHost: §a.test'), `services.db.upstreamHost: ${OF_TCP}`],
    ['an HTTP path that is ready', file('ready: { path: §/up }'), `services.db.ready.path: ${OF_TCP}`],
    [
      'a check of HTTP',
      file('§health: { path: /up }'),
      'services.db.health: a service of TCP is checked by a connection: write tcp: true',
    ],
    [
      'characters that are no bytes',
      file('ready: { tcp: { expect: §"€" } }'),
      'services.db.ready.tcp.expect: expected a text whose characters are bytes, such as "PING\\r\\n", found "€"',
    ],
    ['a PROXY header of no version', file('upstream: { proxyProtocol: §v3 }'), 'expected false, v1 or v2'],
  ])('%s', (_, text, problem) => {
    const { text: plain, place } = marked(text);
    const problems = problemsOf(plain);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
    expect(problems[0]).toContain(`${place}  `);
  });

  const http = (keys: string) =>
    `listen: [{ address: "127.0.0.1:80" }]\nservices: { app: { endpoints: { static: ["a:1"] }, ${keys} } }\n`;

  test.each([
    ['a service that nothing leads to', http(''), 'services.app.routes: is missing'],
    [
      'bytes of a service of HTTP',
      http('routes: [{}], run: { process: { command: [a, "{port}"] } }, ready: { tcp: { expect: a } }'),
      'services.app.ready.tcp: is only for services that a listener with tcp leads to',
    ],
  ])('%s', (_, text, problem) => {
    expect(problemsOf(text).map((line) => line.replace(/^\S+ +/, ''))).toEqual([problem]);
  });

  test('a max that is never reached, as a warning', () => {
    expect(warningsOf(file('scale: { max: 3 }'))).toEqual([
      expect.stringContaining('scale.max: is never reached without scale.concurrency'),
    ]);
    expect(warningsOf(file('scale: { max: 3, concurrency: 5 }'))).toEqual([]);
  });
});
