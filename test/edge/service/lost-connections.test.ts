import { describe, expect, test } from 'vitest';
import { at, EdgeHarness, policy } from '../edge-harness.ts';
import { Origin, type OriginConnection, ok, silent, until } from '../wire.ts';

const ours = { ours: true };

async function kept(h: EdgeHarness, origin: Origin, count = 1): Promise<OriginConnection[]> {
  const clients = await Promise.all(Array.from({ length: count }, () => h.connect()));
  for (const client of clients) client.get('/');
  const upstreams: OriginConnection[] = [];
  for (let i = 0; i < count; i++) {
    const upstream = await origin.connection(i);
    await upstream.head();
    upstreams.push(upstream);
  }
  for (const upstream of upstreams) upstream.write(ok('kept'));
  for (const client of clients) expect((await client.answer()).text).toBe('kept');
  return upstreams;
}

/** An edge whose only connection to a replica of ours closed, and which may dial there again. */
async function trusted(origin: Origin): Promise<EdgeHarness> {
  const h = await EdgeHarness.start();
  h.state({ endpoints: [at(origin, ours)] });
  const [only] = await kept(h, origin);
  only?.end();
  const { endpoint, doubt } = await h.message('suspect');
  h.send({ type: 'trust', service: 'app', endpoint, doubt });
  return h;
}

describe('when the last connection to a replica of ours closes unasked,', () => {
  test('nothing is dialled there before control had a look', async () => {
    const origin = await Origin.listen(silent);
    const h = await EdgeHarness.start();
    h.state({ endpoints: [at(origin, ours)] });
    const [first, second] = await kept(h, origin, 2);
    first?.end();
    await first?.untilOver();
    await h.report();
    expect(h.all('suspect')).toEqual([]);
    second?.end();
    const suspect = await h.message('suspect');
    expect(suspect).toMatchObject({ cause: 'closed', endpoint: `e-${origin.port}`, doubt: 1 });
    const client = await h.connect();
    client.get('/');
    await h.held(1);
    expect(origin.connections).toHaveLength(2);
    h.send({ type: 'trust', service: 'app', endpoint: suspect.endpoint, doubt: suspect.doubt });
    // The look may be outdated by the time of the dial: one more, before a byte is written.
    const third = await origin.connection(2);
    const again = await h.message('suspect', ({ cause }) => cause === 'unproven');
    expect(again.doubt).toBeGreaterThan(suspect.doubt);
    expect(third.available).toBe(0);
    h.send({ type: 'trust', service: 'app', endpoint: suspect.endpoint, doubt: again.doubt });
    await third.head();
    third.write(ok('again'));
    expect((await client.answer()).text).toBe('again');
  });

  test('other replicas are used', async () => {
    const [origin, other] = [await Origin.listen(silent), await Origin.listen()];
    const h = await EdgeHarness.start();
    h.state({ endpoints: [at(origin, ours)] });
    const [only] = await kept(h, origin);
    h.state({ endpoints: [at(origin, ours), at(other, ours)] });
    only?.end();
    await h.message('suspect');
    for (let i = 0; i < 5; i++) {
      const client = await h.connect();
      client.get('/');
      expect((await client.answer()).status).toBe(200);
    }
    expect(origin.connections).toHaveLength(1);
  });

  test('in the middle of a request, the next attempt waits for that look', async () => {
    const origin = await Origin.listen(silent);
    const h = await EdgeHarness.start();
    h.state({ endpoints: [at(origin, ours)] });
    const client = await h.connect();
    client.get('/');
    const upstream = await origin.connection();
    await upstream.head();
    upstream.reset();
    await h.message('suspect');
    await h.held(1);
    expect(origin.connections).toHaveLength(1);
    const other = await Origin.listen();
    h.state({ endpoints: [at(other, ours)] });
    expect((await client.answer()).status).toBe(200);
    expect(origin.connections).toHaveLength(1);
  });

  test('a connection opened after that is used for nothing when the replica turns out to be gone', async () => {
    const origin = await Origin.listen(silent);
    const h = await trusted(origin);
    const client = await h.connect();
    client.write('POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 4\r\n\r\nonce');
    const stranger = await origin.connection(1);
    await h.message('suspect', ({ cause }) => cause === 'unproven');
    const other = await Origin.listen();
    h.state({ endpoints: [at(other, ours)] });
    expect((await client.answer()).status).toBe(200);
    await stranger.untilOver();
    expect(stranger.total).toBe(0);
  });

  test('on another edge, this one is in doubt as well, once, and keeps no idle connection', async () => {
    const origin = await Origin.listen(silent);
    const h = await EdgeHarness.start();
    h.state({ endpoints: [at(origin, ours)] });
    const endpoint = `e-${origin.port}`;
    const [only] = await kept(h, origin);
    h.send({ type: 'doubt', service: 'app', endpoint });
    h.send({ type: 'doubt', service: 'app', endpoint });
    await only?.untilOver();
    await h.message('suspect');
    const client = await h.connect();
    client.get('/');
    await h.held(1);
    expect(h.all('suspect')).toMatchObject([{ cause: 'closed', endpoint, doubt: 1 }]);
    expect(origin.connections).toHaveLength(1);
  });

  test('a second without a word from control is enough: what was last known holds', async () => {
    const origin = await Origin.listen(silent);
    const h = await EdgeHarness.start();
    h.state({ endpoints: [at(origin, ours)] });
    const [only] = await kept(h, origin);
    only?.end();
    await h.message('suspect');
    const client = await h.connect();
    client.get('/');
    await h.held(1);
    h.clock.advance(1001);
    await h.message('suspect', ({ cause }) => cause === 'unproven');
    h.clock.advance(1001);
    (await origin.connection(1)).write(ok('still there'));
    expect((await client.answer()).text).toBe('still there');
  });

  test('trust in answer to an earlier doubt is none', async () => {
    const origin = await Origin.listen(silent);
    const h = await EdgeHarness.start();
    h.state({ endpoints: [at(origin, ours)] });
    const [only] = await kept(h, origin);
    only?.end();
    const { endpoint, doubt } = await h.message('suspect');
    h.send({ type: 'trust', service: 'app', endpoint, doubt: doubt - 1 });
    h.state({ endpoints: [at(origin, ours)], expectedStartMs: 5 });
    const client = await h.connect();
    client.get('/');
    await h.held(1);
    expect(origin.connections).toHaveLength(1);
    h.send({ type: 'trust', service: 'app', endpoint, doubt });
    await origin.connection(1);
  });
});

test('a connection that is closed as announced, or by us, raises no doubt', async () => {
  const origin = await Origin.listen(async (upstream) => {
    await upstream.head();
    upstream.write('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok');
    upstream.end();
  });
  const h = await EdgeHarness.start();
  h.state({ endpoints: [at(origin, ours)] });
  for (let i = 0; i < 3; i++) {
    const client = await h.connect();
    client.get('/');
    expect((await client.answer()).text).toBe('ok');
  }
  const keeping = await Origin.listen();
  h.state({ endpoints: [at(keeping, ours)] });
  const client = await h.connect();
  client.get('/');
  await client.answer();
  await h.pass(6000);
  await until(() => keeping.open === 0, 'no connection');
  expect(h.all('suspect')).toEqual([]);
});

test('of an endpoint that others run control could say nothing: it is dialled as before', async () => {
  const origin = await Origin.listen(silent);
  const h = await EdgeHarness.start(policy({ wakeable: false }));
  h.state({ endpoints: [at(origin)] });
  const [only] = await kept(h, origin);
  only?.end();
  await only?.untilOver();
  const client = await h.connect();
  client.get('/');
  (await origin.connection(1)).write(ok('new'));
  expect((await client.answer()).text).toBe('new');
  expect(h.all('suspect')).toEqual([]);
});

test('after one that closes in use, the next is proven though others are open', async () => {
  const origin = await Origin.listen(silent);
  const h = await EdgeHarness.start();
  h.state({ endpoints: [at(origin, ours)] });
  const clients = [await h.connect(), await h.connect()];
  for (const client of clients) client.get('/');
  const [first, second] = [await origin.connection(0), await origin.connection(1)];
  await first.head();
  await second.head();
  first.reset();
  // Its request is a GET, and is sent again.
  const third = await origin.connection(2);
  const { endpoint, doubt } = await h.message('suspect', ({ cause }) => cause === 'unproven');
  expect(third.available).toBe(0);
  h.send({ type: 'trust', service: 'app', endpoint, doubt });
  await third.head();
  expect(h.all('suspect')).toHaveLength(1);
});

test('where nobody says in time what a connection leads to, the one after it is asked about as well, and waits for nobody', async () => {
  const origin = await Origin.listen(silent);
  const h = await trusted(origin);
  const client = await h.connect();
  client.get('/');
  const second = await origin.connection(1);
  await h.message('suspect', ({ cause }) => cause === 'unproven');
  h.clock.advance(1001);
  await second.head();
  const other = await h.connect();
  other.get('/');
  const third = await origin.connection(2);
  await third.head();
  await until(() => h.all('suspect').filter(({ cause }) => cause === 'unproven').length === 2, 'it is asked again');
});
