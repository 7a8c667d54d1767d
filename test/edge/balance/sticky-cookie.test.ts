import { describe, expect, test } from 'vitest';
import { ask, Backend, served } from '../backends.ts';
import { at, EdgeHarness, policy } from '../edge-harness.ts';
import { type Client, ok } from '../wire.ts';

const rules = (change: object = {}) =>
  policy({ wakeable: false, sticky: { cookie: 'replica', ttlMs: 0 }, stickyKey: 'a key', ...change });

async function world(names = 'abcd', change: object = {}) {
  const backends = await Backend.all(names);
  const harness = await EdgeHarness.start(rules(change));
  harness.state({ endpoints: backends.map((each) => at(each)) });
  return { backends, harness, client: await harness.connect() };
}

/** One request; which backend answered, the Set-Cookie field, and the cookie to send next. */
async function visit(client: Client, cookie = '', fields = '') {
  client.get('/', `${cookie === '' ? '' : `Cookie: ${cookie}\r\n`}${fields}`);
  const { text, fields: answered } = await client.answer();
  const set = answered['set-cookie']?.[0];
  return { by: text, set, cookie: set?.split(';')[0] ?? cookie };
}

/** Which backend it is of. */
function named(backends: readonly Backend[], name: string): Backend {
  return backends.find((each) => each.name === name) as Backend;
}

test('a first answer sets a cookie, and whoever sends it comes back to the same endpoint', async () => {
  const { client, harness } = await world();
  const first = await visit(client);
  expect(first.set).toMatch(/^replica=[A-Za-z0-9_-]{21}; Path=\/; HttpOnly; SameSite=Lax$/);
  for (let i = 0; i < 20; i++) {
    const again = await visit(client, first.cookie);
    expect([again.by, again.set]).toEqual([first.by, undefined]);
  }
  expect(await served(harness, 10, `Cookie: theme=dark; ${first.cookie}\r\n`)).toBe(first.by);
});

test('without a cookie clients are spread as ever', async () => {
  const { harness } = await world();
  // At random: with 200 requests one of four is left out once in 10²⁴ times.
  expect(await served(harness, 200)).toBe('abcd');
});

test('a cookie that the proxy never made, or made under another key, is replaced', async () => {
  const { client } = await world();
  expect((await visit(client, 'replica=127.0.0.1:80')).set).toBeDefined();
  const other = await world('abcd', { stickyKey: 'another key' });
  const foreign = (await visit(other.client)).cookie;
  expect((await visit(client, foreign)).set).toBeDefined();
});

test('a cookie says nothing: no address in it, and another one for the same endpoint of another service', async () => {
  const [a] = (await Backend.all('a')) as [Backend];
  const cookies: string[] = [];
  for (const change of [{}, { stickyKey: 'another key' }, { name: 'blog' }]) {
    const harness = await EdgeHarness.start(rules(change));
    harness.state({ service: 'name' in change ? change.name : 'app', endpoints: [at(a)] });
    cookies.push((await visit(await harness.connect())).cookie);
  }
  expect(new Set(cookies).size).toBe(3);
  for (const cookie of cookies) expect(Buffer.from(cookie.slice(8), 'base64url').toString()).not.toContain('127.0.0');
});

test('it means the same after a restart of the proxy, and of a replica at its address', async () => {
  const { backends, client } = await world();
  const { by, cookie } = await visit(client);
  const harness = await EdgeHarness.start(rules());
  harness.state({ endpoints: backends.map((each) => at(each, { id: `new-${each.port}` })) });
  const again = await visit(await harness.connect(), cookie);
  expect([again.by, again.set]).toEqual([by, undefined]);
});

test('a lifetime is told in whole seconds', async () => {
  const { client } = await world('a', { sticky: { cookie: 'r', ttlMs: 3_600_500 } });
  expect((await visit(client)).set).toMatch(/^r=.*; Max-Age=3601; HttpOnly/);
});

test('it is Secure where a trusted proxy says that the client came by TLS', async () => {
  const { harness, client, backends } = await world('a');
  const https = 'X-Forwarded-Proto: https\r\n';
  expect((await visit(client, '', https)).set).not.toContain('Secure');
  harness.table(rules(), { trustedProxies: ['127.0.0.1'] });
  harness.state({ endpoints: backends.map((each) => at(each)) });
  const behind = await harness.connect();
  expect((await visit(behind, '', https)).set).toMatch(/; Secure$/);
  expect((await visit(behind)).set).not.toContain('Secure');
});

test('an upgrade gets it too', async () => {
  const { backends, client } = await world('a');
  const [a] = backends as [Backend];
  a.origin.script = async (connection) => {
    await connection.head();
    connection.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  };
  client.get('/', 'Connection: Upgrade\r\nUpgrade: websocket\r\n');
  const answer = await client.answer();
  expect(answer.status).toBe(101);
  expect(answer.fields['set-cookie']?.[0]).toMatch(/^replica=/);
});

describe('another endpoint serves, and the cookie is written anew, where its endpoint', () => {
  async function afterwards(change: (harness: EdgeHarness, backend: Backend, all: Backend[]) => void | Promise<void>) {
    const { backends, harness, client } = await world();
    const first = await visit(client);
    await change(harness, named(backends, first.by), backends);
    const next = await visit(client, first.cookie);
    expect(next.by).not.toBe(first.by);
    expect(next.set).toMatch(/^replica=/);
    expect(next.cookie).not.toBe(first.cookie);
    const third = await visit(client, next.cookie);
    expect([third.by, third.set]).toEqual([next.by, undefined]);
  }

  test('is gone', () =>
    afterwards((harness, gone, all) => {
      harness.state({ endpoints: all.filter((each) => each !== gone).map((each) => at(each)) });
    }));

  test('is cordoned', () =>
    afterwards((harness, one, all) => {
      const state = (each: Backend) => (each === one ? 'cordoned' : 'ready');
      harness.state({ endpoints: all.map((each) => at(each, { state: state(each) })) });
    }));

  test('became a backup', () =>
    afterwards((harness, one, all) => {
      harness.state({ endpoints: all.map((each) => at(each, { backup: each === one })) });
    }));

  test('refuses connections', () =>
    afterwards((_, one) => {
      one.origin.close();
    }));
});

test('while its endpoint is full another one serves, and the cookie stays', async () => {
  const { backends, harness, client } = await world();
  harness.table(rules({ concurrency: 1 }));
  harness.state({ endpoints: backends.map((each) => at(each)) });
  const first = await visit(client);
  const busy = named(backends, first.by);
  busy.mood = 'silent';
  const waiting = await harness.connect();
  waiting.get('/', `Cookie: ${first.cookie}\r\n`);
  await harness.inFlight(1);
  const meanwhile = await visit(client, first.cookie);
  expect(meanwhile.by).not.toBe(first.by);
  expect(meanwhile.set).toBeUndefined();
  busy.mood = 200;
  waiting.reset();
  await harness.inFlight(0);
  expect((await visit(client, first.cookie)).by).toBe(first.by);
});

test('a client is not sent elsewhere because the connection to its endpoint was idle too long', async () => {
  const { backends, harness, client } = await world('ab');
  for (const { name, origin } of backends) {
    origin.script = async (connection) => {
      await connection.request();
      connection.write(ok(name));
      // Another one on the same connection is cut off unanswered, as if the close had been under way.
      if ((await connection.request()) !== undefined) connection.reset();
    };
  }
  const { by, cookie } = await visit(client);
  for (let i = 0; i < 6; i++) {
    const again = await visit(client, cookie);
    expect([again.by, again.set]).toEqual([by, undefined]);
  }
  const own = named(backends, by);
  expect(own.origin.connections.length).toBe(7);
  expect((await harness.service())?.retries).toBe(0);
});

test('a service without the option sets none', async () => {
  const { client } = await world('a', { sticky: undefined });
  expect((await visit(client)).set).toBeUndefined();
  expect(await ask(client, 1, 'Cookie: replica=x\r\n')).toEqual(['a']);
});
