import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CheckGate } from '../../../src/edge/health/check-gate.ts';
import { checked, type HealthState } from '../../../src/edge/health/health-checks.ts';
import type { HealthSettings } from '../../../src/model/balancing.ts';
import { ask, Backend, eventually, served, statusOf } from '../backends.ts';
import { at, EdgeHarness, policy, state } from '../edge-harness.ts';
import { Origin, silent } from '../wire.ts';

const health: HealthSettings = {
  check: { kind: 'http', path: '/healthz', statusMin: 200, statusMax: 399 },
  intervalMs: 5000,
  timeoutMs: 2000,
  rise: 2,
  fall: 3,
};
const changes = { wakeable: false, balance: 'round-robin', health } as const;

/** An edge that checks these, all of them checked once. */
async function world(names: string, change: object = {}, mood: Backend['mood'] = 200) {
  const backends = await Backend.all(names);
  for (const backend of backends) backend.mood = mood;
  const harness = await EdgeHarness.start(policy({ ...changes, ...change }));
  harness.state({ endpoints: backends.map((each) => at(each)) });
  await harness.pass(1200);
  await eventually(() => backends.every(({ checks }) => checks.length > 0)).toBe(true);
  return { backends, harness, first: backends[0] as Backend, second: backends[1] as Backend };
}

/** Lets so many further checks of a backend happen, and their answers arrive. */
async function more(harness: EdgeHarness, backend: Backend, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const before = backend.checks.length;
    for (let steps = 0; backend.checks.length === before; steps++) {
      if (steps > 200) throw new Error('no check came');
      await harness.pass(100);
    }
    await harness.pass(1);
    await harness.service();
  }
}

/** Which endpoints serve, as soon as that is so: an answer to a check may be on its way. */
function serving(harness: EdgeHarness) {
  return eventually(() => served(harness, 6));
}

/** Connections that the other side has not closed. */
function underWay(origin: Origin): number {
  return origin.connections.filter(({ over }) => !over).length;
}

describe('what checks say of an endpoint', () => {
  const outcome = (results: string, settings = { rise: 2, fall: 3 }) => {
    let state: HealthState = { kind: 'unchecked' };
    for (const result of results) state = checked(state, result === '+', settings);
    return state.kind;
  };

  test('is decided by the first alone, then by several in a row', () => {
    expect(outcome('')).toBe('unchecked');
    expect(outcome('+')).toBe('healthy');
    expect(outcome('-')).toBe('unhealthy');
    expect(outcome('+--')).toBe('healthy');
    expect(outcome('+---')).toBe('unhealthy');
    expect(outcome('+--+--')).toBe('healthy');
    expect(outcome('-+')).toBe('unhealthy');
    expect(outcome('-++')).toBe('healthy');
    expect(outcome('-+-+-')).toBe('unhealthy');
  });

  test('changes only by as many in a row as it takes, and always by those', () => {
    const results = fc.array(fc.constantFrom('+', '-'), { minLength: 1, maxLength: 60 });
    const bound = fc.integer({ min: 1, max: 5 });
    fc.assert(
      fc.property(results, bound, bound, (all, rise, fall) => {
        let expected = all[0] === '+';
        let streak = 0;
        for (const result of all.slice(1)) {
          streak = (result === '+') === expected ? 0 : streak + 1;
          if (streak === (expected ? fall : rise)) [expected, streak] = [!expected, 0];
        }
        expect(outcome(all.join(''), { rise, fall })).toBe(expected ? 'healthy' : 'unhealthy');
      }),
    );
  });
});

test('an endpoint that fails three checks gets no requests, until two succeed', async () => {
  const { harness, first } = await world('ab');
  await serving(harness).toBe('ab');
  first.mood = 500;
  await more(harness, first, 2);
  expect(await served(harness, 4)).toBe('ab');
  await more(harness, first, 1);
  await serving(harness).toBe('b');
  first.mood = 200;
  await more(harness, first, 1);
  expect(await served(harness, 4)).toBe('b');
  await more(harness, first, 1);
  await serving(harness).toBe('ab');
});

test('for how long a replica of ours is unhealthy is told as long as it is, though the service is silent', async () => {
  const { backends, harness, first } = await world('ab', { wakeable: true });
  harness.state({ endpoints: backends.map((each) => at(each, { ours: true })) });
  const told = async () => (await harness.service())?.endpoints.map(({ condition }) => condition);
  const toldMs = async () => (await harness.service())?.endpoints[0]?.conditionMs;
  expect(await toldMs()).toBeUndefined();
  first.mood = 500;
  await more(harness, first, 3);
  await eventually(told).toEqual(['unhealthy', undefined]);
  const before = (await toldMs()) as number;
  expect(before).toBeLessThan(1000);
  await harness.pass(15_000, 500);
  expect(await told()).toEqual(['unhealthy', undefined]);
  expect(await toldMs()).toBeCloseTo(before + 15_000, 3);
  first.mood = 200;
  await more(harness, first, 2);
  await eventually(toldMs).toBeUndefined();
});

test('the first check of a new endpoint decides alone', async () => {
  const { harness, first } = await world('ab');
  const bad = await Backend.listen('c', 500);
  harness.state({ endpoints: [at(first), at(bad)] });
  await more(harness, bad, 1);
  await serving(harness).toBe('a');
});

test('checks come with the interval, as a GET of the path for a host, on connections of their own', async () => {
  const { harness, first } = await world('a', { healthHost: 'shop.test' });
  let head = '';
  const times: number[] = [];
  first.origin.script = async (connection) => {
    head = (await connection.head()) ?? '';
    times.push(harness.clock.now());
    first.checks.push('/healthz');
    connection.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
  };
  await more(harness, first, 5);
  const gaps = times.slice(1).map((time, index) => time - (times[index] as number));
  // Up to a tenth early; late by as much as a request and its answer were on their way while time passed.
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(4500);
  expect(Math.max(...gaps)).toBeLessThan(5000 + health.timeoutMs);
  expect(head).toMatch(/^GET \/healthz HTTP\/1\.1\r\nHost: shop\.test\r\nUser-Agent: pilotlight-probe\r\n/);
  // A body without end is not waited for.
  await eventually(() => underWay(first.origin)).toBe(0);
});

test('without a host to ask for it is the address', async () => {
  const { first } = await world('a');
  let host: string | undefined;
  const harness = await EdgeHarness.start(policy(changes));
  first.origin.script = async (connection) => {
    host = (await connection.request())?.fields['host']?.[0];
  };
  harness.state({ endpoints: [at(first)] });
  await harness.pass(1200);
  await eventually(() => host).toBe(`127.0.0.1:${first.port}`);
});

test('an answer that does not come in time is a failure', async () => {
  const { harness, first } = await world('ab', { health: { ...health, fall: 1 } });
  first.mood = 'silent';
  await more(harness, first, 1);
  await harness.pass(1900);
  expect(await ask(await harness.connect(), 1)).toHaveLength(1);
  const before = first.requests;
  await harness.pass(300);
  await serving(harness).toBe('b');
  expect(first.requests - before).toBeLessThanOrEqual(1);
});

test('one that only connects asks nothing and notices a closed port', async () => {
  const [a, b] = (await Backend.all('ab')) as [Backend, Backend];
  const harness = await EdgeHarness.start(
    policy({ ...changes, health: { ...health, check: { kind: 'connect' }, fall: 1 } }),
  );
  harness.state({ endpoints: [at(a), at(b)] });
  await harness.pass(1200);
  await eventually(() => a.origin.connections.length).toBe(1);
  expect(a.checks).toEqual([]);
  await eventually(() => underWay(a.origin)).toBe(0);
  a.origin.close();
  await harness.pass(6000, 100);
  await eventually(() => served(harness, 4)).toBe('b');
  expect(harness.all('suspect')).toEqual([]);
});

describe('where every endpoint is unhealthy', () => {
  test('a service that nobody here starts answers 503, and serves again by itself', async () => {
    const { harness, backends, first } = await world('ab', {}, 500);
    const client = await harness.connect();
    await eventually(() => statusOf(client)).toBe(503);
    client.get();
    const refused = await client.answer();
    expect(refused.fields['retry-after']).toEqual(['1']);
    expect(refused.fields['proxy-status']?.[0]).toContain('error=destination_unavailable');
    const before = backends.map(({ requests }) => requests);
    await ask(client, 3);
    expect(backends.map(({ requests }) => requests)).toEqual(before);
    for (const backend of backends) backend.mood = 200;
    await more(harness, first, 2);
    await eventually(async () => (await ask(client, 1))[0]).toMatch(/^[ab]$/);
  });

  test('who waits there for a slot is answered 503 as well', async () => {
    const { harness, first } = await world('a', { concurrency: 1, health: { ...health, fall: 1 } });
    first.mood = 'silent';
    const [running, waiting] = await Promise.all([harness.connect(), harness.connect()]);
    running.get();
    await eventually(() => first.requests).toBe(1);
    waiting.get();
    await harness.held(1);
    await more(harness, first, 1);
    await harness.pass(2200);
    expect((await waiting.answer()).status).toBe(503);
    await harness.inFlight(1);
  });

  test('requests of a service that is started here wait until one is healthy', async () => {
    const { harness, first } = await world('a', { wakeable: true }, 500);
    await eventually(async () => (await harness.service())?.endpoints[0]?.condition).toBe('unhealthy');
    const client = await harness.connect();
    client.get();
    await harness.held(1);
    first.mood = 200;
    await more(harness, first, 2);
    expect((await client.answer()).text).toBe('a');
  });
});

describe('where every endpoint answers its checks with a status that they do not want', () => {
  test.each([
    ['a service that nobody here starts', false],
    ['one that is started here', true],
  ])('%s is used all the same, and it is said once, with the Host', async (_, wakeable) => {
    const [a, b] = (await Backend.all('ab')) as [Backend, Backend];
    for (const backend of [a, b]) backend.checkMood = 400;
    const harness = await EdgeHarness.start(policy({ ...changes, wakeable, healthHost: 'localhost' }));
    harness.state({ endpoints: [at(a), at(b)] });
    await harness.pass(1200);
    await more(harness, a, 2);
    await serving(harness).toBe('ab');
    expect((await harness.service())?.endpoints.map(({ condition }) => condition)).toEqual(['unhealthy', 'unhealthy']);
    const said = harness.said.filter((line) => line.startsWith('no endpoint passes its checks'));
    expect(said).toHaveLength(1);
    expect(said[0]).toContain('status 400 (to Host: localhost)');
    expect(said[0]).toContain('health.host');
    expect(harness.said.filter((line) => line.startsWith('endpoint is unhealthy now'))).toHaveLength(2);
    // One that passes is better.
    b.checkMood = 200;
    await more(harness, b, 2);
    await serving(harness).toBe('b');
  });

  test('one that says itself that it is ill, or says nothing, is not used', async () => {
    const { harness, first, second } = await world('ab', { health: { ...health, fall: 1 } }, 404);
    await serving(harness).toBe('ab');
    first.checkMood = 503;
    await more(harness, first, 1);
    await serving(harness).toBe('b');
    second.checkMood = 'cut';
    await more(harness, second, 1);
    await eventually(async () => statusOf(await harness.connect())).toBe(503);
    first.checkMood = 404;
    await more(harness, first, 1);
    await serving(harness).toBe('a');
  });

  test('who waits because none was usable goes on', async () => {
    const { harness, first } = await world('a', { wakeable: true }, 500);
    await eventually(async () => (await harness.service())?.endpoints[0]?.condition).toBe('unhealthy');
    const client = await harness.connect();
    client.get();
    await harness.held(1);
    [first.mood, first.checkMood] = [200, 401];
    await more(harness, first, 1);
    expect((await client.answer()).text).toBe('a');
  });
});

test('what is in flight on an unhealthy endpoint goes on', async () => {
  const { harness, first, second } = await world('ab', { health: { ...health, fall: 1 } });
  first.mood = 'silent';
  const clients = await Promise.all([harness.connect(), harness.connect()]);
  for (const client of clients) client.get();
  await eventually(() => [first.requests, second.requests]).toEqual([1, 1]);
  await eventually(() => first.origin.open).toBe(1);
  const connection = first.origin.connections.find(({ closed }) => !closed);
  await more(harness, first, 1);
  await harness.pass(2200);
  await serving(harness).toBe('b');
  connection?.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate');
  const texts = await Promise.all(clients.map(async (client) => (await client.answer()).text));
  expect(texts.sort()).toEqual(['b', 'late']);
});

test('checks are no activity, no requests, and hold no slot', async () => {
  const { harness, first } = await world('a', { concurrency: 1 });
  await harness.pass(30_000, 100);
  expect(first.checks.length).toBeGreaterThan(4);
  expect(await harness.service()).toBeUndefined();
});

test('only what may get requests is checked: nothing that retires, nothing of a service that sleeps', async () => {
  const { harness, first, second } = await world('ab');
  harness.state({ endpoints: [at(first, { state: 'cordoned' })] });
  const before = [first.checks.length, second.checks.length];
  await harness.pass(20_000, 100);
  expect([first.checks.length, second.checks.length]).toEqual(before);
});

test('without checks any more every endpoint is used again', async () => {
  const { harness, backends } = await world('ab', {}, 500);
  const client = await harness.connect();
  await eventually(() => statusOf(client)).toBe(503);
  for (const backend of backends) backend.mood = 200;
  harness.table(policy({ ...changes, health: undefined }));
  expect(await served(harness, 6)).toBe('ab');
  const before = backends.map(({ checks }) => checks.length);
  await harness.pass(10_000, 100);
  expect(backends.map(({ checks }) => checks.length)).toEqual(before);
});

test('many endpoints are not checked at once, and no check is left out', async () => {
  const origin = await Origin.listen(silent);
  const opened: Socket[] = [];
  const onOpened = (message: unknown) => void opened.push((message as { socket: Socket }).socket);
  subscribe('net.client.socket', onOpened);
  onTestFinished(() => void unsubscribe('net.client.socket', onOpened));
  const settings = { ...health, timeoutMs: 500, intervalMs: 60_000 };
  const harness = await EdgeHarness.start(policy({ ...changes, health: settings }));
  const endpoints = Array.from({ length: 200 }, (_, index) => at(origin, { id: `e-${index}` }));
  harness.state({ endpoints });
  let most = 0;
  for (let i = 0; i < 100 && opened.length < 200; i++) {
    await harness.pass(50);
    most = Math.max(most, opened.filter(({ destroyed }) => !destroyed).length);
  }
  expect(opened.length).toBe(200);
  await eventually(() => origin.connections.length).toBe(200);
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(64);
});

test('the gate lets so many in, the others in order, and none that gave up', () => {
  const gate = new CheckGate(2);
  const begun: string[] = [];
  const member = (name: string) => ({ begin: () => void begun.push(name) });
  const [a, b, c, d, e] = [...'abcde'].map(member) as [never, never, never, never, never];
  for (const each of [a, b, c, d, e]) gate.enter(each);
  expect(begun).toEqual(['a', 'b']);
  gate.giveUp(d);
  gate.leave();
  gate.leave();
  expect(begun).toEqual(['a', 'b', 'c', 'e']);
  gate.leave();
  gate.leave();
  gate.enter(d);
  expect(begun.at(-1)).toBe('d');
});

test('checks that are configured otherwise begin anew at once, and do not wait for the interval of before', async () => {
  const hour = 3_600_000;
  const { harness, first } = await world('a', { health: { ...health, intervalMs: hour } }, 500);
  const client = await harness.connect();
  await eventually(() => statusOf(client)).toBe(503);
  const check = { ...health.check, path: '/better' };
  first.mood = 200;
  harness.table(policy({ ...changes, health: { ...health, check, rise: 1 } }), {
    states: [state({ endpoints: [at(first)] })],
  });
  await harness.pass(1200);
  await eventually(() => first.checks.length).toBe(2);
  await serving(harness).toBe('a');
  // The same once more is no news.
  harness.table(policy({ ...changes, health: { ...health, check: { ...check }, rise: 1 } }), {
    states: [state({ endpoints: [at(first)] })],
  });
  await harness.pass(1200);
  await harness.service();
  expect(first.checks).toHaveLength(2);
});
