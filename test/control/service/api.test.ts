import { expect, test } from 'vitest';
import { FakeSource } from '../support/fake-discovery.ts';
import { testService, testSettings } from '../support/settings.ts';
import { World } from '../support/world.ts';

test('services are listed by name with figures collected just now', async () => {
  const world = await World.started([testService('b'), testService('a')]);
  world.edge.request('b', { bodyMs: 10_000 });
  await world.run(1100);
  world.edge.request('b', { bodyMs: 10_000 });
  await world.run(50);
  const services = await world.settle(world.control.services());
  expect(services.map(({ name, state }) => `${name} ${state}`)).toEqual(['a asleep', 'b ready']);
  const [, b] = services;
  expect(b?.inFlight).toBe(2);
  expect(b?.replicas[0]).toEqual({
    id: 'b-1',
    address: '127.0.0.1:10001',
    state: 'ready',
    inFlight: 2,
    p95Ms: expect.closeTo(b?.latencyMs.p95 ?? 0),
    memoryMiB: null,
    startedAt: expect.stringMatching(/^2026-01-01T00:00:00\.\d+Z$/),
  });
  expect(b?.latencyMs.p50).toBeGreaterThan(0);
  expect(b?.perSecond).toMatchObject({ shed: 0, errors: 0 });
  expect(b?.perSecond.arrivals).toBeGreaterThan(0);
  expect(b?.heldForMs).toBe(0);
  expect(b?.lastDecision).toMatchObject({ action: 'wake', from: 0, to: 1, reason: '1 request waits' });
});

test('how long requests have been held is told until they go on', async () => {
  const world = await World.started([testService('a')]);
  world.runtime.behaviour.startMs = 5000;
  world.edge.request('a');
  await world.run(2000);
  world.edge.request('a');
  const { held, heldForMs } = await world.status('a');
  expect(held).toBe(2);
  expect(heldForMs).toBeGreaterThanOrEqual(2000);
  expect(heldForMs).toBeLessThan(2500);
  await world.run(5000);
  expect(await world.status('a')).toMatchObject({ held: 0, heldForMs: 0 });
});

test('a start is told with its phases, its cause and who waited for it', async () => {
  const world = await World.started([testService('a')]);
  world.runtime.behaviour.startMs = 1000;
  expect(await world.control.starts('a')).toEqual([]);
  world.edge.request('a');
  await world.run(3000);
  const starts = await world.control.starts('a');
  expect(starts).toMatchObject([{ replica: 'a-1', cause: 'demand', held: 1 }]);
  expect(starts[0]?.startMs).toBeGreaterThanOrEqual(1000);
  expect(starts[0]?.queueMs).toBeLessThan(100);
  expect(Date.parse(starts[0]?.at ?? '')).toBeLessThan(Date.parse('2026-01-01T00:00:01Z'));
  await expect(world.control.starts('nobody')).rejects.toMatchObject({ code: 'SERVICE_UNKNOWN' });
});

test('an edge that does not answer a collect does not hold the status up', async () => {
  const world = await World.started([testService('a')]);
  world.edge.reports = false;
  const before = world.clock.now();
  await world.status('a');
  expect(world.clock.now() - before).toBeLessThan(300);
});

test('states follow the life of a service', async () => {
  const world = await World.started([testService('a')]);
  const state = async () => (await world.status('a')).state;
  world.runtime.behaviour.startMs = 1000;
  world.runtime.behaviour.stopMs = 1000;
  expect(await state()).toBe('asleep');
  world.edge.request('a');
  expect(await state()).toBe('waking');
  await world.run(1200);
  expect(await state()).toBe('ready');
  await world.settle(world.control.sleep('a'));
  expect(await state()).toBe('retiring');
  await world.run(1200);
  expect(await state()).toBe('asleep');
});

test('wake starts a service that nobody asks for, and does nothing where it is ready', async () => {
  const world = await World.started([testService('a', { scale: { idleMs: 5000 } })]);
  await world.settle(world.control.wake('a'));
  await world.run(500);
  expect(world.edge.ready('a')).toHaveLength(1);
  expect(world.messagesOf('waking')).toEqual(['a waking (by hand)']);
  await world.settle(world.control.wake('a'));
  await world.run(500);
  expect(world.runtime.starts).toBe(1);
  // It is idle from then on, as any other.
  await world.run(10_000);
  expect(world.runtime.stops).toBe(1);
  expect(world.runtime.starts).toBe(1);
});

test('wake takes a retire back', async () => {
  const world = await World.started([testService('a')]);
  world.edge.request('a', { bodyMs: 5000 });
  await world.run(500);
  await world.settle(world.control.sleep('a'));
  await world.settle(world.control.wake('a'));
  expect(world.edge.ready('a')).toEqual(['a-1#1']);
  await world.run(1000);
  expect(world.runtime.calls).toEqual(['start a-1']);
});

test('what does not exist or cannot be started is refused by code', async () => {
  const world = await World.started([testService('routed', { run: undefined })]);
  await expect(world.control.service('x')).rejects.toMatchObject({ code: 'SERVICE_UNKNOWN' });
  await expect(world.control.wake('x')).rejects.toMatchObject({ code: 'SERVICE_UNKNOWN' });
  await expect(world.control.sleep('routed')).rejects.toMatchObject({ code: 'SERVICE_NOT_RUNNABLE' });
});

test('ready waits for an edge and the first answers, five seconds at most', async () => {
  const source = new FakeSource();
  source.isAnswered = false;
  const world = new World([testService('a')], { sources: [source] });
  expect(world.control.ready()).toBe(false);
  await world.start();
  await world.run(4000);
  expect(world.control.ready()).toBe(false);
  await world.run(1000);
  expect(world.control.ready()).toBe(true);
  world.edge.die();
  await world.run(10);
  expect(world.control.ready()).toBe(false);
});

test('metrics tell of requests, starts and states', async () => {
  const source = new FakeSource();
  const followed = { consul: { service: 'a', tag: undefined } };
  const world = await World.started([testService('a', { endpoints: followed })], { sources: [source] });
  for (let i = 0; i < 10; i++) world.edge.request('a');
  await world.run(5000);
  await world.settle(world.control.collect());
  const { metrics } = world;
  expect(metrics.get('pilotlight_requests_total', { service: 'a', code: '200' })).toBe(10);
  expect(metrics.get('pilotlight_request_seconds', { service: 'a' })).toBe(10);
  expect(metrics.get('pilotlight_upstream_ttfb_seconds', { service: 'a' })).toBe(10);
  expect(metrics.get('pilotlight_cold_starts_total', { service: 'a' })).toBe(1);
  for (const phase of ['queue', 'start', 'ready']) {
    expect(metrics.get('pilotlight_cold_start_seconds', { service: 'a', phase })).toBe(1);
  }
  expect(metrics.get('pilotlight_held', { service: 'a' })).toBe(0);
  expect(metrics.get('pilotlight_replicas', { service: 'a', state: 'ready' })).toBe(1);
  expect(metrics.get('pilotlight_replica_seconds_total', { service: 'a' })).toBeGreaterThan(3);
  expect(metrics.get('pilotlight_consul_staleness_seconds', { service: 'a' })).toBe(1.5);
});

test('what Consul never told is as old as the process', async () => {
  const source = new FakeSource();
  source.age = undefined;
  const followed = { consul: { service: 'a', tag: undefined } };
  const services = [testService('a', { endpoints: followed }), testService('b')];
  const world = await World.started(services, { sources: [source] });
  await world.run(5000);
  await world.settle(world.control.collect());
  const { metrics } = world;
  expect(metrics.get('pilotlight_consul_staleness_seconds', { service: 'a' })).toBeGreaterThanOrEqual(5);
  expect(metrics.get('pilotlight_consul_staleness_seconds', { service: 'b' })).toBe(0);
});

test('what a source may not see is told: in the status, and as the cause that readiness waits for', async () => {
  const source = new FakeSource();
  source.isAnswered = false;
  source.age = undefined;
  const followed = { consul: { service: 'a', tag: undefined } };
  const world = await World.started([testService('a', { endpoints: followed })], { sources: [source] });
  expect(world.control.awaited?.()).toBe('Consul');
  source.blind = { message: 'the token may not read service a: nothing is known of it', since: world.clock.now() };
  expect(world.control.ready()).toBe(false);
  expect(world.control.awaited?.()).toBe('Consul, whose token may not read every service');
  await world.run(6000);
  expect(world.control.ready()).toBe(true);
  expect(world.control.awaited?.()).toBeUndefined();
  const { troubles } = await world.settle(world.control.service('a'));
  expect(troubles).toMatchObject([
    { code: 'DISCOVERY_DENIED', message: 'Consul: the token may not read service a: nothing is known of it' },
  ]);
  expect(Date.parse(troubles[0]?.since ?? '')).toBe(world.clock.wall() - 6000);
});

test('who does not listen any more is told nothing, and who fails harms nobody', async () => {
  const world = new World([testService('a')]);
  const seen: string[] = [];
  const stop = world.control.subscribe(({ type }) => seen.push(type));
  world.control.subscribe(() => {
    throw new Error('a broken sink');
  });
  await world.start();
  world.edge.request('a');
  await world.run(100);
  stop();
  await world.run(1000);
  expect(seen).toEqual(['waking']);
  expect(world.messagesOf('ready')).toHaveLength(1);
});

test('a service that is not found in Consul any more has no age of what is known from there', async () => {
  const found = { consul: { service: 'a', tag: undefined } };
  const sources = [new FakeSource()];
  const world = await World.started([testService('a', { run: undefined, endpoints: found })], { sources });
  const ages = () => [...world.metrics.values.keys()].filter((key) => key.includes('staleness'));
  await world.settle(world.control.collect());
  expect(ages()).toHaveLength(1);
  const fixed = { static: { addresses: [{ host: '127.0.0.1', port: 1, weight: 1 }] } };
  world.control.reconfigure(testSettings([testService('a', { run: undefined, endpoints: fixed })]));
  await world.settle(world.control.collect());
  expect(ages()).toEqual([]);
});
