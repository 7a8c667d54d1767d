import { describe, expect, test } from 'vitest';
import { ask, Backend } from '../backends.ts';
import { at, EdgeHarness, policy } from '../edge-harness.ts';
import { BlackHole, type Client, deadPort, ok, until } from '../wire.ts';

type Change = Parameters<typeof policy>[0];

const generous = { max: 1, budget: 1, idempotent: false };

/** A backend that cuts every request off, one that answers, and an edge that asks them in turn, the first one first. */
async function world(change: Change = {}) {
  const [bad, good] = (await Backend.all('bg')) as [Backend, Backend];
  bad.mood = 'cut';
  const harness = await EdgeHarness.start(
    policy({ wakeable: false, balance: 'round-robin', retries: generous, ...change }),
  );
  // Round-robin begins with the second.
  harness.state({ endpoints: [at(good), at(bad)] });
  return { bad, good, harness, client: await harness.connect() };
}

/** Sends one request with a method, fields and a body. */
function request(method: string, fields = '', body = ''): string {
  const length = body === '' && method !== 'POST' ? '' : `Content-Length: ${body.length}\r\n`;
  return `${method} / HTTP/1.1\r\nHost: app.test\r\n${fields}${length}\r\n${body}`;
}

describe('a request that was cut off before a byte of its answer', () => {
  test.each(['GET', 'HEAD', 'OPTIONS'])('goes to another endpoint: %s', async (method) => {
    const { bad, good, client, harness } = await world();
    client.write(request(method));
    expect((await client.answer(method)).status).toBe(200);
    expect([bad.requests, good.requests]).toEqual([1, 1]);
    expect((await harness.service())?.retries).toBe(1);
  });

  test.each([
    ['POST', ''],
    ['PATCH', ''],
    ['PUT', ''],
    ['DELETE', ''],
    ['POST', 'Idempotency-Key: 7\r\n'],
  ])('is 502 and was seen once where it may have had an effect: %s %s', async (method, fields) => {
    const { bad, good, client } = await world();
    client.write(request(method, fields, 'x'));
    expect((await client.answer(method)).status).toBe(502);
    expect([bad.requests, good.requests]).toEqual([1, 0]);
  });

  test.each([
    ['PUT', ''],
    ['DELETE', ''],
    ['POST', 'Idempotency-Key: 7\r\n'],
  ])('goes to another endpoint where the service says that this is safe: %s %s', async (method, fields) => {
    const { client } = await world({ retries: { ...generous, idempotent: true } });
    client.write(request(method, fields, 'x'));
    expect((await client.answer(method)).status).toBe(200);
  });

  test('and has a body goes with all of it, or not at all', async () => {
    const { good, client } = await world({ retries: { ...generous, idempotent: true } });
    client.write(request('PUT', '', 'y'.repeat(60_000)));
    expect((await client.answer('PUT')).status).toBe(200);
    expect(good.bodies.at(-1)).toBe(60_000);
    const other = await world({ retries: { ...generous, idempotent: true } });
    other.client.write(request('PUT', '', 'y'.repeat(400_000)));
    expect((await other.client.answer('PUT')).status).toBe(502);
    expect(other.good.requests).toBe(0);
  });
});

test('a request of which nothing was written goes to another endpoint whatever its method', async () => {
  const good = await Backend.listen('g');
  const harness = await EdgeHarness.start(policy({ wakeable: false, balance: 'round-robin', retries: generous }));
  harness.state({ endpoints: [at(good), at({ port: await deadPort() })] });
  const client = await harness.connect();
  client.write(request('POST', '', 'an order'));
  expect((await client.answer('POST')).status).toBe(200);
  expect(good.requests).toBe(1);
  expect(harness.all('suspect')).toHaveLength(1);
});

test('an answer that began is not asked for again', async () => {
  const { bad, good, client } = await world();
  bad.origin.script = async (connection) => {
    await connection.request();
    connection.write('HTTP/1.1 200 O');
    connection.reset();
  };
  client.get();
  expect((await client.answer()).status).toBe(502);
  expect(good.requests).toBe(0);
});

test('so many additional attempts are made, each elsewhere while there is an elsewhere', async () => {
  const backends = await Backend.all('abcd');
  for (const backend of backends) backend.mood = 'cut';
  const harness = await EdgeHarness.start(
    policy({ wakeable: false, balance: 'round-robin', retries: { ...generous, max: 3 } }),
  );
  harness.state({ endpoints: backends.map((each) => at(each)) });
  const client = await harness.connect();
  client.get();
  expect((await client.answer()).status).toBe(502);
  expect(backends.map(({ requests }) => requests)).toEqual([1, 1, 1, 1]);
});

test('attempts beyond the budget are not made', async () => {
  const { bad, good, client } = await world({ retries: { max: 1, budget: 0.1 } });
  const answers: number[] = [];
  for (let i = 0; i < 20; i++) {
    client.get();
    answers.push((await client.answer()).status);
  }
  // Ten at the bad one, three of which went on; the turn passes when one does.
  expect(answers.filter((status) => status === 502).length).toBe(bad.requests - 3);
  expect(good.requests).toBe(answers.filter((status) => status === 200).length);
});

test('the race on a connection that was used before costs no attempt and no budget', async () => {
  const { bad, good, client, harness } = await world({ retries: { max: 0 } });
  bad.origin.script = async (connection) => {
    await connection.request();
    connection.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb');
    if ((await connection.request()) !== undefined) connection.reset();
  };
  const bodies = await ask(client, 20);
  expect(bodies.length).toBe(20);
  expect(bodies).toContain('b');
  expect(good.requests).toBeGreaterThan(0);
  expect((await harness.service())?.retries).toBe(0);
});

test('after such a race the next connection is a new one: the other kept ones may be closed as well', async () => {
  const backend = await Backend.listen('g');
  const harness = await EdgeHarness.start(policy({ wakeable: false, retries: { max: 0 } }));
  harness.state({ endpoints: [at(backend)] });
  const clients = await Promise.all([1, 2, 3].map(() => harness.connect()));
  let waiting = 0;
  let cut = 0;
  backend.origin.script = async (connection) => {
    await connection.request();
    waiting++;
    await until(() => waiting >= 3, 'all three at once');
    connection.write(ok('g'));
    if ((await connection.request()) === undefined) return;
    cut++;
    connection.reset();
  };
  for (const client of clients) client.get();
  for (const client of clients) expect((await client.answer()).status).toBe(200);
  const [client] = clients as [Client];
  client.get();
  expect((await client.answer()).status).toBe(200);
  expect([cut, backend.origin.connections.length]).toEqual([1, 4]);
});

test('who is refused by the only replica after that cut it off waits for the next one', async () => {
  const [dying, next] = (await Backend.all('dn')) as [Backend, Backend];
  const harness = await EdgeHarness.start(policy({ retries: { max: 1 } }));
  harness.state({ endpoints: [at(dying)] });
  const client = await harness.connect();
  dying.origin.script = async (connection) => {
    await connection.request();
    dying.origin.close();
  };
  client.get();
  await harness.message('suspect');
  await harness.held(1);
  harness.state({ endpoints: [at(next)] });
  expect((await client.answer()).text).toBe('n');
  expect(harness.accessed).toMatchObject([{ status: 200, retries: 2 }]);
  expect(await harness.sum('retries')).toBe(2);
});

test('with ejection clients notice five failures at most, and none where they may be repeated', async () => {
  const outlier = { consecutive: 5, intervalMs: 10_000, ejectMs: 30_000, maxEjectMs: 300_000, maxShare: 0.5 };
  const { bad, client } = await world({ outlier });
  for (const body of await ask(client, 30)) expect(body).toBe('g');
  expect(bad.requests).toBe(5);
  const other = await world({ outlier });
  const answers: number[] = [];
  for (let i = 0; i < 30; i++) {
    other.client.write(request('POST', '', 'x'));
    answers.push((await other.client.answer('POST')).status);
  }
  expect(answers.filter((status) => status === 502)).toHaveLength(5);
});

describe('what was being sent to an endpoint that turns out to be dead, and of which nothing was written', () => {
  const budgeted = { max: 1, budget: 0.1, idempotent: false };

  test('goes elsewhere at the first refused connect, outside of the budget: a burst is no flood of retries', async () => {
    const good = await Backend.listen('g');
    const harness = await EdgeHarness.start(policy({ wakeable: false, balance: 'round-robin', retries: budgeted }));
    harness.state({ endpoints: [at(good), at({ port: await deadPort() })] });
    const clients = await Promise.all(Array.from({ length: 40 }, () => harness.connect()));
    for (const client of clients) client.write(request('POST', '', 'an order'));
    for (const client of clients) expect((await client.answer('POST')).status).toBe(200);
    expect(good.requests).toBe(40);
    expect(harness.all('suspect')).toHaveLength(1);
  });

  test('goes elsewhere when control lists it no more, without waiting for the connect to fail', async () => {
    const [hole, good] = [await BlackHole.open(), await Backend.listen('g')];
    const harness = await EdgeHarness.start(policy({ retries: { max: 0 } }));
    harness.state({ endpoints: [at(hole)] });
    const clients = await Promise.all(Array.from({ length: 5 }, () => harness.connect()));
    for (const client of clients) client.write(request('POST', '', 'an order'));
    for (const client of clients) await harness.taken(client);
    harness.state({ endpoints: [at(good)] });
    for (const client of clients) expect((await client.answer('POST')).text).toBe('g');
  });

  test('waits for the next start where it was the last endpoint', async () => {
    const [hole, good] = [await BlackHole.open(), await Backend.listen('g')];
    const harness = await EdgeHarness.start(policy({ retries: { max: 0 } }));
    harness.state({ endpoints: [at(hole)] });
    const client = await harness.connect();
    client.get();
    await harness.taken(client);
    harness.state({ endpoints: [] });
    await harness.held(1);
    harness.state({ endpoints: [at(good)] });
    expect((await client.answer()).text).toBe('g');
  });

  test('moves once: endpoints that die one after the other are no endless journey', async () => {
    const [first, second, good] = [await BlackHole.open(), await BlackHole.open(), await Backend.listen('g')];
    const harness = await EdgeHarness.start(policy({ wakeable: false, retries: { max: 0 } }));
    harness.state({ endpoints: [at(first)] });
    const client = await harness.connect();
    client.get();
    await harness.taken(client);
    harness.state({ endpoints: [at(second)] });
    harness.state({ endpoints: [at(good)] });
    harness.clock.advance(2_000);
    expect((await client.answer()).status).toBe(504);
    expect(good.requests).toBe(0);
  });
});
