import { describe, expect, test } from 'vitest';
import { Backend } from '../backends.ts';
import { at, EdgeHarness, policy, state } from '../edge-harness.ts';
import { answering, ok, until } from '../wire.ts';

const DRAIN_MS = 30_000;

/** Backends that say nothing yet, asked in turn, and an edge before them. */
async function world(names: string, change: Parameters<typeof policy>[0] = {}) {
  const backends = await Backend.all(names);
  for (const backend of backends) backend.mood = 'silent';
  const retries = { max: 1, budget: 1, idempotent: false };
  const harness = await EdgeHarness.start(policy({ balance: 'round-robin', retries, ...change }));
  harness.state({ endpoints: backends.map((each) => at(each)) });
  return { backends, harness };
}

/** Sends a request and waits until a backend has it. @returns who sent it, and the backend */
async function asked({ backends, harness }: Awaited<ReturnType<typeof world>>) {
  const before = backends.map(({ requests }) => requests);
  const client = await harness.connect();
  client.get();
  const changed = () => backends.find(({ requests }, index) => requests > (before[index] as number));
  await until(() => changed() !== undefined, 'the request at a backend');
  return { client, backend: changed() as Backend };
}

/** Begins a drain; `over` passes the time that it needs, once all is answered. */
function drain(harness: EdgeHarness) {
  const drained = harness.edge.drain(DRAIN_MS);
  return async () => {
    await harness.connections(0);
    await harness.pass(100);
    await drained;
  };
}

async function cut(backend: Backend): Promise<void> {
  (await backend.origin.connection()).reset();
}

describe('while the proxy drains', () => {
  test('a failed attempt goes to another endpoint as ever', async () => {
    const { backends, harness } = await world('ab');
    const { client, backend } = await asked({ backends, harness });
    for (const other of backends) if (other !== backend) other.mood = 200;
    const over = drain(harness);
    await cut(backend);
    const answer = await client.answer();
    expect(answer.status).toBe(200);
    expect(answer.fields['connection']).toEqual(['close']);
    expect(await client.untilOver()).toBe('end');
    client.destroy();
    await over();
  });

  test('a failed attempt waits for a slot where all are taken', async () => {
    const { backends, harness } = await world('ab', { concurrency: 1 });
    const [first, second] = [await asked({ backends, harness }), await asked({ backends, harness })];
    const waiting = await harness.connect();
    waiting.get();
    await harness.held(1);
    for (const backend of backends) backend.mood = 200;
    const over = drain(harness);
    await cut(first.backend);
    expect((await first.client.answer()).status).toBe(200);
    expect((await waiting.answer()).status).toBe(200);
    await cut(second.backend);
    expect((await second.client.answer()).status).toBe(200);
    for (const client of [first.client, second.client, waiting]) client.destroy();
    await over();
  });

  test('a failed attempt causes no start: with nobody to go to it is told at once to come again', async () => {
    const { backends, harness } = await world('a');
    const { client, backend } = await asked({ backends, harness });
    harness.state({ endpoints: backends.map((each) => at(each, { state: 'cordoned' })) });
    const over = drain(harness);
    await cut(backend);
    const answer = await client.answer();
    expect(answer.status).toBe(503);
    expect(Number(answer.fields['retry-after']?.[0])).toBeGreaterThan(0);
    client.destroy();
    await over();
  });

  test('once the control plane is gone, what waits for a start is told at once to come again, the rest goes on', async () => {
    const { backends, harness } = await world('a');
    const { client, backend } = await asked({ backends, harness });
    harness.state({ endpoints: backends.map((each) => at(each, { state: 'cordoned' })) });
    const waiting = await harness.connect();
    waiting.get();
    await harness.held(1);
    let drained = false;
    void harness.edge.drain(DRAIN_MS).then(() => {
      drained = true;
    });
    harness.link.close();
    const refused = await waiting.answer();
    expect(refused.status).toBe(503);
    expect(Number(refused.fields['retry-after']?.[0])).toBeGreaterThan(0);
    (await backend.origin.connection()).write(ok('late'));
    expect((await client.answer()).text).toBe('late');
    for (const each of [client, waiting]) each.destroy();
    while (!drained) await harness.pass(50);
  });

  test('a connection whose client has still to take its last answer is closed behind that', async () => {
    const { backends, harness } = await world('a');
    const page = 'x'.repeat(20_000);
    for (const { origin } of backends) origin.script = answering(() => ok(page));
    const client = await harness.connect();
    client.pause();
    let asked = 0;
    while (harness.waiting(client) < 16 * 1024) {
      client.get();
      asked++;
      await until(() => harness.accessed.length === asked, 'the end of the request');
    }
    const over = drain(harness);
    client.resume();
    for (; asked > 0; asked--) expect((await client.answer()).text).toBe(page);
    expect(await client.untilOver()).toBe('end');
    client.destroy();
    await over();
  });

  test('what may have had an effect is not sent again', async () => {
    const { backends, harness } = await world('ab');
    const client = await harness.connect();
    client.write('POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1\r\n\r\nx');
    await until(() => backends.some(({ requests }) => requests > 0), 'the request at a backend');
    const over = drain(harness);
    await cut(backends.find(({ requests }) => requests > 0) as Backend);
    expect((await client.answer('POST')).status).toBe(502);
    expect(backends.reduce((sum, { requests }) => sum + requests, 0)).toBe(1);
    client.destroy();
    await over();
  });
});

describe('each service drains by its own limit', () => {
  const routes = ['quick', 'slow', 'asleep'].map((name) => ({ host: `${name}.test`, path: '/', service: name }));
  const policies = [
    policy({ name: 'quick', timeouts: { drainMs: 5000 } }),
    policy({ name: 'slow', timeouts: { drainMs: 30_000 } }),
    policy({ name: 'asleep', timeouts: { drainMs: 5000 } }),
  ];

  async function threeServices() {
    const backends = await Backend.all('ab');
    for (const backend of backends) backend.mood = 'silent';
    const [quick, slow] = backends as [Backend, Backend];
    const harness = await EdgeHarness.start(policies, {
      routes,
      states: [
        state({ service: 'quick', endpoints: [at(quick)] }),
        state({ service: 'slow', endpoints: [at(slow)] }),
        state({ service: 'asleep', holdTimeoutMs: 20_000 }),
      ],
    });
    const ask = async (host: string) => {
      const client = await harness.connect();
      client.write(`GET / HTTP/1.1\r\nHost: ${host}.test\r\n\r\n`);
      return client;
    };
    return { harness, ask, quick, slow };
  }

  test('what waits for it and what is with it is told so then, other services go on', async () => {
    const { harness, ask, slow } = await threeServices();
    const [ofQuick, ofSlow, held] = [await ask('quick'), await ask('slow'), await ask('asleep')];
    await harness.inFlight(1, 'quick');
    await harness.inFlight(1, 'slow');
    await harness.held(1, 'asleep');
    let drained = false;
    void harness.edge.drain(DRAIN_MS).then(() => {
      drained = true;
    });
    await harness.pass(4900, 100);
    expect([ofQuick.total, held.total]).toEqual([0, 0]);
    await harness.pass(200);
    const refused = await held.answer();
    expect([refused.status, JSON.parse(refused.text).code]).toEqual([503, 'DRAINING']);
    const cut = await ofQuick.answer();
    expect([cut.status, JSON.parse(cut.text).code, JSON.parse(cut.text).retrySafe]).toEqual([503, 'DRAIN_OVER', false]);
    await harness.pass(20_000, 500);
    expect(drained).toBe(false);
    (await slow.origin.connection()).write(ok('late'));
    expect((await ofSlow.answer()).text).toBe('late');
    for (const client of [ofQuick, ofSlow, held]) client.destroy();
    while (!drained) await harness.pass(50);
  });

  test('a tunnel is closed in order, an answer that has begun is cut', async () => {
    const { harness, ask, quick } = await threeServices();
    const socket = await harness.connect();
    socket.get('/', 'Connection: upgrade\r\nUpgrade: websocket\r\n', 'quick.test');
    const first = await quick.origin.connection();
    first.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n');
    expect(await socket.head()).toContain('101');
    const stream = await ask('quick');
    const second = await quick.origin.connection(1);
    second.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\n');
    const drained = harness.edge.drain(DRAIN_MS);
    await harness.pass(4900, 100);
    expect([socket.over, stream.over]).toEqual([false, false]);
    await harness.pass(200);
    // A WebSocket is told first: Close, 1001 "going away".
    expect([...(await socket.readAll())]).toEqual([0x88, 0x02, 0x03, 0xe9]);
    expect(socket.ending).toBe('end');
    expect((await stream.answer()).complete).toBe(false);
    for (const client of [socket, stream]) client.destroy();
    await harness.connections(0);
    await harness.pass(100);
    await drained;
  });

  test('what came while a successor takes over has its time from then on', async () => {
    const { harness, ask, quick } = await threeServices();
    const idle = await harness.connect();
    const early = await ask('quick');
    await harness.inFlight(1, 'quick');
    let drained = false;
    void harness.edge.drain(DRAIN_MS, true).then(() => {
      drained = true;
    });
    await harness.pass(4000, 200);
    idle.get('/', '', 'quick.test');
    await harness.inFlight(2, 'quick');
    await harness.pass(1100, 100);
    expect((await early.answer()).status).toBe(503);
    expect(idle.total).toBe(0);
    (await quick.origin.connection(1)).write(ok('late'));
    expect((await idle.answer()).text).toBe('late');
    for (const client of [early, idle]) client.destroy();
    while (!drained) await harness.pass(50);
  });

  test('one that leaves the configuration too', async () => {
    const { harness, ask, slow } = await threeServices();
    const [ofQuick, ofSlow] = [await ask('quick'), await ask('slow')];
    await harness.inFlight(1, 'quick');
    await harness.inFlight(1, 'slow');
    harness.table(policies.slice(1), { routes: routes.slice(1) });
    await harness.pass(4000, 200);
    expect(ofQuick.total).toBe(0);
    await harness.pass(2000, 200);
    expect((await ofQuick.answer()).status).toBe(503);
    (await slow.origin.connection()).write(ok('late'));
    expect((await ofSlow.answer()).text).toBe('late');
  });
});
