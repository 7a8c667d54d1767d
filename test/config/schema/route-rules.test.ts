import { describe, expect, test } from 'vitest';
import type { RouteRules } from '../../../src/model/route-rules.ts';
import { aroundService, marked, problemsOf, settingsOf, warningsOf } from '../parse.ts';

const HASH = '$scrypt$ln=15,r=8,p=3$Mi1bksSStDuIMrXYuFReyg$lVK5pGNdne1XiaQjyYFMFZMMw2bLl0mqTA7TuX9CK4E';
const endpoints = 'endpoints: { static: ["a:1"] }';

/** A file whose one route has these keys beside its path. */
function around(keys: string): string {
  return aroundService(`${endpoints}\nroutes: [{ path: /app, ${keys} }]`);
}

function rulesOf(keys: string): RouteRules | undefined {
  return settingsOf(around(keys)).services[0]?.routes[0]?.rules;
}

const none: RouteRules = {
  strip: false,
  redirect: undefined,
  allow: [],
  basicAuth: undefined,
  rate: undefined,
  headers: { request: { set: [], remove: [] }, response: { set: [], remove: [] } },
};

describe('rules of a route', () => {
  test.each(['', 'strip: false', 'headers: { request: { set: {} } }', 'headers: {}'])(
    'a route that says "%s" has none at all',
    (keys) => {
      expect(rulesOf(keys)).toBeUndefined();
    },
  );

  test.each<[keys: string, rules: Partial<RouteRules>]>([
    ['strip: true', { strip: true }],
    ['allow: [10.0.0.0/8, "::1"]', { allow: ['10.0.0.0/8', '::1'] }],
    ['rate: { requests: 10 }', { rate: { requests: 10, perMs: 1000, burst: 10 } }],
    ['rate: { requests: 10, per: 2m, burst: 20 }', { rate: { requests: 10, perMs: 120_000, burst: 20 } }],
    [
      `basicAuth: { users: { alice: "${HASH}" } }`,
      { basicAuth: { realm: 'Restricted', users: [{ name: 'alice', hash: HASH }], forward: false } },
    ],
    [
      `basicAuth: { realm: "Back office", forward: true, users: { "a b": "${HASH}" } }`,
      { basicAuth: { realm: 'Back office', users: [{ name: 'a b', hash: HASH }], forward: true } },
    ],
    [
      'headers: { request: { set: { X-A: " a {path} ", X-B: 1, X-C: "" }, remove: [Cookie] } }',
      {
        headers: {
          request: {
            set: [
              { name: 'X-A', value: 'a {path}' },
              { name: 'X-B', value: '1' },
              { name: 'X-C', value: '' },
            ],
            remove: ['Cookie'],
          },
          response: { set: [], remove: [] },
        },
      },
    ],
  ])('%s', (keys, rules) => {
    expect(rulesOf(keys)).toEqual({ ...none, ...rules });
  });

  test.each([
    'https://{host}{path}{query}',
    'https://www.{host}:8443/x{path}',
    'http://[::1]:8080/{query}',
    '/',
    '/new{path}',
    '/{host}{path}',
    '/?next={path}',
    'HTTPS://a.example#{path}',
  ])('redirects to %s with 308 unless told', (to) => {
    expect(rulesOf(`redirect: { to: "${to}" }`)).toEqual({ ...none, redirect: { to, status: 308 } });
    expect(rulesOf(`redirect: { to: "${to}", status: 301 }`)?.redirect?.status).toBe(301);
  });

  test('a service that only redirects needs no endpoints', () => {
    const redirect = 'redirect: { to: "https://b.example/" }';
    expect(problemsOf(aroundService(`routes: [{ path: /a, ${redirect} }, { path: /b, ${redirect} }]`))).toEqual([]);
    expect(problemsOf(aroundService(`routes: [{ path: /a, ${redirect} }, { path: /b }]`))).toHaveLength(1);
  });

  test('a hash may come from a variable, where a dollar sign means nothing any more', () => {
    const text = around(`basicAuth: { users: { alice: "\${HASH}" } }`);
    const [service] = settingsOf(text, { HASH }).services;
    expect(service?.routes[0]?.rules?.basicAuth?.users).toEqual([{ name: 'alice', hash: HASH }]);
  });

  test('strip on the root is probably not meant', () => {
    expect(warningsOf(aroundService(`${endpoints}\nroutes: [{ strip: true }]`))).toEqual([
      '5:23  services.app.routes[0].strip: there is nothing to cut off "/"',
    ]);
  });
});

describe('via', () => {
  const viaOf = (keys: string) => settingsOf(aroundService(`${endpoints}\nroutes: [{}]\n${keys}`)).services[0]?.via;

  test('is a name, or off', () => {
    expect(viaOf('')).toBeUndefined();
    expect(viaOf('via: false')).toBeUndefined();
    expect(viaOf('via: edge-1')).toBe('edge-1');
    expect(viaOf('via: edge.example.com:8080')).toBe('edge.example.com:8080');
  });

  test.each(['true', 'a b', '"a\\r\\nb"', '"é"', '"a,b"', '"(a)"'])('%s is no name', (value) => {
    expect(problemsOf(aroundService(`${endpoints}\nroutes: [{}]\nvia: ${value}`))[0]).toMatch(
      /services\.app\.via: expected false, or a name such as pilotlight/,
    );
  });
});

const reserved = 'no rule may touch this field: it frames or steers the message';

describe('one problem in the rules is told with its place', () => {
  test.each<[name: string, keys: string, problem: string]>([
    ['nobody let in', '§allow: []', 'allow: expected at least one address'],
    ['no address', 'allow: [§office]', 'allow[0]: expected an address or a CIDR, such as 10.0.0.0/8, found "office"'],
    ['a rate without a number', '§rate: { per: 1s }', 'rate.requests: is missing'],
    [
      'a rate of nothing',
      'rate: { requests: §0 }',
      'rate.requests: expected a whole number from 1 to 1000000, found "0"',
    ],
    ['a rate per nothing', 'rate: { requests: 1, per: §0s }', 'rate.per: at least 1ms'],
    ['nobody with a password', 'basicAuth: { §users: {} }', 'basicAuth.users: expected at least one user'],
    ['no users', '§basicAuth: { realm: r }', 'basicAuth.users: is missing'],
    [
      'a user name that no browser can send',
      `basicAuth: { users: { §"a:b": "${HASH}" } }`,
      'basicAuth.users["a:b"]: a user name has no ":" and no control characters',
    ],
    [
      'a realm that ends its quotes',
      `basicAuth: { realm: §'a"b', users: { a: "${HASH}" } }`,
      'basicAuth.realm: expected printable ASCII without quotes and backslashes, found "a\\"b"',
    ],
    ['no target', '§redirect: { status: 301 }', 'redirect.to: is missing'],
    [
      'a status that does not redirect',
      'redirect: { to: /, status: §200 }',
      'redirect.status: expected 301, 302, 303, 307 or 308, found "200"',
    ],
    ['another scheme', 'redirect: { to: §"ftp://a/" }', 'redirect.to: expected http://…, https://… or a path'],
    ['a relative path', 'redirect: { to: §"a/b" }', 'redirect.to: expected http://…, https://… or a path'],
    ['no host', 'redirect: { to: §"https:///a" }', 'redirect.to: expected a host behind "//"'],
    ['a user in the host', 'redirect: { to: §"https://a@b/" }', 'redirect.to: expected a host behind "//"'],
    [
      'a path where the host should be',
      'redirect: { to: §"https://{path}" }',
      'redirect.to: expected a host behind "//"',
    ],
    [
      'another host by its slashes',
      'redirect: { to: §"//b.example" }',
      'redirect.to: what begins with two slashes leads to another host',
    ],
    [
      'another host by the path of the request',
      'redirect: { to: §"/{path}" }',
      'redirect.to: what begins with two slashes leads to another host',
    ],
    [
      'another host by an empty query',
      'redirect: { to: §"/{query}{path}" }',
      'redirect.to: what begins with two slashes leads to another host',
    ],
    [
      'data that no Location should hold',
      'redirect: { to: §"/{client}" }',
      'redirect.to: {client} is not known; there are {host} {path} {query}',
    ],
    [
      'misspelt data',
      'redirect: { to: §"/x{paht}" }',
      'redirect.to: {paht} is not known (did you mean "path"?); there are {host} {path} {query}',
    ],
    ['a brace alone', 'redirect: { to: §"/x{path" }', 'redirect.to: braces only stand around host, path and query'],
    [
      'a blank in a URL',
      'redirect: { to: §"/a b" }',
      'redirect.to: blanks, quotes and characters beyond ASCII are percent-encoded in a URL',
    ],
    [
      'a line end in a URL',
      'redirect: { to: §"/a\\r\\nSet-Cookie: b" }',
      'redirect.to: blanks, quotes and characters beyond ASCII are percent-encoded in a URL',
    ],
    [
      'a password for a redirect',
      `redirect: { to: / }, §basicAuth: { users: { a: "${HASH}" } }`,
      'basicAuth: means nothing with redirect',
    ],
    [
      'headers for a redirect',
      'redirect: { to: / }, §headers: { request: { remove: [A] } }',
      'headers: means nothing with redirect',
    ],
    ['an unknown rule', '§stripp: true', 'stripp: unknown key (did you mean "strip"?)'],

    [
      'Content-Length',
      'headers: { request: { set: { §Content-Length: 1 } } }',
      `headers.request.set.Content-Length: ${reserved}`,
    ],
    [
      'CVE-2026-1525: Content-Length in odd case',
      'headers: { request: { set: { §cOnTeNt-lEnGtH: 1 } } }',
      `headers.request.set.cOnTeNt-lEnGtH: ${reserved}`,
    ],
    [
      'Content-Length by an alias',
      'headers: { request: { set: { §content_length: 1 } } }',
      `headers.request.set.content_length: ${reserved}`,
    ],
    [
      'Transfer-Encoding',
      'headers: { response: { remove: [§transfer-encoding] } }',
      `headers.response.remove[0]: ${reserved}`,
    ],
    [
      'Connection',
      'headers: { response: { set: { §Connection: close } } }',
      `headers.response.set.Connection: ${reserved}`,
    ],
    ['Upgrade', 'headers: { request: { remove: [§Upgrade] } }', `headers.request.remove[0]: ${reserved}`],
    [
      'Host',
      'headers: { request: { set: { §Host: a } } }',
      'headers.request.set.Host: no rule may touch this field: it is what upstreamHost sets',
    ],
    [
      'X-Request-Id',
      'headers: { response: { remove: [§X-Request-ID] } }',
      'headers.response.remove[0]: no rule may touch this field: it stands on every message',
    ],
    [
      'a name that is none',
      'headers: { request: { remove: [§"X A"] } }',
      'headers.request.remove[0]: expected a header name, such as X-Frame-Options',
    ],
    [
      'a name with a line end',
      'headers: { request: { set: { §"X-A\\r\\nX-B": 1 } } }',
      'headers.request.set["X-A\\r\\nX-B"]: expected a header name, such as X-Frame-Options',
    ],
    [
      'CVE-2022-31150: a line end in a value',
      'headers: { request: { set: { X-A: §"a\\r\\nX-B: 1" } } }',
      'headers.request.set.X-A: a header value is printable ASCII, on one line',
    ],
    [
      'a NUL in a value',
      'headers: { response: { set: { X-A: §"a\\0" } } }',
      'headers.response.set.X-A: a header value is printable ASCII, on one line',
    ],
    [
      'unknown data in a value',
      'headers: { request: { set: { X-A: §"{clint}" } } }',
      'headers.request.set.X-A: {clint} is not known (did you mean "client"?); ' +
        'there are {client} {host} {path} {query} {request-id}',
    ],
    [
      'a slash for a path that is sent elsewhere',
      'addSlash: §true, redirect: { to: /b }',
      'addSlash: means nothing with redirect',
    ],
    ['another word for refuse', 'ambiguousPaths: §allow', 'ambiguousPaths: expected refuse or forward, found "allow"'],
    [
      'one field in two spellings',
      'headers: { request: { set: { X-A: 1, §x-a: 2 } } }',
      'headers.request.set.x-a: the same field is set already, in another spelling',
    ],
  ])('%s', (_name, keys, problem) => {
    const { text, place } = marked(around(keys));
    expect(problemsOf(text)).toEqual([`${place}  services.app.routes[0].${problem}`]);
  });
});

describe('what is not a hash is refused, with the way to make one, and not shown', () => {
  test.each([
    ['a password', 'hunter2-secret'],
    ['another kind of hash', '$2y$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy'],
    ['a cheap hash', HASH.replace('ln=15', 'ln=4')],
    ['a hash that would take all memory', HASH.replace('ln=15', 'ln=25')],
    ['a hash without salt', HASH.replace('Mi1bksSStDuIMrXYuFReyg', '')],
    ['half a hash', HASH.slice(0, -30)],
  ])('%s', (_name, value) => {
    const problems = problemsOf(around(`basicAuth: { users: { alice: "${value}" } }`));
    expect(problems).toEqual([
      expect.stringContaining(
        'services.app.routes[0].basicAuth.users.alice: expected a hash that "pilotlight hash-password" made, ' +
          'never the password itself',
      ),
    ]);
    expect(problems.join()).not.toContain(value);
  });
});
