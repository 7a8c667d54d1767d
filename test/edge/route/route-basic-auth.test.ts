import { describe, expect, test } from 'vitest';
import { at, policy } from '../edge-harness.ts';
import { occupyThreadPool } from '../thread-pool.ts';
import { basic, cheapHash, routes, rules, serve } from './rules.ts';

const users = [
  { name: 'alice', hash: cheapHash('wonderland') },
  { name: 'bob', hash: cheapHash('pässwörd') },
];
const guarded = rules({ basicAuth: { realm: 'Office', users, forward: false } });

test('without credentials: 401 that says which, with a problem, and nothing reaches the service', async () => {
  const { harness, seen } = await serve({ '/': guarded });
  const client = await harness.connect();
  client.get();
  const answer = await client.answer();
  expect(answer.status).toBe(401);
  expect(answer.fields['www-authenticate']).toEqual(['Basic realm="Office", charset="UTF-8"']);
  expect(answer.fields['proxy-status']).toBeUndefined();
  expect(JSON.parse(answer.text)).toMatchObject({ code: 'UNAUTHORIZED', status: 401 });
  expect(answer.text).not.toMatch(/alice|scrypt/);
  expect(seen).toEqual([]);
});

test('with the right ones the request goes on without them, the first time and the next', async () => {
  const { harness, seen } = await serve({ '/': guarded });
  const client = await harness.connect();
  for (const path of ['/1', '/2']) {
    client.get(path, `${basic('alice', 'wonderland')}X-Other: kept\r\n`);
    expect((await client.answer()).text).toBe(path);
  }
  client.get('/3', basic('bob', 'pässwörd'));
  expect((await client.answer()).text).toBe('/3');
  expect(seen.map(({ fields }) => fields['authorization'])).toEqual([undefined, undefined, undefined]);
  expect(seen[0]?.fields['x-other']).toEqual(['kept']);
});

test('forward: true sends them on', async () => {
  const { harness, seen } = await serve({ '/': rules({ basicAuth: { realm: 'r', users, forward: true } }) });
  const client = await harness.connect();
  client.get('/', basic('alice', 'wonderland'));
  await client.answer();
  expect(seen[0]?.fields['authorization']).toEqual([basic('alice', 'wonderland').slice(15, -2)]);
});

const alice = basic('alice', 'wonderland').slice('Authorization: Basic '.length, -2);

describe('everything else is 401', () => {
  test.each([
    ['a wrong password', basic('alice', 'wonder')],
    ['no password', basic('alice', '')],
    ["another user's password", basic('bob', 'wonderland')],
    ['a user that does not exist', basic('mallory', 'x')],
    ['a user that does not exist, with the password of the first one', basic('mallory', 'wonderland')],
    ['a name in another case', basic('Alice', 'wonderland')],
    ['no user', basic('', 'wonderland')],
    ['no colon', `Authorization: Basic ${Buffer.from('alice').toString('base64')}\r\n`],
    ['no Base64', 'Authorization: Basic ???\r\n'],
    ['the hash in the place of the password', basic('alice', cheapHash('wonderland'))],
    ['another scheme', `Authorization: Bearer ${alice}\r\n`],
    ['nothing in it', 'Authorization:\r\n'],
    ['two fields, the right one first', `${basic('alice', 'wonderland')}${basic('alice', 'x')}`],
    ['two fields, the right one last', `${basic('alice', 'x')}${basic('alice', 'wonderland')}`],
    ['a name of the object behind all objects', basic('__proto__', 'wonderland')],
    ['far too much', `Authorization: Basic ${alice}${'A'.repeat(4000)}\r\n`],
    ['the right ones in another field', `X-Authorization: Basic ${alice}\r\nProxy-Authorization: Basic ${alice}\r\n`],
  ])('%s', async (_name, fields) => {
    const { harness, seen } = await serve({ '/': guarded });
    const client = await harness.connect();
    client.get('/', fields);
    expect((await client.answer()).status).toBe(401);
    expect(seen).toEqual([]);
  });

  test('also after the right password was seen', async () => {
    const { harness } = await serve({ '/': guarded });
    const client = await harness.connect();
    const statuses: number[] = [];
    for (const password of ['wonderland', 'Wonderland', 'wonderland', '']) {
      client.get('/', basic('alice', password));
      statuses.push((await client.answer()).status);
    }
    expect(statuses).toEqual([200, 401, 200, 401]);
  });
});

test('the scheme is compared in any case (RFC 9110 §11.1)', async () => {
  const { harness } = await serve({ '/': guarded });
  const client = await harness.connect();
  client.get('/', `AUTHORIZATION:bAsIc   ${alice}\r\n`);
  expect((await client.answer()).status).toBe(200);
});

test('the password of one route opens no other one', async () => {
  const other = rules({
    basicAuth: { realm: 'r', users: [{ name: 'alice', hash: cheapHash('else') }], forward: false },
  });
  const { harness } = await serve({ '/': guarded, '/other': other });
  const client = await harness.connect();
  const statuses: number[] = [];
  for (const path of ['/', '/other', '/']) {
    client.get(path, basic('alice', 'wonderland'));
    statuses.push((await client.answer()).status);
  }
  expect(statuses).toEqual([200, 401, 200]);
});

describe('while a password is checked', () => {
  test('the body waits, and arrives as it was sent', async () => {
    const { harness, seen } = await serve({ '/': guarded });
    const body = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));
    const client = await harness.connect();
    const head = `POST /upload HTTP/1.1\r\nHost: app.test\r\n${basic('alice', 'wonderland')}Content-Length: ${body.length}\r\n\r\n`;
    client.write(Buffer.concat([Buffer.from(head), body]));
    client.get('/next', basic('alice', 'wonderland'));
    expect((await client.answer('POST')).status).toBe(200);
    expect((await client.answer()).text).toBe('/next');
    expect(seen[0]?.body.equals(body)).toBe(true);
  });

  test('CVE-2025-4366: a body behind a wrong password is not taken for a request', async () => {
    const { harness, seen } = await serve({ '/': guarded, '/open': undefined });
    const inside = 'GET /open/smuggled HTTP/1.1\r\nHost: app.test\r\n\r\n';
    const wrong = basic('alice', 'x');
    const client = await harness.connect();
    client.write(`POST / HTTP/1.1\r\nHost: app.test\r\n${wrong}Content-Length: ${inside.length}\r\n\r\n${inside}`);
    client.get('/open/after');
    expect((await client.answer('POST')).status).toBe(401);
    expect((await client.answer()).text).toBe('/open/after');

    const slow = await harness.connect();
    slow.write(`POST / HTTP/1.1\r\nHost: app.test\r\n${wrong}Transfer-Encoding: chunked\r\n\r\n5\r\nhello`);
    const answer = await slow.answer('POST');
    expect([answer.status, answer.fields['connection']]).toEqual([401, ['close']]);
    slow.write(`\r\n0\r\n\r\n${inside}`);
    expect((await slow.readAll()).toString()).toBe('');
    expect(seen.map(({ line }) => line)).toEqual(['GET /open/after HTTP/1.1']);
  });

  test('clients that leave are forgotten', async () => {
    const { harness, seen } = await serve({ '/': guarded });
    const letGo = occupyThreadPool();
    const clients = await Promise.all(Array.from({ length: 30 }, () => harness.connect()));
    for (const [index, client] of clients.entries()) {
      client.get('/', basic('alice', `guess ${index}`));
      await harness.taken(client);
    }
    for (const client of clients) client.reset();
    await harness.connections(0);
    const last = await harness.connect();
    last.get('/', basic('alice', 'wonderland'));
    await harness.taken(last);
    letGo();
    expect((await last.answer()).status).toBe(200);
    expect(seen).toHaveLength(1);
  });

  test('a reload that takes the route away is heeded', async () => {
    const { harness, seen } = await serve({ '/': guarded });
    const letGo = occupyThreadPool();
    const client = await harness.connect();
    client.get('/', basic('alice', 'wonderland'));
    await harness.taken(client);
    harness.table(policy(), { routes: routes({ '/': rules({ allow: ['10.0.0.0/8'] }) }) });
    await harness.report();
    letGo();
    expect((await client.answer()).status).toBe(403);
    expect(seen).toEqual([]);
  });
});

test('a flood of guesses is bounded, answered, and does not lock out who is known', async () => {
  const heavy = [{ name: 'alice', hash: cheapHash('wonderland', 11, 8) }];
  const { harness, seen } = await serve({ '/': rules({ basicAuth: { realm: 'r', users: heavy, forward: false } }) });
  const known = await harness.connect();
  known.get('/', basic('alice', 'wonderland'));
  expect((await known.answer()).status).toBe(200);
  const clients = await Promise.all(Array.from({ length: 120 }, () => harness.connect()));
  for (const [index, client] of clients.entries()) client.get('/', basic('alice', `guess ${index}`));
  known.get('/', basic('alice', 'wonderland'));
  expect((await known.answer()).status).toBe(200);
  const answers = await Promise.all(clients.map((client) => client.answer()));
  expect(answers.filter(({ status }) => status !== 401 && status !== 503)).toEqual([]);
  for (const { status, fields } of answers) if (status === 503) expect(fields['retry-after']).toEqual(['1']);
  expect(answers.some(({ status }) => status === 401)).toBe(true);
  expect(seen).toHaveLength(2);
});

describe('a sleeping service', () => {
  test('is woken by those who may, after they showed it', async () => {
    const { harness, origin } = await serve({ '/': guarded });
    harness.state({ endpoints: [] });
    const client = await harness.connect();
    client.get('/', basic('alice', 'x'));
    expect((await client.answer()).status).toBe(401);
    expect(harness.all('demand')).toEqual([]);
    client.get('/woken', basic('alice', 'wonderland'));
    await harness.held(1);
    harness.state({ endpoints: [at(origin)] });
    expect((await client.answer()).text).toBe('/woken');
    await harness.pass(50);
  });

  test('tells its progress to those who may see it only', async () => {
    const { harness } = await serve({ '/': guarded });
    harness.state({ endpoints: [] });
    const waiting = await harness.connect();
    waiting.get('/page', basic('alice', 'wonderland'));
    await harness.held(1);
    const client = await harness.connect();
    client.get('/.well-known/pilotlight/wait/page', basic('alice', 'x'));
    const refused = await client.answer();
    expect([refused.status, refused.fields['www-authenticate']?.length]).toEqual([401, 1]);
    client.get('/.well-known/pilotlight/wait/page', basic('alice', 'wonderland'));
    expect(await client.head()).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*text\/event-stream/);
  });
});

test('a password is checked off the event loop: others are served meanwhile', async () => {
  const { harness } = await serve({ '/': undefined, '/office': guarded });
  const [waiting, other] = [await harness.connect(), await harness.connect()];
  const letGo = occupyThreadPool();
  waiting.get('/office', basic('alice', 'wonderland'));
  await harness.taken(waiting);
  for (let i = 0; i < 5; i++) {
    other.get('/');
    expect((await other.answer()).status).toBe(200);
  }
  expect(waiting.total).toBe(0);
  letGo();
  expect((await waiting.answer()).status).toBe(200);
});
