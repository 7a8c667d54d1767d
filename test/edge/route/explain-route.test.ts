import { describe, expect, test } from 'vitest';
import type { ExplainedListener } from '../../../src/edge/route/explain-route.ts';
import { createRouteBook } from '../../../src/edge/route/route-book.ts';
import { silentLogger } from '../../../src/model/observe.ts';
import type { RouteExplanation } from '../../../src/model/routes.ts';
import type { RouteView, ServicePolicy } from '../../../src/model/snapshot.ts';
import { listenSettings } from '../../support/listen-settings.ts';
import { policy } from '../edge-harness.ts';
import { rules } from './rules.ts';

const http = listenSettings({ name: 'plain' }, { host: '127.0.0.1', port: 8080 });

function book(
  routes: RouteView[],
  listeners: readonly ExplainedListener[] = [http],
  services: ServicePolicy[] = [],
): ReturnType<typeof createRouteBook> {
  const table = { routes, services, trustedProxies: [], heldBytes: 0 };
  return createRouteBook({ table: () => table, listeners: () => listeners, logger: silentLogger });
}

const view = (name: string, change: Partial<RouteView> = {}): RouteView => {
  const at = name.indexOf('/');
  const host = name.slice(0, at);
  return { host: host === '*' ? undefined : host, path: name.slice(at), service: name, ...change };
};

const shop = [view('a.example/'), view('a.example/api'), view('a.example/api/v2'), view('*.example/api'), view('*/')];

const explain = (url: string, method = 'GET', routes = shop): RouteExplanation => book(routes).explain({ method, url });

test('the longest path of the most specific host takes it, and each other one is told why it does not', () => {
  const told = explain('http://A.example:8080/api/x?q=1');
  expect(told).toMatchObject({ host: 'a.example', path: '/api/x', refusal: null, route: { service: 'a.example/api' } });
  expect(told.listener).toEqual({ name: 'plain', address: '127.0.0.1:8080' });
  expect(Object.fromEntries(told.others.map(({ route, why }) => [route.service, why]))).toEqual({
    'a.example/': '/api is longer',
    'a.example/api/v2': 'the path is not under /api/v2',
    '*.example/api': 'a.example is more specific than *.example, and decides alone',
    '*/': 'a.example is more specific than any host, and decides alone',
  });
  expect(told.elsewhere).toBe(0);
});

test('routes of other hosts are counted only', () => {
  const told = explain('http://b.test/');
  expect(told.route).toMatchObject({ service: '*/' });
  expect(told).toMatchObject({ others: [], elsewhere: 4 });
});

describe('what is refused says why', () => {
  test.each([
    ['http://b.example/', 'NO_ROUTE', /no route of the host has this path/],
    ['http://a.example/x y', 'BAD_REQUEST', /request line/],
    ['http://a.example/\u00e9', 'BAD_REQUEST', /target/],
    ['http://a_.example:x/', 'BAD_REQUEST', /does not begin with http/],
    ['/api', 'BAD_REQUEST', /does not begin with http/],
    ['http://a.example/x\r\nHost: b', 'BAD_REQUEST', /./],
    [
      'http://a.example/x/..%2fapi',
      'AMBIGUOUS_PATH',
      /^the path leads to a\.example\/ as it is sent, and to a\.example\/api where it is read as \/api$/,
    ],
  ])('%j: %s', (url, refusal, why) => {
    const told = explain(url);
    expect(told).toMatchObject({ refusal, route: null, then: [] });
    expect(told.why).toMatch(why);
  });

  test('what cannot be read is told as it was asked', () => {
    expect(explain('/api?x=1')).toMatchObject({ method: 'GET', host: '', path: '/api?x=1' });
    expect(explain(`/${'x'.repeat(1000)}`).path).toHaveLength(200);
  });

  test('a method that is refused', () => {
    expect(explain('http://a.example/', 'TRACE').refusal).toBe('METHOD_REFUSED');
  });
});

test('a fragment is the client’s own affair', () => {
  expect(explain('http://a.example/api#top')).toMatchObject({ path: '/api', refusal: null });
});

describe('listeners', () => {
  const tls = listenSettings({ name: 'secure', tls: {} as never }, { host: '0.0.0.0', port: 8443 });
  const redirecting = listenSettings({ redirectToHttps: true }, { host: '0.0.0.0', port: 80 });
  const tcp = listenSettings({ tcp: { service: 'db', sni: [{ name: '*.db.test', service: 'dbs' }] } });

  test('the one of the port, else the first of the scheme', () => {
    const routes = book([view('*/')], [tcp, http, redirecting, tls]);
    const at = (url: string) => routes.explain({ method: 'GET', url }).listener?.address;
    expect(at('http://a.test:8080/')).toBe('127.0.0.1:8080');
    expect(at('http://a.test/')).toBe('0.0.0.0:80');
    expect(at('http://a.test:9999/')).toBe('127.0.0.1:8080');
    expect(at('https://a.test/')).toBe('0.0.0.0:8443');
  });

  test('one that redirects to https answers before any route', () => {
    const told = book([view('*/')], [redirecting]).explain({ method: 'GET', url: 'http://a.test/' });
    expect(told).toMatchObject({ refusal: null, route: null });
    expect(told.why).toContain('by https (308)');
  });

  test('a route that is tied to another listener does not take it', () => {
    const routes = book([view('*/', { on: ['secure'] })], [http, tls]);
    expect(routes.explain({ method: 'GET', url: 'http://a.test/' })).toMatchObject({
      refusal: 'NO_ROUTE',
      elsewhere: 1,
    });
    expect(routes.explain({ method: 'GET', url: 'https://a.test/' })).toMatchObject({ refusal: null });
  });

  test('without a listener for requests nothing goes anywhere', () => {
    const told = book([view('*/')], [tcp]).explain({ method: 'GET', url: 'http://a.test/' });
    expect(told).toMatchObject({ listener: null, route: null, why: 'no listener takes http' });
  });

  test('TCP ways are listed with the routes, by name', () => {
    const listed = book([view('a.test/')], [tcp]).list();
    expect(listed.map(({ host, path, service }) => [host, path, service])).toEqual([
      ['a.test', '/', 'a.test/'],
      ['*.db.test', null, 'dbs'],
      [null, null, 'db'],
    ]);
  });
});

test('rules are told without their secrets, and a redirect with where it leads', () => {
  const guarded = rules({
    allow: ['10.0.0.0/8'],
    rate: { requests: 10, perMs: 1000, burst: 20 },
    basicAuth: { realm: 'shop', users: [{ name: 'ann', hash: 'secret-hash' }], forward: false },
    strip: true,
    request: { set: [{ name: 'X-Key', value: 'secret-value' }] },
  });
  const moved = rules({ redirect: { to: 'https://new.test{path}', status: 301 } });
  const routes = book([view('a.test/api', { rules: guarded }), view('b.test/', { rules: moved })]);
  expect(JSON.stringify(routes.list())).not.toContain('secret');
  expect(routes.list('a.test')[0]?.rules).toEqual([
    'lets in 10.0.0.0/8 only',
    'takes 10 requests per 1s of each client, 20 at once',
    'asks for a user and a password (shop)',
    'cuts /api off',
    'sets X-Key of requests',
  ]);
  const told = routes.explain({ method: 'GET', url: 'http://b.test/x' });
  expect(told.then.at(-1)).toBe('answered with 301 to https://new.test/x');
  const climbing = routes.explain({ method: 'GET', url: 'http://a.test/api//evil.test' });
  expect(climbing).toMatchObject({ refusal: 'AMBIGUOUS_PATH', route: { service: 'a.test/api' } });
});

test('whether it wakes the service is told, by the rule that decides', () => {
  const wake = [{ path: '/healthz', userAgent: undefined, then: 'answer' as const, status: 204 }];
  const service = policy({ name: 'app', wakeable: true, wake });
  const routes = book([view('*/', { service: 'app' })], [http], [service]);
  const last = (url: string) => routes.explain({ method: 'GET', url }).then.at(-1);
  expect(last('http://a.test/')).toBe('wakes it where it sleeps');
  expect(last('http://a.test/healthz')).toBe('does not wake it: answered with 204 where it sleeps');
});

test('for one host, the routes in the order in which they are asked', () => {
  const listed = book([...shop, view('*.b.example/'), view('b.example/')]).list('x.b.example');
  expect(listed.map(({ service }) => service)).toEqual(['*.b.example/', '*.example/api', '*/']);
});
