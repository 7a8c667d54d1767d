import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../support/free-port.ts';
import { listenSettings } from '../../support/listen-settings.ts';
import { at, EdgeHarness, policy, state } from '../edge-harness.ts';
import { answering, Client, Origin, ok, quiet, silent, until } from '../wire.ts';

const both = {
  routes: [
    { host: 'app.test', path: '/', service: 'app' },
    { host: 'other.test', path: '/', service: 'other' },
  ],
};

test('a service that stays keeps its queue, connections and endpoints', async () => {
  const origin = await Origin.listen(silent);
  const h = await EdgeHarness.start(policy({ concurrency: 1 }));
  h.state({ endpoints: [at(origin)] });
  const first = await h.connect();
  first.get('/1');
  const upstream = await origin.connection();
  expect(await upstream.head()).toContain('Host: app.test\r\n');
  const second = await h.connect();
  second.get('/2');
  await h.held(1);
  h.table([policy({ concurrency: 1, upstreamHost: 'inner.test' })], {
    states: [state({ endpoints: [at(origin)] })],
  });
  expect(await h.service()).toMatchObject({ inFlight: 1, held: 1 });
  upstream.write(ok('one'));
  expect((await first.answer()).text).toBe('one');
  const head = await upstream.head();
  expect(head).toContain('GET /2 ');
  expect(head).toContain('Host: inner.test\r\n');
  expect(head).toContain('X-Forwarded-Host: app.test\r\n');
  upstream.write(ok('two'));
  expect((await second.answer()).text).toBe('two');
  expect(origin.connections).toHaveLength(1);
});

test('requests on open connections follow the new routes', async () => {
  const app = await Origin.listen(answering(() => ok('app')));
  const other = await Origin.listen(answering(() => ok('other')));
  const states = [state({ endpoints: [at(app)] }), state({ service: 'other', endpoints: [at(other)] })];
  const h = await EdgeHarness.start([policy(), policy({ name: 'other' })], { states });
  const client = await h.connect();
  client.get();
  expect((await client.answer()).text).toBe('app');
  h.table([policy(), policy({ name: 'other' })], {
    routes: [{ host: undefined, path: '/', service: 'other' }],
    states,
  });
  await h.report();
  client.get();
  expect((await client.answer()).text).toBe('other');
  h.table([policy(), policy({ name: 'other' })], { routes: [], states });
  await h.report();
  client.get();
  expect((await client.answer()).status).toBe(404);
});

test('more room in the new configuration lets go who waited for it', async () => {
  const origin = await Origin.listen(silent);
  const h = await EdgeHarness.start(policy({ concurrency: 1 }));
  h.state({ endpoints: [at(origin)] });
  for (const client of [await h.connect(), await h.connect()]) client.get();
  await h.held(1);
  h.table(policy({ concurrency: 2 }), { states: [state({ endpoints: [at(origin)] })] });
  await h.inFlight(2);
  await h.held(0);
});

test('who is held for a service that was removed is turned away, who is in flight ends', async () => {
  const origin = await Origin.listen(silent);
  const h = await EdgeHarness.start([policy({ concurrency: 1 }), policy({ name: 'other' })], both);
  h.state({ endpoints: [at(origin)] });
  const first = await h.connect();
  first.get();
  await h.inFlight(1);
  const second = await h.connect();
  second.get();
  await h.held(1);
  h.table(policy({ name: 'other' }), { routes: both.routes.slice(1) });
  const answer = await second.answer();
  expect(answer.status).toBe(503);
  expect(answer.fields['proxy-status']).toEqual(['pilotlight; error=destination_unavailable']);
  second.get();
  expect((await second.answer()).status).toBe(404);
  const upstream = await origin.connection();
  await upstream.head();
  upstream.write(ok('to the end'));
  expect((await first.answer()).text).toBe('to the end');
  await upstream.untilOver();
});

test('control is told that nobody waits any more when a service is removed, or cannot be started any more', async () => {
  const removed = () => ({ services: [policy({ name: 'other' })], routes: both.routes.slice(1) });
  const kept = () => ({ services: [policy({ wakeable: false }), policy({ name: 'other' })], routes: both.routes });
  for (const next of [removed(), kept()]) {
    const h = await EdgeHarness.start([policy(), policy({ name: 'other' })], both);
    const client = await h.connect();
    client.get();
    await h.held(1);
    h.table(next.services, { routes: next.routes, states: next.services.map(({ name }) => state({ service: name })) });
    expect((await client.answer()).status).toBe(503);
    await h.pass(20);
    await until(() => h.all('demand').at(-1)?.held === 0, 'the demand of nobody');
  }
});

test('a removed service still drains for control, and is gone when it did', async () => {
  const origin = await Origin.listen(silent);
  const h = await EdgeHarness.start([policy(), policy({ name: 'other' })], both);
  h.state({ endpoints: [at(origin)] });
  const client = await h.connect();
  client.get();
  await (await origin.connection()).head();
  const cordoned = state({ endpoints: [at(origin, { state: 'cordoned' })] });
  const version = h.state(cordoned);
  h.table(policy({ name: 'other' }), { routes: both.routes.slice(1), states: [cordoned] });
  expect(await h.message('ack')).toMatchObject({ version, inFlight: 1 });
  h.clock.advance(3000);
  await h.inFlight(1);
  h.state({ endpoints: [at(origin, { state: 'closing' })] });
  expect((await client.answer()).status).toBe(502);
  expect(await h.message('drained')).toMatchObject({ version, service: 'app' });
  await (await origin.connection()).untilOver();
  h.clock.advance(2000);
  expect(await h.service()).toBeUndefined();
});

test('a removed service does not hold a request that would have to be tried again', async () => {
  const origin = await Origin.listen(silent);
  const h = await EdgeHarness.start([policy(), policy({ name: 'other' })], both);
  h.state({ endpoints: [at(origin)] });
  const client = await h.connect();
  client.get();
  const upstream = await origin.connection();
  await upstream.head();
  h.table(policy({ name: 'other' }), { routes: both.routes.slice(1) });
  await h.report();
  upstream.reset();
  expect((await client.answer()).status).toBe(503);
});

test('a service that comes back a moment after it was removed goes on with what it had', async () => {
  const origin = await Origin.listen(silent);
  const h = await EdgeHarness.start([policy(), policy({ name: 'other' })], both);
  h.state({ endpoints: [at(origin)] });
  const client = await h.connect();
  client.get();
  await (await origin.connection()).head();
  h.table(policy({ name: 'other' }), { routes: both.routes.slice(1) });
  await h.report();
  h.table([policy(), policy({ name: 'other' })], { ...both, states: [state({ endpoints: [at(origin)] })] });
  await h.inFlight(1);
  const second = await h.connect();
  second.get();
  await (await origin.connection(1)).head();
  expect((await h.service())?.endpoints).toMatchObject([{ inFlight: 2 }]);
  h.clock.advance(5000);
  await h.inFlight(2);
});

test('whoever watches a removed service start is told that it does not', async () => {
  const h = await EdgeHarness.start([policy(), policy({ name: 'other' })], both);
  h.state({ starting: true });
  const watcher = await h.connect();
  watcher.get('/.well-known/pilotlight/wait/');
  await watcher.readThrough('event: progress');
  h.table(policy({ name: 'other' }), { routes: both.routes.slice(1) });
  expect((await watcher.readAll()).toString()).toContain('event: failed');
  watcher.end();
  await h.connections(0);
});

test('no request is lost or misrouted while tables and states are swapped all the time', async () => {
  const origins = await Promise.all(
    [1, 2, 3].map((name) => Origin.listen(answering((seen) => ok(`${name} ${seen.line}`)))),
  );
  const h = await EdgeHarness.start([policy(), policy({ name: 'other' })], both);
  const endpoints = origins.map((origin) => at(origin));
  const swap = (round: number) => {
    // Every endpoint in turn is gone or cordoned; one is always ready.
    const part = endpoints.flatMap((endpoint, index) => {
      if (index === round % 3) return [];
      if (index === (round + 1) % 3 && round % 2 === 0) return [{ ...endpoint, state: 'cordoned' as const }];
      return [endpoint];
    });
    if (round % 4 === 0)
      h.table([policy(), policy({ name: 'other' })], { ...both, states: [state({ endpoints: part })] });
    else h.state({ endpoints: part });
  };
  swap(0);
  let done = false;
  const swapping = (async () => {
    for (let round = 1; !done; round++) {
      swap(round);
      await quiet(1);
    }
  })();
  const run = async (name: number) => {
    const client = await h.connect();
    for (let index = 0; index < 60; index++) {
      client.get(`/${name}/${index}`);
      const answer = await client.answer();
      expect(answer.status).toBe(200);
      expect(answer.text).toMatch(new RegExp(`^[123] GET /${name}/${index} HTTP/1.1$`));
    }
  };
  try {
    await Promise.all(Array.from({ length: 12 }, (_, name) => run(name)));
  } finally {
    done = true;
    await swapping;
  }
  h.state({ endpoints: [] });
  await until(() => origins.every((origin) => origin.open === 0), 'no upstream connection left');
  expect(await h.codes()).toEqual({ 200: 720 });
});

test('whether forwarding fields are believed follows the configuration, also on connections that are open', async () => {
  const seen = (head: string) => /^X-Forwarded-For: .*$/im.exec(head)?.[0] ?? '';
  const origin = await Origin.listen(answering(({ head }) => ok(seen(head))));
  const h = await EdgeHarness.ready(origin);
  const client = await h.connect();
  const forwarded: string[] = [];
  for (const trustedProxies of [[], ['127.0.0.1'], ['10.0.0.1'], ['127.0.0.0/8']]) {
    h.table(policy(), { trustedProxies, states: [state({ endpoints: [at(origin)] })] });
    client.get('/', 'X-Forwarded-For: 203.0.113.9\r\n');
    forwarded.push((await client.answer()).text);
  }
  expect(forwarded).toEqual([
    'X-Forwarded-For: 127.0.0.1',
    'X-Forwarded-For: 203.0.113.9, 127.0.0.1',
    'X-Forwarded-For: 127.0.0.1',
    'X-Forwarded-For: 203.0.113.9, 127.0.0.1',
  ]);
});

test('another engine takes connections of its own, also to endpoints that are known', async () => {
  const origin = await Origin.listen(answering(() => ok('app')));
  const h = await EdgeHarness.ready(origin);
  const client = await h.connect();
  for (const engine of ['native', 'http-proxy', 'http-proxy', 'native'] as const) {
    h.table(policy({ engine }), { states: [state({ endpoints: [at(origin)] })] });
    client.get();
    expect((await client.answer()).text).toBe('app');
  }
  // The engine of http-proxy keeps none.
  expect(origin.connections.length).toBeGreaterThanOrEqual(3);
  expect(origin.connections[0]?.over).toBe(true);
});

test('the last set of listeners is the one that stays, though one before it takes longer', async () => {
  const h = new EdgeHarness();
  onTestFinished(() => h.close());
  const [one, two] = [await freePort(), await freePort()];
  const at = (port: number) => listenSettings({}, { host: '127.0.0.1', port });
  await Promise.all([h.edge.listen([at(one)]), h.edge.listen([at(one), at(two)]), h.edge.listen([at(two)])]);
  expect(h.edge.sockets).toHaveLength(1);
  await expect(Client.open(one)).rejects.toThrow('ECONNREFUSED');
  (await Client.open(two)).socket.destroy();
  await Promise.all([h.edge.listen([at(one)]), h.edge.listen([])]);
  expect(h.edge.sockets).toEqual([]);
});
