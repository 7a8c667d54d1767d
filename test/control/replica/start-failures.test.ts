import { expect, test } from 'vitest';
import { PilotlightError } from '../../../src/model/errors.ts';
import type { Instance } from '../../../src/model/runtime.ts';
import type { ProcessRun } from '../../../src/runtime/process/settings.ts';
import { FakeSource } from '../support/fake-discovery.ts';
import { testService, testSettings } from '../support/settings.ts';
import { World } from '../support/world.ts';

const crashing = { readyMs: 'never', exitAfterMs: 100 } as const;

test('why the last start failed is in the status until a start succeeds', async () => {
  const world = await World.started([testService('hello')]);
  Object.assign(world.runtime.behaviour, crashing);
  world.runtime.output = async () => ['\u001b[31mError: no database\u001b[0m'];
  world.edge.request('hello');
  await world.run(500);
  const { state, startFailure } = await world.status('hello');
  expect(state).toBe('failing');
  expect(startFailure).toMatchObject({
    replica: 'hello-1',
    code: 'REPLICA_EXITED',
    message: 'it ended before it was ready (exit code 1)',
    exitCode: 1,
    output: ['Error: no database'],
    inARow: 1,
  });
  expect(Date.parse(startFailure?.nextTryAt ?? '')).toBeGreaterThan(world.clock.wall());
  // Nothing of it is for clients.
  expect(JSON.stringify(world.edge.messages)).not.toContain('database');

  await world.run(2000);
  expect((await world.status('hello')).startFailure).toMatchObject({ inARow: 1, nextTryAt: null });
  Object.assign(world.runtime.behaviour, { readyMs: 50, exitAfterMs: undefined });
  world.edge.request('hello');
  await world.run(1000);
  expect(await world.status('hello')).toMatchObject({ state: 'ready', startFailure: null });
});

test('the last answer to a probe, and where it was asked, are part of the reason', async () => {
  const world = await World.started([testService('hello')]);
  Object.assign(world.runtime.behaviour, { readyMs: 'never' });
  world.edge.request('hello');
  await world.run(300);
  const probe = world.edge.messages.findLast(({ type }) => type === 'probe') as { probe: string };
  world.edge.say({ type: 'probing', probe: probe.probe, host: '127.0.0.1', result: 'status 500' });
  await world.run(61_000);
  const { startFailure } = await world.status('hello');
  expect(startFailure?.probe).toEqual({ address: '127.0.0.1:10001', result: 'status 500' });
  expect(startFailure?.message).toBe('not ready within 1m; the last probe of 127.0.0.1:10001 ended with: status 500');
  expect(world.events.find(({ type }) => type === 'start-failed')?.data).toMatchObject({
    code: 'READY_TIMEOUT',
    probe: '127.0.0.1:10001: status 500',
  });
});

test.each([
  [
    { outOfMemory: 'yes' },
    137,
    'OUT_OF_MEMORY',
    'it ended before it was ready: out of memory (exit code 137, SIGKILL)',
  ],
  [
    { outOfMemory: 'perhaps' },
    137,
    'REPLICA_EXITED',
    'it ended before it was ready (exit code 137, SIGKILL), perhaps for want of memory',
  ],
  [{}, 127, 'COMMAND_NOT_FOUND', 'it ended before it was ready: its command was not found (exit code 127)'],
  [{}, 126, 'COMMAND_NOT_FOUND', 'it ended before it was ready: its command is not executable (exit code 126)'],
] as [Partial<Instance>, number, string, string][])(
  'an end of %j with code %i is %s',
  async (ending, exitCode, code, text) => {
    const world = await World.started([testService('hello')]);
    world.runtime.behaviour.readyMs = 'never';
    const request = world.edge.request('hello');
    await world.run(300);
    world.runtime.exit('hello-1', undefined, exitCode, false, ending);
    await world.run(100);
    expect(request.outcome).toBe('failed');
    expect(world.runtime.stops).toBe(0);
    expect((await world.status('hello')).startFailure).toMatchObject({ code, message: text, exitCode });
  },
);

test('values of the environment are not shown, whatever the app says of them', async () => {
  const env = { DATABASE_URL: 'postgres://u:s3cret-word@db/shop', MODE: 'dev', KEY: 'line-one-of-it\nline-two-of-it' };
  const run: ProcessRun = {
    runtime: 'process',
    kind: 'process',
    command: ['app'],
    cwd: '/',
    env,
    stop: { signal: 'SIGTERM', graceMs: 1000 },
  };
  const world = await World.started([testService('hello', { run })]);
  Object.assign(world.runtime.behaviour, crashing);
  world.runtime.output = async () => ['no postgres://u:s3cret-word@db/shop in dev', 'line-two-of-it'];
  world.edge.request('hello');
  await world.run(500);
  expect((await world.status('hello')).startFailure?.output).toEqual(['no $DATABASE_URL in dev', '$KEY']);
});

test('a runtime that does not say what a replica wrote does not keep the rest from being told', async () => {
  const world = await World.started([testService('hello')]);
  Object.assign(world.runtime.behaviour, crashing);
  world.runtime.output = () => new Promise(() => {});
  const request = world.edge.request('hello');
  await world.run(350);
  expect(request.outcome).toBe('failed');
  await world.run(800);
  expect(world.messagesOf('start-failed')).toHaveLength(1);
  expect((await world.status('hello')).startFailure?.output).toEqual([]);
});

test('another run of the service is not blamed for what the one before failed of', async () => {
  const world = await World.started([testService('hello')]);
  Object.assign(world.runtime.behaviour, crashing);
  world.edge.request('hello');
  await world.run(500);
  const run: ProcessRun = {
    runtime: 'process',
    kind: 'process',
    command: ['better'],
    cwd: '/',
    env: {},
    stop: { signal: 'SIGTERM', graceMs: 1 },
  };
  world.control.reconfigure(testSettings([testService('hello', { run })]));
  expect((await world.status('hello')).startFailure).toBeNull();
});

test('an engine that is out of reach shows in the status, and no more once it is back', async () => {
  const world = new World([testService('hello')]);
  world.runtime.behaviour.unreachable = true;
  await world.start();
  expect(await world.status('hello')).toMatchObject({
    state: 'failing',
    troubles: [{ code: 'RUNTIME_UNREACHABLE', message: 'the engine does not answer' }],
  });
  world.runtime.behaviour.unreachable = false;
  await world.run(60_000);
  expect(await world.status('hello')).toMatchObject({ state: 'asleep', troubles: [] });
});

test('an engine that is lost later shows too, with what is known of it kept', async () => {
  const world = await World.started([testService('hello')]);
  world.edge.request('hello');
  await world.run(500);
  world.runtime.emit({ type: 'lost', cause: new PilotlightError('RUNTIME_UNREACHABLE', 'no Docker engine at /x') });
  const lost = await world.status('hello');
  expect(lost).toMatchObject({ state: 'ready', troubles: [{ code: 'RUNTIME_UNREACHABLE' }] });
  expect(lost.troubles[0]?.message).toContain('no Docker engine at /x');
  world.runtime.emit({ type: 'restored' });
  await world.run(100);
  expect((await world.status('hello')).troubles).toEqual([]);
});

test('an engine that says what runs but not what happens is in trouble all the same', async () => {
  const world = new World([testService('hello')]);
  const { watch } = world.runtime;
  world.runtime.watch = (listener, signal) => {
    watch.call(world.runtime, listener, signal);
    listener({ type: 'lost', cause: new PilotlightError('RUNTIME_FORBIDDEN', 'refuses GET /events: 403') });
  };
  await world.start();
  const [trouble] = (await world.status('hello')).troubles;
  expect(trouble?.code).toBe('RUNTIME_FORBIDDEN');
  expect(trouble?.message).toContain('GET /events: 403');
});

test('a replica that runs out of memory later is said to have', async () => {
  const world = await World.started([testService('hello')]);
  world.edge.request('hello');
  await world.run(20_000);
  world.runtime.exit('hello-1', undefined, 137, false, { outOfMemory: 'yes' });
  await world.run(100);
  expect(world.messagesOf('exited')).toEqual([
    'hello lost hello-1: it ran out of memory (exit code 137, SIGKILL); crashed after 20s',
  ]);
});

test('an image that is missing shows from the boot on, and no more soon after it is there', async () => {
  const run = {
    runtime: 'docker',
    kind: 'docker-container',
    container: 'shop',
    port: 80,
    stop: { signal: 'SIGTERM', graceMs: 1000 },
  } as const;
  const world = new World([testService('hello', { run })], {}, 'docker');
  const { prepare } = world.runtime;
  world.runtime.prepare = () => Promise.reject(new PilotlightError('IMAGE_MISSING', 'no such image: shop:1'));
  await world.start();
  await world.run(20_000);
  expect((await world.status('hello')).troubles).toMatchObject([
    { code: 'IMAGE_MISSING', message: 'hello-1 cannot be prepared: no such image: shop:1' },
  ]);
  expect(world.messagesOf('runtime')).toHaveLength(1);
  world.runtime.prepare = prepare;
  await world.run(61_000);
  expect((await world.status('hello')).troubles).toEqual([]);
  expect(world.runtime.prepared.has('hello-1')).toBe(true);
});

test('a Consul that is out of touch shows at the services that it is asked for', async () => {
  const source = new FakeSource('consul');
  const endpoints = { consul: { service: 'hello', tag: undefined } };
  const services = [testService('hello', { run: undefined, endpoints }), testService('other')];
  const world = await World.started(services, { sources: [source] });
  source.age = 12_000;
  const [trouble] = (await world.status('hello')).troubles;
  expect(trouble?.code).toBe('DISCOVERY_UNREACHABLE');
  expect(trouble?.message).toContain('the endpoints that it named last are used');
  expect(world.clock.wall() - Date.parse(trouble?.since ?? '')).toBeGreaterThanOrEqual(12_000);
  expect((await world.status('other')).troubles).toEqual([]);
  source.age = 0;
  expect((await world.status('hello')).troubles).toEqual([]);
});

test.each(['yes', 'perhaps'] as const)(
  'a replica that somebody ended soon after it was ready (%s) is no failed start, and the next request starts it',
  async (endedByHand) => {
    const world = await World.started([testService('hello')]);
    world.edge.request('hello');
    await world.run(2000);
    world.runtime.exit('hello-1', undefined, 143, false, { endedByHand });
    await world.run(100);
    expect(world.messagesOf('start-failed')).toEqual([]);
    expect(world.messagesOf('exited')[0]).toContain('exit code 143, SIGTERM');
    expect(await world.status('hello')).toMatchObject({ state: 'asleep', startFailure: null });
    const request = world.edge.request('hello');
    await world.run(300);
    expect(request.outcome).toBe('answered');
  },
);

test('one that ends in order again and again soon after it was ready is not believed to be asked to', async () => {
  const world = await World.started([testService('hello')]);
  for (let i = 0; i < 2; i++) {
    world.edge.request('hello');
    await world.run(2000);
    world.runtime.exit('hello-1', undefined, 0, false, { endedByHand: 'perhaps' });
    await world.run(100);
  }
  expect(world.messagesOf('start-failed')[0]).toContain('it ended soon after it was ready (exit code 0)');
});

test('one that a person ends again and again is still no failed start', async () => {
  const world = await World.started([testService('hello')]);
  for (let i = 0; i < 4; i++) {
    world.edge.request('hello');
    await world.run(2000);
    world.runtime.exit('hello-1', undefined, 143, false, { endedByHand: 'yes' });
    await world.run(100);
  }
  expect(world.messagesOf('start-failed')).toEqual([]);
});

test('an app whose dependency is away is started ever less often, and at most one back-off after that is back', async () => {
  const world = await World.started([testService('app')]);
  Object.assign(world.runtime.behaviour, { readyMs: 'never', exitAfterMs: 2000 });
  const requests = [];
  const startedAt: number[] = [];
  world.runtime.onStart = () => startedAt.push(world.clock.now());
  for (let second = 0; second < 180; second++) {
    if (second === 90) Object.assign(world.runtime.behaviour, { readyMs: 1000, exitAfterMs: undefined });
    requests.push(world.edge.request('app'));
    await world.run(1000);
  }
  const waits = requests.map(({ arrivedAt, endedAt }) => endedAt - arrivedAt);
  // Each is answered within the time that a start takes to fail or to succeed, or at once.
  expect(Math.max(...waits)).toBeLessThanOrEqual(2500);
  const early = requests.slice(0, 90).map(({ outcome }) => outcome);
  expect(new Set(early)).toEqual(new Set(['failed', 'blocked']));
  expect(startedAt.filter((at) => at < 60_000).length).toBeLessThanOrEqual(6);
  const back = requests.findIndex(({ outcome }) => outcome === 'answered');
  expect(back).toBeGreaterThanOrEqual(88);
  expect(requests.slice(back).every(({ outcome }) => outcome === 'answered')).toBe(true);
  const [before, after] = startedAt.slice(-2) as [number, number];
  expect(after - before).toBeLessThanOrEqual(75_000);
  expect(after).toBeGreaterThanOrEqual(90_000);
});

test('a start that a leader has no right to any more is no failed one: who waits goes on waiting, and it is planned anew', async () => {
  const world = await World.started([testService('hello')]);
  const refused = () => new PilotlightError('CLUSTER_RIGHT_LOST', 'this proxy leads no more');
  world.runtime.behaviour.failures = [refused(), refused(), refused()];
  const request = world.edge.request('hello');
  await world.run(5000);
  expect(request.outcome).toBe('answered');
  expect(world.runtime.starts).toBe(4);
});
