import { describe, expect, test, vi } from 'vitest';
import { RouteTable } from '../../../src/edge/route/route-table.ts';
import type { RouteView } from '../../../src/model/snapshot.ts';
import { rules } from './rules.ts';

interface Target {
  name: string;
}

/** Looks a host and a target up in a table of `host path → name`; `!` stands for no host. */
function lookUp(
  routes: [host: string | undefined, path: string, name: string][],
  host: string,
  target: string,
): string {
  const views = routes.map(([routeHost, path, service]) => ({ host: routeHost, path, service }));
  const table = new RouteTable<Target>(views, ({ service }) => ({ name: service }));
  const found = table.host(host);
  if (found === undefined) return 'NO_ROUTE';
  const query = target.indexOf('?');
  const outcome = RouteTable.lookup(found, target, query < 0 ? target.length : query);
  return typeof outcome === 'string' ? outcome : outcome.name;
}

describe('the host decides first, the most specific one alone', () => {
  const routes: [string | undefined, string, string][] = [
    ['shop.example.com', '/', 'exact'],
    ['*.example.com', '/', 'suffix'],
    ['*.eu.example.com', '/', 'longer-suffix'],
    [undefined, '/', 'any'],
  ];

  test.each([
    ['shop.example.com', 'exact'],
    ['a.example.com', 'suffix'],
    ['a.b.c.example.com', 'suffix'],
    ['a.eu.example.com', 'longer-suffix'],
    ['x.y.eu.example.com', 'longer-suffix'],
    ['eu.example.com', 'suffix'],
    ['sub.shop.example.com', 'suffix'],
    ['example.com', 'any'],
    ['notexample.com', 'any'],
    ['example.com.evil.test', 'any'],
    ['', 'any'],
    ['[::1]', 'any'],
  ])('%s → %s', (host, name) => {
    expect(lookUp(routes, host, '/')).toBe(name);
  });

  test('a host without a route for the path does not fall back to a wider host', () => {
    const narrow: [string | undefined, string, string][] = [
      ['shop.example.com', '/api', 'exact'],
      ['*.example.com', '/', 'suffix'],
      [undefined, '/', 'any'],
    ];
    expect(lookUp(narrow, 'shop.example.com', '/other')).toBe('NO_ROUTE');
    expect(lookUp(narrow, 'shop.example.com', '/api/1')).toBe('exact');
  });

  test('a suffix without a route for the path does not fall back to a shorter suffix', () => {
    const narrow: [string | undefined, string, string][] = [
      ['*.eu.example.com', '/api', 'longer'],
      ['*.example.com', '/', 'shorter'],
    ];
    expect(lookUp(narrow, 'a.eu.example.com', '/')).toBe('NO_ROUTE');
  });

  test('without a route for any host an unknown one is not routed', () => {
    expect(lookUp([['shop.example.com', '/', 'exact']], 'other.test', '/')).toBe('NO_ROUTE');
    expect(lookUp([['shop.example.com', '/', 'exact']], '', '/')).toBe('NO_ROUTE');
    expect(lookUp([], 'other.test', '/')).toBe('NO_ROUTE');
  });
});

describe('the longest path prefix at a segment border wins', () => {
  const routes: [string | undefined, string, string][] = [
    [undefined, '/', 'root'],
    [undefined, '/api', 'api'],
    [undefined, '/api/v1/users', 'users'],
    [undefined, '/a', 'a'],
  ];

  test.each([
    ['/', 'root'],
    ['/api', 'api'],
    ['/api/', 'api'],
    ['/api?x=/api/v1/users', 'api'],
    ['/api/v1', 'api'],
    ['/api/v1/usersx', 'api'],
    ['/api/v1/users', 'users'],
    ['/api/v1/users/', 'users'],
    ['/api/v1/users/7/posts/9', 'users'],
    ['/apix', 'root'],
    ['/apix/v1/users', 'root'],
    ['/ap', 'root'],
    ['/a/pi', 'a'],
    ['/API', 'root'],
    ['/%61pi', 'api'],
    ['/group%2Fproject', 'root'],
    ['/x;y=/api', 'root'],
    ['/api/%2e', 'api'],
    ['/api/..%2fapi', 'api'],
    ['/api;v=1', 'api'],
    ['/api;v=1/x', 'api'],
    ['/a%70i/v1/us%65rs/x', 'users'],
    ['/x?/api', 'root'],
    ['*', 'root'],
  ])('%s → %s', (target, name) => {
    expect(lookUp(routes, 'any.test', target)).toBe(name);
  });

  test('without a route for / other paths are not routed', () => {
    expect(lookUp([[undefined, '/api', 'api']], 'any.test', '/')).toBe('NO_ROUTE');
    expect(lookUp([[undefined, '/api', 'api']], 'any.test', '/apix')).toBe('NO_ROUTE');
    expect(lookUp([[undefined, '/api', 'api']], 'any.test', '*')).toBe('NO_ROUTE');
    expect(lookUp([[undefined, '/api', 'api']], 'any.test', '/api/deep/er')).toBe('api');
  });

  test('a path of thousands of segments is looked up no deeper than the deepest route', () => {
    const deep = `/api/v1${'/x'.repeat(4000)}`;
    expect(lookUp(routes, 'any.test', deep)).toBe('api');
    expect(lookUp(routes, 'any.test', '/'.repeat(8000))).toBe('root');
  });
});

describe('dot segments', () => {
  const several: [string | undefined, string, string][] = [
    [undefined, '/', 'root'],
    [undefined, '/admin', 'admin'],
  ];

  test.each([
    '/pub/../admin',
    '/./admin',
    '/%2e/admin',
    '/%2E%2e/admin',
    '/.%2e/admin',
    '/%2e./admin',
    '/admin/..',
    '/admin/%2e%2E',
    '/admin/..?x',
  ])('%s is ambiguous where it decides about the route', (target) => {
    expect(lookUp(several, 'any.test', target)).toBe('AMBIGUOUS_PATH');
  });

  test.each([
    ...['/...', '/.well-known/x', '/a..b', '/..a', '/a./b', '/pub?/../admin'],
    ...['/pub/..', '/..', '/.', '/pub/%2e%2E', '/pub/../x'],
  ])('%s leads to one route however it is read', (target) => {
    expect(lookUp(several, 'any.test', target)).toBe('root');
  });

  test('they pass where there is only one path to end up at', () => {
    expect(lookUp([[undefined, '/', 'root']], 'any.test', '/pub/../admin')).toBe('root');
  });

  test('the number of paths is counted per host', () => {
    const routes: [string | undefined, string, string][] = [
      ['one.test', '/', 'one'],
      ['two.test', '/', 'two'],
      ['two.test', '/x', 'x'],
    ];
    expect(lookUp(routes, 'one.test', '/a/../x')).toBe('one');
    expect(lookUp(routes, 'two.test', '/a/../x')).toBe('AMBIGUOUS_PATH');
  });
});

describe('routes that do the same', () => {
  const at = (path: string, change: Partial<RouteView> = {}): RouteView => ({
    host: undefined,
    path,
    service: 'app',
    ...change,
  });

  function leads(views: RouteView[], target: string): string {
    const host = new RouteTable<Target>(views, ({ path }) => ({ name: path })).host('any.test');
    const found = host && RouteTable.lookup(host, target, target.length);
    return typeof found === 'object' ? found.name : `${found}`;
  }

  const guard = rules({ allow: ['192.0.2.1'] });

  test('however a path is read, they get it by the path as it was sent', () => {
    expect(leads([at('/'), at('/a'), at('/b')], '/a%2f..%2fb/x')).toBe('/');
    expect(leads([at('/', { rules: guard }), at('/a', { rules: rules({ allow: ['192.0.2.1'] }) })], '//a')).toBe('/');
  });

  test.each<[what: string, other: Partial<RouteView>]>([
    ['another service', { service: 'other' }],
    ['rules', { rules: guard }],
    ['a bound on bodies', { maxBody: 1 }],
  ])('with %s one is no longer the same', (_what, other) => {
    expect(leads([at('/'), at('/a', other)], '//a')).toBe('AMBIGUOUS_PATH');
  });

  test('nor is no route', () => {
    expect(leads([at('/a'), at('/b', { service: 'other' })], '/a/..%2f..%2fc')).toBe('AMBIGUOUS_PATH');
    expect(leads([at('/a'), at('/b', { service: 'other' })], '/c%2fd')).toBe('NO_ROUTE');
  });

  test('where all routes that a path may lead to say so, it is sent on by the path as it was sent', () => {
    const forward = { ambiguousPaths: 'forward' } as const;
    const views = [at('/', forward), at('/a', { ...forward, rules: guard }), at('/b', { maxBody: 1 })];
    expect(leads(views, '/x/..%2fa')).toBe('/');
    expect(leads(views, '/a/..%2fc')).toBe('/a');
    expect(leads(views, '/x/..%2fb')).toBe('AMBIGUOUS_PATH');
    expect(leads(views, '/a/..%2fb')).toBe('AMBIGUOUS_PATH');
    expect(leads(views, '/a/..%2fc%2500')).toBe('AMBIGUOUS_PATH');
  });

  test('upper and lower case tell paths apart, unless a route of the host says otherwise', () => {
    const views = [at('/'), at('/Admin', { rules: guard })];
    expect(leads(views, '/aDMIN')).toBe('/');
    const folding = [at('/'), at('/Admin', { rules: guard, caseInsensitive: true })];
    expect(leads(folding, '/Admin/X')).toBe('/Admin');
    expect(leads(folding, '/admin')).toBe('AMBIGUOUS_PATH');
    expect(leads(folding, '/aDMIN/x')).toBe('AMBIGUOUS_PATH');
    expect(leads(folding, '/x%2f..%2fADMIN/x')).toBe('AMBIGUOUS_PATH');
    expect(leads(folding, '/Index')).toBe('/');
  });
});

describe('what a look-up of a host takes', () => {
  test.each(['a.'.repeat(4000), `${'a.'.repeat(4000)}b.c.test`])(
    'is no more than the longest suffix has labels',
    (name) => {
      const view = (host: string): RouteView => ({ host, path: '/', service: host });
      const table = new RouteTable<Target>([view('*.test'), view('*.b.c.test')], ({ service }) => ({ name: service }));
      const get = vi.spyOn(Map.prototype, 'get');
      const found = table.host(`${name}`);
      const steps = get.mock.calls.length;
      get.mockRestore();
      expect(found?.root?.name).toBe(name.endsWith('test') ? '*.b.c.test' : undefined);
      // One for the exact host, and one for each label of the longest suffix and the one before it.
      expect(steps).toBeLessThanOrEqual(5);
    },
  );
});
