import { describe, expect, test } from 'vitest';
import type { StaticEndpoints } from '../../../src/discovery/static/settings.ts';
import type { ServiceSettings } from '../../../src/model/settings.ts';
import { aroundService, marked, problemsOf, settingsOf, warningsOf } from '../parse.ts';

const routed = 'routes: [{}]\nendpoints: { static: ["a:1"] }';

function serviceOf(keys: string): ServiceSettings {
  return settingsOf(aroundService(keys)).services[0] as ServiceSettings;
}

describe('fixed addresses', () => {
  test('may be texts and mappings side by side', () => {
    const { endpoints } = serviceOf(`routes: [{}]
endpoints:
  resolve: 5s
  static:
    - 10.0.0.5:8080
    - { address: "[fd00::5]:80", weight: 3 }
    - { address: web:80, backup: true, maxConnections: 20 }`);
    expect((endpoints['static'] as StaticEndpoints).addresses).toEqual([
      { host: '10.0.0.5', port: 8080, weight: 1, backup: false, maxConnections: 0 },
      { host: 'fd00::5', port: 80, weight: 3, backup: false, maxConnections: 0 },
      { host: 'web', port: 80, weight: 1, backup: true, maxConnections: 20 },
    ]);
    expect(endpoints['static']).toMatchObject({ resolveMs: 5000 });
  });

  test('a key of a mapping that is left empty counts as not given', () => {
    const { endpoints } = serviceOf('routes: [{}]\nendpoints: { static: [{ address: "a:1", weight: }] }');
    expect(endpoints['static']).toMatchObject({ addresses: [{ weight: 1 }] });
  });

  test.each([
    ['static: [§10.0.0.1]', 'static[0]: expected host:port, such as 10.0.0.5:8080 or [fd00::5]:8080, found "10.0.0.1"'],
    ['static: [§[a, b]]', 'static[0]: expected host:port or a mapping, found a list'],
    ['static: [§{ weight: 1 }]', 'static[0].address: is missing'],
    [
      'static: [{ address: §a }]',
      'static[0].address: expected host:port, such as 10.0.0.5:8080 or [fd00::5]:8080, found "a"',
    ],
    [
      'static: ["a:1", { address: b:1, weight: §0 }]',
      'static[1].weight: expected a whole number from 1 to 65535, found "0"',
    ],
    ['static: [{ address: b:1, §wieght: 2 }]', 'static[0].wieght: unknown key (did you mean "weight"?)'],
    ['static: ["b:1", { address: §B:1 }]', 'static[1].address: b:1 is there already, as static[0]'],
    ['static: ["b:1"], resolve: §10ms', 'resolve: at least 1000ms'],
  ])('a mistake is told with its place: %s', (yaml, problem) => {
    const { text, place } = marked(aroundService(`routes: [{}]\nendpoints: { ${yaml} }`));
    expect(problemsOf(text)).toEqual([`${place}  services.app.endpoints.${problem}`]);
  });
});

test('a hash goes by the client, the path, a header in any case, or a cookie', () => {
  const hashOn = (on: string) => serviceOf(`${routed}\nbalance: hash\nhashOn: ${on}`).hashOn;
  expect(hashOn('client')).toEqual({ kind: 'client' });
  expect(hashOn('path')).toEqual({ kind: 'path' });
  expect(hashOn('header:X-Tenant')).toEqual({ kind: 'header', name: 'x-tenant' });
  expect(hashOn('cookie:Sid')).toEqual({ kind: 'cookie', name: 'Sid' });
});

test('health checks ask for a path, or only connect', () => {
  const health = (keys: string) => serviceOf(`${routed}\nhealth: ${keys}`).health;
  expect(health('{ path: /healthz, status: 204, interval: 1s }')).toEqual({
    check: { kind: 'http', path: '/healthz', statusMin: 204, statusMax: 204 },
    intervalMs: 1000,
    timeoutMs: 2000,
    rise: 2,
    fall: 3,
  });
  expect(health('{}')?.check).toEqual({ kind: 'http', path: '/', statusMin: 200, statusMax: 399 });
  expect(health('{ tcp: true }')?.check).toEqual({ kind: 'connect' });
});

test('cookies, slow start and ejections are what their options say', () => {
  const service = serviceOf(`${routed}
sticky: { cookie: replica, ttl: 1h }
slowStart: 20s
outlier: { consecutive: 3, maxShare: 25% }`);
  expect(service.sticky).toEqual({ cookie: 'replica', ttlMs: 3_600_000 });
  expect(service.slowStartMs).toBe(20_000);
  expect(service.outlier).toMatchObject({ consecutive: 3, ejectMs: 30_000, maxShare: 0.25 });
});

test('what defaults say is merged key by key', () => {
  const text = `${aroundService(`${routed}\nhealth: { interval: 1s }`)}defaults: { health: { path: /up }, slowStart: 3s }\n`;
  const [service] = settingsOf(text).services;
  expect(service?.health).toMatchObject({ check: { path: '/up' }, intervalMs: 1000 });
  expect(service?.slowStartMs).toBe(3000);
});

test.each([
  ['hashOn: §client-ip', 'hashOn: expected client, path, header:NAME or cookie:NAME, found "client-ip"'],
  ['hashOn: §"header:"', 'hashOn: expected client, path, header:NAME or cookie:NAME, found "header:"'],
  ['§sticky: { ttl: 1h }', 'sticky.cookie: is missing'],
  ['sticky: { cookie: §"a b" }', 'sticky.cookie: expected a cookie\'s name, found "a b"'],
  ['health: { path: §up }', 'health.path: a path starts with "/"'],
  ['health: { tcp: true, path: §/up }', 'health.path: means nothing with "tcp: true"'],
  ['health: { fall: §0 }', 'health.fall: expected a whole number from 1 to 100, found "0"'],
  [
    'outlier: { maxShare: §60% }',
    'outlier.maxShare: expected a share of at least 0% and at most 50%, such as 10% or 0.1, found "60%"',
  ],
  ['outlier: { eject: 10s, maxEject: §5s }', 'outlier.maxEject: is shorter than eject'],
])('a mistake is told with its place: %s', (yaml, problem) => {
  const { text, place } = marked(aroundService(`${routed}\n${yaml}`));
  expect(problemsOf(text)).toEqual([`${place}  services.app.${problem}`]);
});

test('two services of one host may not share a cookie, those of different hosts may', () => {
  const file = (host: string) => `listen: [{ address: "127.0.0.1:8080" }]
services:
  a: { routes: [{ host: shop.test }], endpoints: { static: ["a:1"] }, sticky: { cookie: r } }
  b: { routes: [{ host: ${host}, path: /b }], endpoints: { static: ["b:1"] }, sticky: { cookie: r } }
`;
  expect(problemsOf(file('shop.test'))).toEqual([
    '4:99  services.b.sticky.cookie: a uses this cookie on the same host',
  ]);
  expect(problemsOf(file('blog.test'))).toEqual([]);
});

test('what has no effect is warned of', () => {
  const { text, place } = marked(aroundService(`${routed}\nhashOn: §path`));
  expect(warningsOf(text)).toEqual([`${place}  services.app.hashOn: means nothing without "balance: hash"`]);
});

test('hold means something where addresses have limits', () => {
  const limited = 'routes: [{}]\nendpoints: { static: [{ address: "a:1", maxConnections: 5 }] }\nhold: { max: 10 }';
  expect(warningsOf(aroundService(limited))).toEqual([]);
});
