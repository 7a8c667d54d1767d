import { describe, expect, test } from 'vitest';
import { at, EdgeHarness, policy, state } from '../edge-harness.ts';
import { answering, Origin, ok } from '../wire.ts';
import { cheapHash, rules, serve } from './rules.ts';

const stripped = rules({ strip: true });

describe('the prefix is cut off what the service gets, and nothing else is touched', () => {
  test.each<[sent: string, got: string]>([
    ['/api', '/'],
    ['/api/', '/'],
    ['/api/a/b', '/a/b'],
    ['/api?x=/api/y', '/?x=/api/y'],
    ['/api/a?b=c', '/a?b=c'],
    ['/api/api/a', '/api/a'],
    ['/%61pi/a', '/a'],
    ['/api;v=1/a;v=2', '/a;v=2'],
    ['/api/a//b', '/a//b'],
    ['/api;v=1', '/'],
    ['/api/a%2Fb%20c', '/a%2Fb%20c'],
    ['/api/...', '/...'],
    ['/api/a..b/.hidden', '/a..b/.hidden'],
    ['/api/?..', '/?..'],
    ['/apis/a', '/apis/a'],
    ['/other', '/other'],
  ])('%s → %s', async (sent, got) => {
    const { harness } = await serve({ '/': undefined, '/api': stripped });
    const client = await harness.connect();
    client.get(sent);
    expect((await client.answer()).text).toBe(got);
  });

  test('an absolute-form target too', async () => {
    const { harness, seen } = await serve({ '/api': stripped });
    const client = await harness.connect();
    client.get('http://app.test/api/a?b');
    expect((await client.answer()).text).toBe('/a?b');
    expect(seen[0]?.fields['host']).toEqual(['app.test']);
  });

  test('what else the service is told stays as it was', async () => {
    const { harness, seen } = await serve({ '/api': stripped });
    const client = await harness.connect();
    client.write('POST /api/a HTTP/1.1\r\nHost: app.test\r\nX-Api: /api/a\r\nContent-Length: 6\r\n\r\n/api/a');
    expect((await client.answer('POST')).status).toBe(200);
    expect(seen[0]?.line).toBe('POST /a HTTP/1.1');
    expect(seen[0]?.fields['x-api']).toEqual(['/api/a']);
    expect(seen[0]?.body.toString()).toBe('/api/a');
  });

  test('a method with the path in it is no path', async () => {
    const { harness, seen } = await serve({ '/api': stripped });
    const client = await harness.connect();
    client.write('API /api/a HTTP/1.1\r\nHost: app.test\r\n\r\n');
    await client.answer();
    expect(seen[0]?.line).toBe('API /a HTTP/1.1');
  });
});

describe('the service is told what was cut off', () => {
  async function prefixes(fields: string, change: Parameters<typeof rules>[0] = {}, trustedProxies: string[] = []) {
    const { harness, seen } = await serve({ '/blog': rules({ strip: true, ...change }) }, { trustedProxies });
    const client = await harness.connect();
    for (const target of ['/blog', '/blog/', '/%62log/x?y=/blog']) {
      client.get(target, fields);
      expect((await client.answer()).status).toBe(200);
    }
    const [first, ...others] = seen.map((each) => each.fields['x-forwarded-prefix']);
    for (const other of others) expect(other).toEqual(first);
    return first;
  }

  test('by one X-Forwarded-Prefix, whatever a client says', async () => {
    expect(await prefixes('')).toEqual(['/blog']);
    expect(await prefixes('X-Forwarded-Prefix: /evil\r\nX_Forwarded_Prefix: /evil\r\n')).toEqual(['/blog']);
  });

  test('behind what a trusted proxy has cut off, if that is a path', async () => {
    const trusted = ['127.0.0.0/8'];
    expect(await prefixes('X-Forwarded-Prefix: /site\r\n', {}, trusted)).toEqual(['/site/blog']);
    for (const other of ['//evil.test', 'https://evil.test', '/a, /b', '/']) {
      expect(await prefixes(`X-Forwarded-Prefix: ${other}\r\n`, {}, trusted)).toEqual(['/blog']);
    }
  });

  test('unless a rule says otherwise', async () => {
    const set = [{ name: 'X-Forwarded-Prefix', value: '/shown' }];
    expect(await prefixes('X-Forwarded-Prefix: /evil\r\n', { request: { set } })).toEqual(['/shown']);
    expect(await prefixes('', { request: { remove: ['x-forwarded-prefix'] } })).toBeUndefined();
  });

  test('a rule may tell it without strip, too', async () => {
    const set = [{ name: 'X-Forwarded-Prefix', value: '/blog' }];
    expect(await prefixes('X-Forwarded-Prefix: /evil\r\n', { strip: false, request: { set } })).toEqual(['/blog']);
  });
});

test('where an answer leads, and its cookies, stay as the service sent them', async () => {
  const fields = 'Location: /login\r\nSet-Cookie: s=1; Path=/\r\n';
  const answer = () => `HTTP/1.1 302 Found\r\n${fields}Content-Length: 0\r\n\r\n`;
  const { harness } = await serve({ '/blog': stripped }, {}, {}, answer);
  const client = await harness.connect();
  client.get('/blog/x');
  const { head } = await client.answer();
  expect(head).toContain(fields);
});

describe('the path itself is sent to the one with a slash behind it, where that is wanted', () => {
  const slashed = rules({ strip: true, addSlash: true });

  test.each<[sent: string, location: string]>([
    ['/blog', '/blog/'],
    ['/blog?x=/y"', '/blog/?x=/y%22'],
    ['/%62log', '/blog/'],
    ['/blog;v=1', '/blog/'],
  ])('%s → %s', async (sent, location) => {
    const { harness, seen } = await serve({ '/blog': slashed });
    const client = await harness.connect();
    client.get(sent);
    const answer = await client.answer();
    expect([answer.status, answer.fields['location']]).toEqual([308, [location]]);
    expect(seen).toEqual([]);
  });

  test.each<[line: string, got: string]>([
    ['GET /blog/', '/'],
    ['GET /blog/x', '/x'],
    ['POST /blog', '/'],
    ['OPTIONS /blog', '/'],
  ])('%s is not', async (line, got) => {
    const { harness, seen } = await serve({ '/blog': slashed });
    const client = await harness.connect();
    client.write(`${line} HTTP/1.1\r\nHost: app.test\r\nContent-Length: 0\r\n\r\n`);
    expect((await client.answer()).status).toBe(200);
    expect(seen[0]?.line.split(' ')[1]).toBe(got);
  });

  test('who may not be there is not told, and nobody is asked for a password on the way', async () => {
    const basicAuth = { realm: 'r', users: [{ name: 'alice', hash: cheapHash('pass') }], forward: false };
    const { harness } = await serve({
      '/blog': rules({ addSlash: true, allow: ['192.0.2.1'] }),
      '/wiki': rules({ addSlash: true, basicAuth }),
    });
    const client = await harness.connect();
    for (const [target, status] of [
      ['/blog', 403],
      ['/wiki', 308],
      ['/wiki/', 401],
    ] as const) {
      client.get(target);
      expect((await client.answer()).status).toBe(status);
    }
  });
});

test('a retry sends the same path again', async () => {
  const lines: string[] = [];
  const origin = await Origin.listen(async (connection) => {
    const request = await connection.request();
    lines.push(request?.line ?? '');
    if (lines.length === 1) connection.reset();
    else connection.write(ok(request?.line.split(' ')[1]));
  });
  const harness = await EdgeHarness.ready(
    origin,
    {},
    {
      routes: [{ host: undefined, path: '/api', service: 'app', rules: stripped }],
    },
  );
  const client = await harness.connect();
  client.get('/api/a');
  expect((await client.answer()).text).toBe('/a');
  expect(lines).toEqual(['GET /a HTTP/1.1', 'GET /a HTTP/1.1']);
});

test('wake rules see the path that the client sent', async () => {
  const wake = [{ path: '/api/health', userAgent: undefined, then: 'answer' as const, status: 204 }];
  const { harness } = await serve({ '/api': stripped }, {}, { wake });
  harness.state({ endpoints: [] });
  const client = await harness.connect();
  client.get('/api/health');
  expect((await client.answer()).status).toBe(204);
});

/** Spellings of "up" that one application or another follows. */
const climbing = [
  '/pub/../admin',
  '/pub/%2e%2e/admin',
  '/pub/%2E%2E/admin',
  '/pub/.%2e/admin',
  '/pub/x/../../admin',
  '/pub/..',
  '/pub/.',
  '/pub/./admin',
  '/pub/%2e',
  '/pub/..%2fadmin',
  '/pub/..%2Fadmin',
  '/pub/x%2f..%2f..%2fadmin',
  '/pub/..\\admin',
  '/pub/..%5cadmin',
  '/pub/x\\..\\admin',
  '/pub/..;/admin',
  '/pub/..;x=y/admin',
  '/pub/%2e%2e%2fadmin?x',
  '/pub;/../admin',
  '/pub/%252e%252e/admin',
  '/pub/%c0%ae%c0%ae/admin',
];

/** What is left of these names a host, to a browser that an application sends there. */
const leaving = ['/pub//evil.test', '/pub/%2fevil.test', '/pub/%5cevil.test', '/pub/\\evil.test', '/pub/;/evil.test'];

describe('nothing that is left of a path names another host', () => {
  test.each(leaving)('%s is 400', async (target) => {
    const { harness, seen } = await serve({ '/pub': stripped });
    const client = await harness.connect();
    client.get(target);
    expect((await client.answer()).status).toBe(400);
    expect(seen).toEqual([]);
  });

  test('a route that forwards ambiguous paths only asks this of the path as it was sent', async () => {
    const { harness, seen } = await serve(
      {},
      { routes: [{ host: undefined, path: '/pub', service: 'app', rules: stripped, ambiguousPaths: 'forward' }] },
    );
    const client = await harness.connect();
    for (const target of ['/pub/%2fetc%2fhosts', '/pub/a%2f..%2fb']) {
      client.get(target);
      expect((await client.answer()).text).toBe(target.slice(4));
    }
    for (const target of ['/pub//evil.test', '/pub/%2e%2e/x']) {
      const other = await harness.connect();
      other.get(target);
      expect((await other.answer()).status).toBe(400);
    }
    expect(seen.length).toBe(2);
  });
});

describe('GHSA-2q7r-29rg-6m5h, GHSA-6jwx-7vp4-9847: nobody climbs out of a prefix that is cut off', () => {
  test.each(climbing)('%s is 400, where other routes lead elsewhere', async (target) => {
    const { harness, seen } = await serve({ '/': undefined, '/pub': stripped });
    const client = await harness.connect();
    client.get(target);
    const answer = await client.answer();
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text)).toMatchObject({ code: 'AMBIGUOUS_PATH' });
    expect(seen).toEqual([]);
  });

  test.each(climbing)('%s is 400, where there is no other route', async (target) => {
    const { harness, seen } = await serve({ '/pub': stripped });
    const client = await harness.connect();
    client.get(target);
    expect((await client.answer()).status).toBe(400);
    expect(seen).toEqual([]);
  });

  test('a segment that only begins like the prefix is another route: /api../x', async () => {
    const { harness, seen } = await serve({ '/api': stripped });
    const client = await harness.connect();
    for (const target of ['/api../x', '/api%2f../x', '/apix', '/api%3b/../x']) {
      client.get(target);
      expect((await client.answer()).status).toBe(404);
    }
    expect(seen).toEqual([]);
  });
});

test('what the path of one service means to another is not mixed up', async () => {
  const origins = await Promise.all(
    ['one', 'two'].map((name) => Origin.listen(answering((seen) => ok(`${name} ${seen.line.split(' ')[1]}`)))),
  );
  const harness = await EdgeHarness.start([policy({ name: 'one' }), policy({ name: 'two' })], {
    routes: [
      { host: undefined, path: '/a', service: 'one', rules: stripped },
      { host: undefined, path: '/a/b', service: 'two', rules: stripped },
    ],
    states: ['one', 'two'].map((service, index) => state({ service, endpoints: [at(origins[index] as Origin)] })),
  });
  const client = await harness.connect();
  const texts: string[] = [];
  for (const target of ['/a/x', '/a/b', '/a/b/x', '/a/bc']) {
    client.get(target);
    texts.push((await client.answer()).text);
  }
  expect(texts).toEqual(['one /x', 'two /', 'two /x', 'one /bc']);
});
