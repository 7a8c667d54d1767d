import { describe, expect, test } from 'vitest';
import { Head } from '../../../src/edge/http1/head.ts';
import { CompiledRules, type RuledRequest } from '../../../src/edge/route/compiled-rules.ts';
import { HeaderEdit } from '../../../src/edge/route/header-rules.ts';
import { PasswordVerifier } from '../../../src/edge/route/password-verifier.ts';
import { silentLogger } from '../../../src/model/observe.ts';
import type { HeaderRules } from '../../../src/model/route-rules.ts';
import { EdgeHarness } from '../edge-harness.ts';
import { Origin, ok } from '../wire.ts';
import { basic, cheapHash, routes, rules, serve } from './rules.ts';

/** `Name: value` for each field to set. */
function setting(...fields: string[]): HeaderRules['set'] {
  return fields.map((field) => {
    const colon = field.indexOf(':');
    return { name: field.slice(0, colon), value: field.slice(colon + 1).trim() };
  });
}

describe('fields of requests', () => {
  test('are set in the place of all of their name, and removed, in whatever case they come', async () => {
    const request = { set: setting('x-TeSt: ours', 'X-New: 1'), remove: ['X-Secret'] };
    const { harness, seen } = await serve({ '/': rules({ request }) });
    const client = await harness.connect();
    client.get('/', 'X-Test: a\r\nX-TEST:b\r\nx-secret: s\r\nX-SECRET: t\r\nX-Kept: k\r\nX-Tests: l\r\n');
    await client.answer();
    expect(seen[0]?.fields).toMatchObject({ 'x-test': ['ours'], 'x-new': ['1'], 'x-kept': ['k'], 'x-tests': ['l'] });
    expect(seen[0]?.fields['x-secret']).toBeUndefined();
    expect(seen[0]?.head.match(/^x-test:/gim)).toHaveLength(1);
  });

  test('hold request data where a rule says so', async () => {
    const set = setting('X-All: {client}|{host}|{path}|{query}|{request-id}', 'X-Text: {"a":"{b c}"} {}');
    const { harness, seen } = await serve(
      { '/a': rules({ strip: true, request: { set, remove: [] } }) },
      { trustedProxies: ['127.0.0.0/8'] },
    );
    const client = await harness.connect();
    client.get('/a/b%20c?d=e', 'X-Forwarded-For: 203.0.113.7\r\nX-Request-Id: id-1\r\n', 'App.TEST:8080');
    await client.answer();
    expect(seen[0]?.fields['x-all']).toEqual(['203.0.113.7|app.test|/b%20c|?d=e|id-1']);
    expect(seen[0]?.fields['x-text']).toEqual(['{"a":"{b c}"} {}']);
  });

  test("take the place of the proxy's own, one of each on the wire", async () => {
    const request = { set: setting('x-forwarded-proto: https', 'X-FORWARDED-FOR: hidden'), remove: ['x-real-ip'] };
    const { harness, seen } = await serve({ '/': rules({ request }) });
    const client = await harness.connect();
    client.get('/', 'X-Forwarded-Proto: ftp\r\n');
    await client.answer();
    expect(seen[0]?.fields['x-forwarded-proto']).toEqual(['https']);
    expect(seen[0]?.fields['x-forwarded-for']).toEqual(['hidden']);
    expect(seen[0]?.fields['x-real-ip']).toBeUndefined();
  });

  test('cannot be taken away by naming them in Connection (CVE-2024-45410)', async () => {
    const { harness, seen } = await serve({
      '/': rules({ request: { set: setting('X-User: {client}'), remove: [] } }),
    });
    const client = await harness.connect();
    client.get('/', 'Connection: X-User, close\r\nX-User: admin\r\n');
    await client.answer();
    expect(seen[0]?.fields['x-user']).toEqual(['127.0.0.1']);
  });

  test('cannot be doubled by an alias with underscores (GHSA-5m6w-wvh7-57vm)', async () => {
    const request = { set: setting('X-Auth-User: nobody'), remove: ['X-Internal-Role'] };
    const { harness, seen } = await serve({ '/': rules({ request }) });
    const client = await harness.connect();
    client.get('/', 'X_Auth_User: admin\r\nX-Auth_User: admin\r\nx_internal_role: root\r\n');
    await client.answer();
    expect(seen[0]?.head).not.toMatch(/admin|root/);
    expect(seen[0]?.fields['x-auth-user']).toEqual(['nobody']);
  });

  test('do not come back as trailers', async () => {
    const request = { set: setting('X-User: nobody'), remove: ['X-Role'] };
    const { harness, seen } = await serve({ '/': rules({ request }) });
    const client = await harness.connect();
    const head = 'POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n';
    client.write(`${head}3\r\nabc\r\n0\r\nx-user: admin\r\nX-Sum: 6\r\nx-role: root\r\n\r\n`);
    await client.answer('POST');
    expect([seen[0]?.body.toString(), seen[0]?.trailers]).toEqual(['abc', 'X-Sum: 6\r\n']);
    client.write(head);
    await harness.inFlight(1);
    client.write('3\r\nabc\r\n0\r\nX-User: admin\r\n\r\n');
    await client.answer('POST');
    expect(seen[1]?.trailers).toBe('');
  });

  test('with a password beside them, which is not sent on', async () => {
    const users = [{ name: 'alice', hash: cheapHash('w') }];
    const request = { set: setting('X-User: {host}'), remove: [] };
    const basicAuth = { realm: 'r', users, forward: false };
    const { harness, seen } = await serve({ '/': rules({ request, basicAuth }) });
    const client = await harness.connect();
    client.get('/', basic('alice', 'w'));
    await client.answer();
    expect(seen[0]?.fields['x-user']).toEqual(['app.test']);
    expect(seen[0]?.fields['authorization']).toBeUndefined();
  });

  test('a rule may give the service credentials of its own', async () => {
    const users = [{ name: 'alice', hash: cheapHash('w') }];
    const request = { set: setting('Authorization: Bearer inner'), remove: [] };
    const { harness, seen } = await serve({
      '/': rules({ request, basicAuth: { realm: 'r', users, forward: false } }),
    });
    const client = await harness.connect();
    client.get('/', basic('alice', 'w'));
    await client.answer();
    expect(seen[0]?.fields['authorization']).toEqual(['Bearer inner']);
  });

  test('routes without rules send what came', async () => {
    const { harness, seen } = await serve({ '/': undefined, '/a': rules({ request: { set: [], remove: ['X-A'] } }) });
    const client = await harness.connect();
    for (const path of ['/a', '/']) {
      client.get(path, 'X-A: 1\r\n');
      await client.answer();
    }
    expect(seen.map(({ fields }) => fields['x-a'])).toEqual([undefined, ['1']]);
  });
});

describe('fields of answers', () => {
  const response = {
    set: setting('Strict-Transport-Security: max-age=1', 'X-Path: {path}', 'set-cookie: only=one'),
    remove: ['Server'],
  };

  test("are set and removed in the service's answers", async () => {
    const { harness } = await serve({ '/': rules({ response }) }, {}, {}, () =>
      ok('hi', 'Server: secret/1\r\nSET-COOKIE: a=b\r\nSet-Cookie: c=d\r\nX-Kept: k\r\nServer : twice\r\n'),
    );
    const client = await harness.connect();
    client.get('/p?q');
    const answer = await client.answer();
    expect(answer.fields).toMatchObject({
      'strict-transport-security': ['max-age=1'],
      'x-path': ['/p'],
      'set-cookie': ['only=one'],
      'x-kept': ['k'],
      'content-length': ['2'],
    });
    expect(answer.fields['server']).toBeUndefined();
    expect(answer.text).toBe('hi');
  });

  test("the proxy's own answers are not touched", async () => {
    const { harness } = await serve({ '/': rules({ response, allow: ['10.0.0.0/8'] }) });
    const client = await harness.connect();
    client.get('/');
    const answer = await client.answer();
    expect([answer.status, answer.fields['x-path']]).toEqual([403, undefined]);
  });

  test('interim answers lose what is removed and get nothing; trailers lose it too', async () => {
    const chunked =
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nServer: t\r\nX-Sum: 1\r\n\r\n';
    const hints = 'HTTP/1.1 103 Early Hints\r\nServer: secret/1\r\nLink: </a>\r\n\r\n';
    const { harness } = await serve({ '/': rules({ response }) }, {}, {}, () => hints + chunked);
    const client = await harness.connect();
    client.get('/', 'TE: trailers\r\nConnection: TE\r\n');
    const answer = await client.answer();
    expect(answer.interim).toEqual(['HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n']);
    expect([answer.text, answer.trailers]).toEqual(['hi', 'X-Sum: 1\r\n']);
    expect(answer.fields['x-path']).toEqual(['/']);
  });

  test('the 101 of a tunnel is an answer of the service', async () => {
    const origin = await Origin.listen(async (connection) => {
      await connection.request();
      connection.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\nServer: s\r\n\r\nhi');
    });
    const harness = await EdgeHarness.ready(origin, {}, { routes: routes({ '/': rules({ response }) }) });
    const client = await harness.connect();
    client.get('/ws', 'Connection: Upgrade\r\nUpgrade: x\r\n');
    const answer = await client.answer();
    expect(answer.fields).toMatchObject({ upgrade: ['x'], connection: ['Upgrade'], 'x-path': ['/ws'] });
    expect(answer.fields['server']).toBeUndefined();
    expect((await client.readExactly(2)).toString()).toBe('hi');
  });
});

test('GHSA-6x33-pw7p-hmpq: a long body with a header rule on it arrives whole, and the process lives', async () => {
  const { harness, seen } = await serve({
    '/': rules({ request: { set: setting('X-Powered-By: rules'), remove: [] } }),
  });
  const client = await harness.connect();
  for (const size of [1024, 1025, 70_000]) {
    const body = Buffer.from(Array.from({ length: size }, (_, index) => index % 253));
    client.write(`POST /${size} HTTP/1.1\r\nHost: app.test\r\nContent-Length: ${size}\r\n\r\n`);
    client.write(body);
    expect((await client.answer('POST')).status).toBe(200);
    expect(seen.at(-1)?.body.equals(body)).toBe(true);
    expect(seen.at(-1)?.fields['x-powered-by']).toEqual(['rules']);
  }
});

describe('CVE-2026-1525: one field of a name on the wire', () => {
  test('whatever spellings a rule and a message use', () => {
    const edit = new HeaderEdit({ set: setting('CONTENT-length: 3', 'x-a: 1'), remove: ['content-Type'] });
    const head = 'POST / HTTP/1.1\r\nContent-Length: 5\r\ncontent-length: 5\r\nX-A: 0\r\nCONTENT-TYPE: a\r\n\r\n';
    expect(edit.apply(head, undefined)).toBe('POST / HTTP/1.1\r\nCONTENT-length: 3\r\nx-a: 1\r\n\r\n');
  });

  test('Content-Length in odd cases, with a rule on the route', async () => {
    const { harness, seen } = await serve({ '/': rules({ request: { set: setting('x-length: 1'), remove: [] } }) });
    const client = await harness.connect();
    client.write('POST / HTTP/1.1\r\nHost: app.test\r\ncontent-LENGTH: 005\r\nContent-Length: 5\r\n\r\nhello');
    await client.answer('POST');
    expect(seen[0]?.head.match(/^content-length:.*$/gim)).toEqual(['Content-Length: 5']);
    expect(seen[0]?.body.toString()).toBe('hello');
  });
});

describe('CVE-2022-31150: request data with CR, LF or NUL is not put into a field', () => {
  const withData = rules({ request: { set: setting('X-Path: {path}{query}{host}'), remove: [] } });

  test.each(['/a\rX-Evil: 1', '/a\nX-Evil: 1', '/a\r\nX-Evil: 1', '/a\0b', '/?a\rb', '/é'])(
    'target %j is 400',
    async (target) => {
      const { harness, seen } = await serve({ '/': withData });
      const client = await harness.connect();
      client.get(target);
      expect((await client.answer()).status).toBe(400);
      expect(seen).toEqual([]);
    },
  );

  test('percent-encoded ones stay encoded', async () => {
    const { harness, seen } = await serve({ '/': withData });
    const client = await harness.connect();
    client.get('/%0d%0aX-Evil:%201?%0a%00');
    await client.answer();
    expect(seen[0]?.fields['x-path']).toEqual(['/%0d%0aX-Evil:%201?%0a%00app.test']);
    expect(seen[0]?.fields['x-evil']).toBeUndefined();
  });

  test.each(['host', 'target', 'address', 'requestId'] as const)(
    'even if the parser had let it into the %s',
    (where) => {
      const all = rules({ response: { set: setting('X: {host}{path}{client}{request-id}'), remove: [] } });
      const compiled = new CompiledRules(all, { path: '/' }, new PasswordVerifier(silentLogger));
      const forged = (text: string): RuledRequest => {
        const target = where === 'target' ? `/a${text}` : '/a';
        const host = where === 'host' ? `a${text}` : 'a';
        return {
          address: where === 'address' ? `::1${text}` : '::1',
          requestId: where === 'requestId' ? `i${text}` : 'i',
          client: {
            peer: { trusted: false },
            request: { method: 'GET', head: new Head(), host, target, pathEnd: target.length, hasForwarding: false },
          },
          onPasswordChecked() {},
        };
      };
      for (const text of ['\r\nX-Evil: 1', '\n', '\r', '\0', '\x7f']) {
        expect(compiled.admit(forged(text))).toBe('BAD_REQUEST');
      }
      expect(compiled.admit(forged(''))).toBe('granted');
    },
  );
});
