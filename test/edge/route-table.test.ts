import { describe, expect, test } from 'vitest';
import { RouteTable } from '../../src/edge/route-table.ts';

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
    ['/%61pi', 'root'],
    ['//api', 'root'],
    ['/api//v1/users', 'api'],
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
    '/pub/..',
    '/..',
    '/.',
    '/./admin',
    '/%2e/admin',
    '/%2E%2e/admin',
    '/.%2e/admin',
    '/%2e./admin',
    '/pub/%2e%2E',
    '/pub/..?x',
  ])('%s is ambiguous where the host has several paths', (target) => {
    expect(lookUp(several, 'any.test', target)).toBe('AMBIGUOUS_PATH');
  });

  test.each(['/...', '/.well-known/x', '/a..b', '/..a', '/a./b', '/pub?/../admin'])('%s holds none', (target) => {
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
