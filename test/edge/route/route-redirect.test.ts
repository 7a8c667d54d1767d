import { describe, expect, test } from 'vitest';
import { EdgeHarness, policy } from '../edge-harness.ts';
import { routes, rules, serve } from './rules.ts';

/** An edge with a service that has nothing but a redirect. */
async function redirecting(to: string, path = '/', change: Parameters<typeof rules>[0] = {}): Promise<EdgeHarness> {
  const table = { routes: routes({ [path]: rules({ redirect: { to, status: 308 }, ...change }) }) };
  return EdgeHarness.start(policy({ wakeable: false }), table);
}

/** Location for one request. */
async function location(harness: EdgeHarness, target: string, host = 'app.test'): Promise<string | undefined> {
  const client = await harness.connect();
  client.get(target, '', host);
  const answer = await client.answer();
  expect(answer.status).toBe(308);
  return answer.fields['location']?.join(' AND ');
}

test('a route without endpoints sends its clients elsewhere and keeps their connection', async () => {
  const harness = await redirecting('https://{host}{path}{query}');
  const client = await harness.connect();
  for (const path of ['/a?b=c', '/']) {
    client.get(path, '', 'App.Test:8080');
    const answer = await client.answer();
    expect([answer.status, answer.fields['location']]).toEqual([308, [`https://app.test${path}`]]);
    expect(answer.fields['x-request-id']).toHaveLength(1);
    expect(answer.fields['proxy-status']).toBeUndefined();
    expect(answer.text).toBe('Permanent Redirect\n');
  }
  expect(await harness.codes()).toEqual({ 308: 2 });
  expect(await harness.sum('arrivals')).toBe(0);
});

test.each([301, 302, 303, 307, 308])('status %d', async (status) => {
  const { harness } = await serve({ '/': rules({ redirect: { to: '/new', status } }) });
  const client = await harness.connect();
  client.write('HEAD /old HTTP/1.1\r\nHost: app.test\r\n\r\n');
  const answer = await client.answer('HEAD');
  expect([answer.status, answer.fields['location'], answer.body.length]).toEqual([status, ['/new'], 0]);
});

describe('what is put in', () => {
  test.each<[to: string, target: string, location: string]>([
    ['https://new.test{path}{query}', '/a/b?c=d&e', 'https://new.test/a/b?c=d&e'],
    ['https://new.test{path}', '/a/b?c=d', 'https://new.test/a/b'],
    ['https://new.test/x{path}', '/', 'https://new.test/x/'],
    ['/x{path}{query}', '/a', '/x/a'],
    ['https://www.{host}:8443{path}', '/a', 'https://www.app.test:8443/a'],
    ['https://new.test{path}', '/a%20b%2Fc', 'https://new.test/a%20b%2Fc'],
    ['https://login.test/?next={path}{query}', '/a?b=c&d', 'https://login.test/?next=%2Fa%3Fb%3Dc%26d'],
    ['https://login.test/?from={host}', '/a', 'https://login.test/?from=app.test'],
    ['https://new.test/#{path}', '/a&b', 'https://new.test/#%2Fa%26b'],
  ])('%s for %s is %s', async (to, target, expected) => {
    expect(await location(await redirecting(to), target)).toBe(expected);
  });

  test('the path is what strip leaves of it', async () => {
    const harness = await redirecting('https://new.test{path}{query}', '/old', { strip: true });
    expect(await location(harness, '/old/a?b')).toBe('https://new.test/a?b');
    expect(await location(harness, '/old')).toBe('https://new.test/');
  });
});

describe('request data cannot break out of its place', () => {
  test.each<[target: string, location: string]>([
    ['//evil.test/x', 'https://new.test//evil.test/x'],
    ['/\\evil.test', 'https://new.test/%5Cevil.test'],
    ['/"><script>', 'https://new.test/%22%3E%3Cscript%3E'],
    ['/{host}`|^', 'https://new.test/%7Bhost%7D%60%7C%5E'],
    ['/@evil.test', 'https://new.test/@evil.test'],
    ['/%0d%0aSet-Cookie:%20a=b', 'https://new.test/%0d%0aSet-Cookie:%20a=b'],
  ])('%s', async (target, expected) => {
    expect(await location(await redirecting('https://new.test{path}'), target)).toBe(expected);
  });

  test('a relative redirect stays on the host', async () => {
    expect(await location(await redirecting('/x{path}'), '//evil.test/x')).toBe('/x//evil.test/x');
  });

  test('the query of OPTIONS * and its path are nothing', async () => {
    const harness = await redirecting('https://new.test{path}{query}');
    const client = await harness.connect();
    client.write('OPTIONS * HTTP/1.1\r\nHost: app.test\r\n\r\n');
    expect((await client.answer('OPTIONS')).fields['location']).toEqual(['https://new.test/']);
  });

  test.each(["a'b.test", 'a(b).test', 'a%2fb.test', 'a;b.test', '[::1'])('Host: %s is 400', async (host) => {
    const harness = await redirecting('https://{host}{path}');
    const client = await harness.connect();
    client.get('/', '', host);
    const answer = await client.answer();
    expect([answer.status, answer.fields['location']]).toEqual([400, undefined]);
  });

  test('an HTTP/1.0 request without a Host cannot be sent to its own host', async () => {
    const harness = await redirecting('https://{host}{path}');
    const client = await harness.connect();
    client.write('GET / HTTP/1.0\r\n\r\n');
    expect((await client.answer()).status).toBe(400);
  });

  test('a CR or LF in the target never gets as far', async () => {
    const harness = await redirecting('https://new.test{path}');
    for (const target of ['/a\rb', '/a\nSet-Cookie: x=y', '/a\r\nSet-Cookie: x=y', '/a\0b']) {
      const client = await harness.connect();
      client.get(target);
      const answer = await client.answer();
      expect([answer.status, answer.fields['location'], answer.fields['set-cookie']]).toEqual([
        400,
        undefined,
        undefined,
      ]);
    }
  });
});

test('a redirect asks who is let in first', async () => {
  const harness = await redirecting('https://new.test/', '/', { allow: ['10.0.0.0/8'] });
  const client = await harness.connect();
  client.get();
  expect((await client.answer()).status).toBe(403);
});

test('a redirect of a request with a body leaves the connection in step, or closes it (CVE-2025-4366)', async () => {
  const harness = await redirecting('https://new.test{path}');
  const inside = 'GET /smuggled HTTP/1.1\r\nHost: app.test\r\n\r\n';
  const client = await harness.connect();
  client.write(`POST /a HTTP/1.1\r\nHost: app.test\r\nContent-Length: ${inside.length}\r\n\r\n${inside}`);
  client.get('/b');
  expect((await client.answer('POST')).fields['location']).toEqual(['https://new.test/a']);
  expect((await client.answer()).fields['location']).toEqual(['https://new.test/b']);
  client.write('POST /c HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1000\r\n\r\nbegin');
  expect((await client.answer('POST')).fields['connection']).toEqual(['close']);
  client.write(inside);
  expect((await client.readAll()).length).toBe(0);
});
