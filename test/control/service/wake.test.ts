import { expect, test } from 'vitest';
import { wantedReplicas } from '../../../src/control/scale/demand.ts';
import { PilotlightError } from '../../../src/model/errors.ts';
import { testScale, testService, testSettings } from '../support/settings.ts';
import { World } from '../support/world.ts';

test('a request for a sleeping service starts one replica and is dispatched as soon as that is ready', async () => {
  const world = await World.started([testService('hello')]);
  const request = world.edge.request('hello');
  await world.run(400);
  expect(request.outcome).toBe('answered');
  expect(request.endedAt - request.arrivedAt).toBeLessThan(250);
  expect(world.runtime.calls).toEqual(['start hello-1']);
  expect(world.messagesOf('waking')).toEqual(['hello waking (1 request waits)']);
  expect(world.messagesOf('ready')[0]).toMatch(/^hello ready in \d+ ms \(hello-1\)$/);
  expect(world.errors).toEqual([]);
});

test('a hundred concurrent requests bring up exactly one replica', async () => {
  const world = await World.started([testService('hello')]);
  const requests = Array.from({ length: 100 }, () => world.edge.request('hello'));
  await world.run(1000);
  expect(requests.every(({ outcome }) => outcome === 'answered')).toBe(true);
  expect(world.runtime.starts).toBe(1);
});

test('repeated demand starts nothing more', async () => {
  const world = await World.started([testService('hello')]);
  for (let i = 0; i < 20; i++) {
    world.edge.say({ type: 'demand', service: 'hello', held: 1 + (i % 3), inFlight: 0 });
    await world.run(10);
  }
  await world.run(1000);
  expect(world.runtime.starts).toBe(1);
});

test('what one replica carried until it slept wakes one', async () => {
  const world = await World.started([testService('hello', { scale: { idleMs: 'never' } })]);
  await world.load('hello', 5, 30_000);
  expect(world.runtime.starts).toBe(1);
  await world.settle(world.control.sleep('hello'));
  await world.run(500);
  expect(world.runtime.running).toEqual([]);
  const requests = Array.from({ length: 20 }, () => world.edge.request('hello'));
  await world.run(2000);
  expect(requests.every(({ outcome }) => outcome === 'answered')).toBe(true);
  expect(world.runtime.starts).toBe(2);
});

test('what three replicas carried until they slept wakes three', async () => {
  const world = await World.started([testService('hello', { scale: { initial: 3, idleMs: 'never' } })]);
  await world.load('hello', 30, 30_000);
  world.control.reconfigure(testSettings([testService('hello', { scale: { idleMs: 'never' } })]));
  await world.settle(world.control.sleep('hello'));
  await world.run(500);
  expect(world.runtime.running).toEqual([]);
  world.edge.request('hello');
  await world.run(2000);
  expect(world.runtime.starts).toBe(6);
});

test('initial and min say how many are started from zero', async () => {
  const world = await World.started([
    testService('initial', { scale: { initial: 3 } }),
    testService('min', { scale: { min: 2 } }),
  ]);
  world.edge.request('initial');
  await world.run(1000);
  expect(world.runtime.calls.filter((call) => call.includes('initial'))).toHaveLength(3);
  expect(world.runtime.calls.filter((call) => call.includes('min'))).toHaveLength(2);
});

test('with a limit on concurrency the number that waits says how many are started, up to max', async () => {
  const world = await World.started([testService('one', { scale: { concurrency: 1, max: 10 } })]);
  world.runtime.behaviour.serviceMs = 300;
  const requests = Array.from({ length: 100 }, () => world.edge.request('one'));
  await world.run(6000);
  expect(requests.every(({ outcome }) => outcome === 'answered')).toBe(true);
  expect(world.runtime.starts).toBe(10);
  expect(Math.max(...world.runtime.apps.map(({ peak }) => peak))).toBe(1);
});

test('a wake says which numbers led to how many starts, and they lead to the same again', async () => {
  const world = await World.started([testService('hello', { scale: { concurrency: 10, max: 5 } })]);
  for (let i = 0; i < 24; i++) world.edge.request('hello');
  await world.run(50);
  const { lastDecision } = await world.status('hello');
  expect(lastDecision).toMatchObject({ action: 'wake', to: 3 });
  expect(lastDecision?.reason).toMatch(/^\d+ requests wait; 3 needed at 80 % of 10 each$/);
  const inputs = JSON.parse(JSON.stringify(lastDecision?.inputs));
  expect(wantedReplicas(inputs)).toBe(inputs.wanted);
});

test('when all replicas of a busy service end, as many are started at once as the rate just before needs', async () => {
  const latency = { ...testScale.latency, aboveMs: 500 };
  const world = await World.started([testService('hello', { scale: { latency, max: 10, initial: 2 } })]);
  Object.assign(world.runtime.behaviour, { workers: 8, serviceMs: 160 });
  await world.load('hello', 80, 30_000);
  world.control.reconfigure(testSettings([testService('hello', { scale: { latency, max: 10 } })]));
  const load = world.clock.every(12.5, () => world.edge.request('hello'));
  const before = world.runtime.starts;
  for (const name of world.runtime.running) world.runtime.exit(name);
  await world.run(100);
  load.cancel();
  // Two carried 40/s each: 80/s need as many again.
  expect(world.runtime.starts - before).toBe(2);
  const { lastDecision } = await world.status('hello');
  expect(lastDecision?.reason).toMatch(/^\d+ requests? waits?; 80\/s just before need 2 at 4\d\/s each$/);
});

test('demand that grows while replicas start has the missing ones started too', async () => {
  const world = await World.started([testService('few', { scale: { concurrency: 5, max: 10 } })]);
  world.runtime.behaviour.startMs = 2000;
  world.edge.request('few');
  await world.run(100);
  expect(world.runtime.starts).toBe(1);
  for (let i = 0; i < 11; i++) world.edge.request('few');
  await world.run(100);
  expect(world.runtime.starts).toBe(3);
  await world.run(3000);
  expect(world.runtime.starts).toBe(3);
});

test('max bounds what concurrency asks for, and nothing is restarted', async () => {
  const world = await World.started([testService('four', { scale: { concurrency: 1, max: 4 } })]);
  world.runtime.behaviour.serviceMs = 2000;
  for (let i = 0; i < 60; i++) {
    world.edge.request('four');
    await world.run(100);
  }
  await world.run(30_000);
  expect(world.runtime.running).toHaveLength(4);
  expect(world.runtime.calls).toHaveLength(4);
});

test('a start goes on when the only client leaves; the idle time then runs from ready', async () => {
  const world = await World.started([testService('hello', { scale: { idleMs: 5000 } })]);
  world.runtime.behaviour.startMs = 1000;
  const request = world.edge.request('hello');
  await world.run(200);
  world.edge.abort(request);
  await world.run(1500);
  expect(world.edge.ready('hello')).toEqual(['hello-1#1']);
  await world.run(10_000);
  const idleMs = world.timeOf('retiring') - world.timeOf('ready');
  expect(idleMs).toBeGreaterThanOrEqual(5000);
  expect(idleMs).toBeLessThanOrEqual(6000);
  expect((await world.status('hello')).state).toBe('asleep');
});

test('one who leaves takes nothing from one who stays', async () => {
  const world = await World.started([testService('hello')]);
  const leaver = world.edge.request('hello');
  const stayer = world.edge.request('hello');
  await world.run(100);
  world.edge.abort(leaver);
  await world.run(500);
  expect(stayer.outcome).toBe('answered');
  expect(world.runtime.starts).toBe(1);
});

test('each start has an identity of its own and carries its phases in order', async () => {
  const world = await World.started([testService('hello', { scale: { idleMs: 1000 } })]);
  for (const id of ['hello-1#1', 'hello-1#2']) {
    world.edge.request('hello');
    await world.run(500);
    expect(world.edge.ready('hello')).toEqual([id]);
    const start = world.edge.service('hello').state.endpoints[0]?.start;
    const { askedAgo = 0, permitAgo = 0, startedAgo = 0, readyAgo = -1 } = start ?? {};
    expect(askedAgo).toBeGreaterThanOrEqual(permitAgo);
    expect(permitAgo - startedAgo).toBeCloseTo(150, 0);
    expect(startedAgo).toBeGreaterThan(readyAgo);
    expect(readyAgo).toBeGreaterThanOrEqual(0);
    await world.run(5000);
  }
});

test('no replica is ready for an edge that control does not call ready', async () => {
  const world = await World.started([testService('slow')]);
  world.runtime.behaviour.readyMs = 2000;
  const request = world.edge.request('slow');
  await world.run(1900);
  expect(world.edge.ready('slow')).toEqual([]);
  expect(request.outcome).toBeUndefined();
  expect((await world.status('slow')).state).toBe('waking');
  await world.run(500);
  expect(request.outcome).toBe('answered');
});

test('the hold timeout follows the start times of the service', async () => {
  const world = await World.started([
    testService('slow'),
    testService('fixed', { hold: { ...testService('x').hold, timeoutMs: 3000 } }),
  ]);
  expect(world.edge.service('slow').state.holdTimeoutMs).toBe(30_000);
  expect(world.edge.service('fixed').state.holdTimeoutMs).toBe(3000);
  world.runtime.behaviour.readyMs = 7850;
  world.edge.request('slow');
  await world.run(9000);
  const { holdTimeoutMs, expectedStartMs } = world.edge.service('slow').state;
  expect(holdTimeoutMs).toBeCloseTo(3.5 * 8000, -3);
  expect(expectedStartMs).toBeCloseTo(8000, -2);
});

test('an edge that comes late gets the whole table', async () => {
  const world = await World.started([testService('hello')]);
  world.edge.request('hello');
  await world.run(1000);
  const late = world.addEdge('edge-2');
  await world.run(10);
  expect(late.table?.services.map(({ name }) => name)).toEqual(['hello']);
  expect(late.ready('hello')).toEqual(['hello-1#1']);
});

test('a service without run starts nothing', async () => {
  const world = await World.started([testService('routed', { run: undefined, scale: testScale })]);
  world.edge.say({ type: 'demand', service: 'routed', held: 5, inFlight: 0 });
  await world.run(1000);
  expect(world.runtime.calls).toEqual([]);
  expect((await world.status('routed')).state).toBe('unavailable');
});

test('a service that slept for an hour wakes on a request, by hand and for a new min', async () => {
  const hour = 3_600_000;
  const names = ['asked', 'by-hand', 'kept'];
  const world = await World.started(names.map((name) => testService(name, { scale: { idleMs: 5000 } })));
  for (const name of names) world.edge.request(name);
  await world.run(20_000);
  expect(world.runtime.running).toEqual([]);
  await world.run(hour, 1000);
  const request = world.edge.request('asked');
  await world.control.wake('by-hand');
  const kept = testService('kept', { scale: { min: 1 } });
  world.control.reconfigure(testSettings([testService('asked'), testService('by-hand'), kept]));
  await world.run(1000);
  expect(request.outcome).toBe('answered');
  for (const name of names) expect((await world.status(name)).state).toBe('ready');
});

test('what a burst needed whose start failed is no measure of what one request needs later', async () => {
  const world = await World.started([testService('hello', { scale: { concurrency: 10 } })]);
  world.runtime.behaviour.failures = [1, 2, 3].map(() => new PilotlightError('RUNTIME_FAILED', 'no'));
  const requests = Array.from({ length: 24 }, () => world.edge.request('hello'));
  await world.run(10_000);
  expect(world.runtime.starts).toBe(3);
  expect(requests.every(({ outcome }) => outcome === 'failed')).toBe(true);
  world.edge.request('hello');
  await world.run(10_000);
  expect(world.runtime.starts).toBe(4);
});

test('when all who waited have left, what is in the queue is not started but for one', async () => {
  const world = await World.started([testService('hello', { scale: { concurrency: 1, max: 9 } })]);
  const requests = Array.from({ length: 7 }, () => world.edge.request('hello'));
  await world.run(50);
  expect(world.runtime.starts).toBe(4);
  for (const request of requests) world.edge.abort(request);
  await world.run(5000);
  expect(world.runtime.starts).toBe(4);
});

test('one start in the queue goes on while nobody is held, for who looks at a waiting page', async () => {
  const budget = { replicas: 10, concurrentStarts: 1, startsPerMinute: 60, heldBytes: 2 ** 20 };
  const services = [testService('first'), testService('hello', { scale: { concurrency: 1 } })];
  const world = await World.started(testSettings(services, { budget }));
  world.edge.request('first');
  const requests = [world.edge.request('hello'), world.edge.request('hello')];
  await world.run(50);
  for (const request of requests) world.edge.abort(request);
  await world.run(5000);
  expect(world.runtime.calls).toEqual(['start first-1', 'start hello-1']);
});

test('starts that found no room are not made up for when the service goes to sleep', async () => {
  const budget = { replicas: 2, concurrentStarts: 4, startsPerMinute: 60, heldBytes: 2 ** 20 };
  const services = [testService('hello', { scale: { concurrency: 1, idleMs: 3000 } }), testService('other')];
  const world = await World.started(testSettings(services, { budget }));
  for (let i = 0; i < 4; i++) world.edge.request('hello');
  await world.run(1000);
  expect(world.runtime.running).toHaveLength(2);
  await world.run(5000);
  const other = world.edge.request('other');
  await world.run(1000);
  expect(other.outcome).toBe('answered');
  expect(world.runtime.calls).toEqual([
    'start hello-1',
    'start hello-2',
    'stop hello-1',
    'stop hello-2',
    'start other-1',
  ]);
});
