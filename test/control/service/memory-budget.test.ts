import { expect, test } from 'vitest';
import type { ControlOptions } from '../../../src/control/control.ts';
import type { IdleLearnt } from '../../../src/control/scale/idle-learnt.ts';
import { nothingLearnt } from '../../../src/control/scale/idle-learnt.ts';
import type { LearntStore } from '../../../src/control/scale/learnt-store.ts';
import type { HostMemory } from '../../../src/model/host-memory.ts';
import type { MemoryBound, ServiceSettings } from '../../../src/model/settings.ts';
import { type ServiceChange, testGuards, testRun, testScale, testService, testSettings } from '../support/settings.ts';
import { World } from '../support/world.ts';

const MIB = 2 ** 20;

/** What each replica takes, MiB. */
const SIZE = 100;

interface Given {
  bound?: MemoryBound;
  host?: () => HostMemory;
  options?: Partial<ControlOptions>;
}

/** Services whose replicas take 100 MiB each, on a host with 1,000 MiB of which 300 may be taken. */
async function worldOf(services: ServiceSettings[], given: Given = {}): Promise<World> {
  const { bound = { bytes: 3 * SIZE * MIB }, options } = given;
  const host = given.host ?? (() => ({ totalBytes: 1000 * MIB, availableBytes: 900 * MIB }));
  const settings = testSettings(services);
  const world = new World(
    { ...settings, budget: { ...settings.budget, memory: bound } },
    { hostMemory: host, ...options },
  );
  Object.assign(world.runtime, { usage: async () => ({ memoryMiB: SIZE, cpuSeconds: 1 }) });
  await world.start();
  return world;
}

const service = (name: string, change: ServiceChange = {}) =>
  testService(name, { ...change, run: { ...testRun(), memory: SIZE * MIB, ...change.run } });
const states = (world: World) => world.runtime.running.toSorted();

/** Calls each in turn, so that all of them run, and are idle for long enough. */
async function filled(world: World, ...names: string[]): Promise<void> {
  for (const name of names) {
    world.edge.request(name);
    await world.run(3000);
  }
  await world.run(12_000);
  expect(states(world)).toEqual(names.map((name) => `${name}-1`).toSorted());
}

test('a wake that needs room has what is cheapest to lose go, and starts when that is gone', async () => {
  const world = await worldOf(['a', 'b', 'c', 'd'].map((name) => service(name)));
  await filled(world, 'a', 'b', 'c');
  const stops: string[] = [];
  world.runtime.onStop = (name) => stops.push(name);
  world.runtime.onStart = (name) => {
    expect([name, states(world)]).toEqual(['d-1', ['b-1', 'c-1']]);
  };
  const request = world.edge.request('d');
  await world.run(1000);
  expect(request.outcome).toBe('answered');
  expect(stops).toEqual(['a-1']);
  expect(states(world)).toEqual(['b-1', 'c-1', 'd-1']);
  expect(world.messagesOf('retiring')).toEqual([
    'a retiring a-1 (cheapest to lose (100 MiB, wakes 1 an hour, start 0.2 s), to make room for d)',
  ]);
  expect((await world.status('a')).lastDecision).toMatchObject({ action: 'sleep', from: 1, to: 0 });
  expect(world.control.memory()).toMatchObject({ budgetBytes: 300 * MIB, usedBytes: 300 * MIB });
  expect(world.errors).toEqual([]);
});

test('what is in use, was a moment ago, or has only just begun stays: the wake starts over the budget', async () => {
  const world = await worldOf(['a', 'b', 'c', 'd'].map((name) => service(name)));
  await filled(world, 'a', 'b');
  const long = world.edge.request('a', { bodyMs: 60_000 });
  world.edge.request('c');
  await world.run(500);
  world.edge.request('b');
  await world.run(500);
  const request = world.edge.request('d');
  await world.run(1000);
  expect(request.outcome).toBe('answered');
  expect(states(world)).toEqual(['a-1', 'b-1', 'c-1', 'd-1']);
  expect(world.messagesOf('over-memory')).toEqual([
    'd takes 100 MiB for which there is no room (300 of 300 MiB are taken): nothing may go to make room',
  ]);
  expect(world.metrics.get('pilotlight_memory_overruns_total', { service: 'd' })).toBe(1);
  // What is over goes as soon as something may.
  await world.run(12_000);
  expect(states(world)).toHaveLength(3);
  expect(states(world)).toContain('a-1');
  expect(world.messagesOf('retiring')[0]).toContain('as replicas take more than the budget (400 of 300 MiB are taken)');
  world.edge.abort(long);
});

test('what is paused goes too, and counts with what it has', async () => {
  const paused = { run: { ...testRun(), standby: 'paused' as const }, scale: { idleMs: 5000 } };
  const world = await worldOf([service('a', paused), service('b', paused), service('c', paused), service('d')]);
  for (const name of ['a', 'b', 'c']) {
    world.edge.request(name);
    await world.run(15_000);
  }
  expect(world.runtime.paused).toEqual(['a-1', 'b-1', 'c-1']);
  expect(world.control.memory()).toMatchObject({ usedBytes: 300 * MIB });
  // One that goes on needs no more room than it has.
  world.edge.request('b');
  await world.run(1000);
  expect(world.messagesOf('dropped')).toEqual([]);
  const request = world.edge.request('d');
  await world.run(1000);
  expect(request.outcome).toBe('answered');
  expect(world.messagesOf('dropped')).toEqual([
    'a stopping a-1, paused until now: cheapest to lose (100 MiB, wakes 1 an hour, start 0.2 s), to make room for d',
  ]);
});

test('min, what is never to sleep, what is frozen and what a dry run would keep stay', async () => {
  const world = await worldOf([
    service('a', { scale: { min: 1 } }),
    service('b', { scale: { idleMs: 'never' } }),
    service('c', { scale: { dryRun: true } }),
    service('d'),
    service('e'),
  ]);
  await world.run(1000);
  await filled(world, 'a', 'b', 'c');
  world.edge.request('e');
  await world.settle(world.control.freeze('e', 600_000, null, false));
  await world.run(20_000);
  world.edge.request('d');
  await world.run(20_000);
  expect(states(world)).toEqual(['a-1', 'b-1', 'c-1', 'e-1']);
  expect(world.messagesOf('retiring')).toHaveLength(1);
  expect(world.messagesOf('retiring')[0]).toContain('d retiring d-1');
});

test('of several idle replicas one goes, which is told as a decrease: the service stays awake', async () => {
  // Who changes it by hand is not to have it changed by others at once.
  const guards = { ...testGuards, cooldownMs: 15_000 };
  const world = await worldOf([service('a', { scale: { guards } }), service('b')], { bound: { bytes: 250 * MIB } });
  await world.settle(world.control.scale('a', 2, false));
  await world.run(20_000);
  world.edge.request('b');
  await world.run(1000);
  expect(states(world)).toHaveLength(2);
  expect(states(world)).toContain('b-1');
  expect((await world.status('a')).lastDecision).toMatchObject({ action: 'scale-down', from: 2, to: 1 });
});

test('a service goes on with its own paused replicas, which take no more than they have, and with no others', async () => {
  const latency = { ...testScale.latency, aboveMs: 500 };
  const hold = { ...testService('a').hold, timeoutMs: 3_600_000 };
  const run = { ...testRun(), standby: 'paused' as const };
  const busy = service('a', { hold, run, scale: { latency, max: 5, concurrency: 1, idleMs: 5000 } });
  const world = await worldOf([busy], { bound: { bytes: 350 * MIB } });
  await world.settle(world.control.scale('a', 3, false));
  await world.run(70_000);
  expect(world.runtime.paused).toHaveLength(3);
  world.edge.request('a');
  await world.run(1000);
  const requests = Array.from({ length: 8 }, () => world.edge.request('a', { bodyMs: 500_000 }));
  await world.run(60_000);
  expect(states(world)).toEqual(['a-1', 'a-2', 'a-3']);
  expect(world.messagesOf('over-memory')).toEqual([]);
  for (const request of requests) world.edge.abort(request);
});

test('what replicas of an older run take is no guide to what the present one needs', async () => {
  const world = await worldOf([], { bound: { bytes: 900 * MIB } });
  const settings = (version: number) => {
    const all = testSettings([testService('a', { run: testRun(version) })]);
    return { ...all, budget: { ...all.budget, memory: { bytes: 900 * MIB } } };
  };
  const usage = async (id: string) => ({ memoryMiB: id === 'run-1' ? 400 : 50, cpuSeconds: 1 });
  Object.assign(world.runtime, { usage });
  world.control.reconfigure(settings(1));
  world.edge.request('a');
  await world.run(14_000);
  expect(world.control.memory()?.usedBytes).toBe(400 * MIB);
  world.control.reconfigure(settings(2));
  await world.run(30_000);
  expect(states(world)).toEqual(['a-2']);
  expect(world.control.memory()?.usedBytes).toBe(50 * MIB);
});

test('a wake waits no longer than two seconds for what goes', async () => {
  const world = await worldOf(['a', 'b', 'c', 'd'].map((name) => service(name)));
  await filled(world, 'a', 'b', 'c');
  world.runtime.behaviour.stopMs = 8000;
  const request = world.edge.request('d');
  await world.run(1500);
  expect([request.outcome, world.runtime.starts]).toEqual([undefined, 3]);
  await world.run(1500);
  expect(request.outcome).toBe('answered');
  expect(world.messagesOf('over-memory')[0]).toContain('what goes to make room takes longer');
});

test('increases and starts ahead of calls are refused where replicas, or the host, leave no memory', async () => {
  let availableBytes = 900 * MIB;
  const latency = { ...testScale.latency, aboveMs: 500 };
  const hold = { ...testService('a').hold, timeoutMs: 3_600_000 };
  const busy = service('a', { hold, scale: { latency, max: 5, concurrency: 1 } });
  const world = await worldOf([busy, service('b')], {
    bound: { share: 0.8 },
    host: () => ({ totalBytes: 1000 * MIB, availableBytes }),
  });
  availableBytes = 250 * MIB;
  world.edge.request('a');
  await world.run(1000);
  const requests = Array.from({ length: 8 }, () => world.edge.request('a', { bodyMs: 500_000 }));
  await world.run(20_000);
  expect(states(world)).toEqual(['a-1']);
  expect((await world.status('a')).heldBack?.reason).toContain(
    '0 more within the memory budget: 100 of 800 MiB are taken, and one takes 100 MiB; the host has 250 MiB available, ' +
      'of which 200 MiB are left alone',
  );
  availableBytes = 900 * MIB;
  await world.run(40_000);
  expect(states(world).length).toBeGreaterThan(3);
  for (const request of requests) world.edge.abort(request);
});

test('of two services that grow in the same second only as many replicas are added as there is memory for', async () => {
  const latency = { ...testScale.latency, aboveMs: 500 };
  const hold = { ...testService('a').hold, timeoutMs: 3_600_000 };
  const names = ['a', 'b', 'c'];
  const world = await worldOf(
    names.map((name) => service(name, { hold, scale: { latency, max: 3, concurrency: 1 } })),
    {
      bound: { bytes: 4 * SIZE * MIB },
    },
  );
  for (const name of names) world.edge.request(name);
  await world.run(1000);
  const most: number[] = [];
  world.runtime.onStart = () => most.push((world.control.memory()?.usedBytes ?? 0) / MIB);
  const requests = names.flatMap((name) =>
    Array.from({ length: 8 }, () => world.edge.request(name, { bodyMs: 500_000 })),
  );
  await world.run(40_000);
  expect(states(world)).toHaveLength(4);
  expect(Math.max(...most)).toBe(4 * SIZE);
  expect(world.messagesOf('over-memory')).toEqual([]);
  for (const request of requests) world.edge.abort(request);
});

test('what a replica needs is learnt, and kept; before that its limit is what it needs, else a guess', async () => {
  const kept = new Map<string, IdleLearnt>();
  const idleLearnt: LearntStore<IdleLearnt> = {
    has: (name) => kept.has(name),
    take: (name) => kept.get(name),
    put: (name, learnt) => kept.set(name, learnt),
    drop: () => {},
  };
  const limited = service('a', { run: { ...testRun(), memory: 250 * MIB } });
  const world = await worldOf([limited, testService('b')], { options: { idleLearnt } });
  world.runtime.behaviour.readyMs = 5000;
  world.edge.request('a');
  world.edge.request('b');
  await world.run(1000);
  // An eighth of the budget is the most that is guessed.
  expect(world.control.memory()?.usedBytes).toBe((250 + 300 / 8) * MIB);
  await world.run(10_000);
  expect(world.control.memory()?.usedBytes).toBe(2 * SIZE * MIB);
  expect(kept.get('a')?.memoryMiB).toBe(SIZE);
  kept.set('a', { ...nothingLearnt(), memoryMiB: 77 });
  const later = await worldOf([limited], { options: { idleLearnt } });
  later.runtime.behaviour.readyMs = 5000;
  later.edge.request('a');
  await later.run(1000);
  expect(later.control.memory()?.usedBytes).toBe(77 * MIB);
});

test('without a budget, or where the host does not tell, nothing of it is told and nothing goes', async () => {
  const settings = testSettings(['a', 'b'].map((name) => service(name)));
  const world = await World.started({ ...settings, budget: { ...settings.budget, memory: { bytes: 1 } } });
  for (const name of ['a', 'b']) world.edge.request(name);
  await world.run(20_000);
  expect(states(world)).toEqual(['a-1', 'b-1']);
  expect(world.control.memory()).toBeNull();
});

test('who is called every few seconds stays, though its replica is idle in between and its last call longer ago', async () => {
  const world = await worldOf(['a', 'b', 'c', 'd'].map((name) => service(name)));
  await filled(world, 'a', 'b', 'c');
  for (let i = 0; i < 20; i++) {
    world.edge.request('a');
    await world.run(4000);
  }
  for (const name of ['b', 'c']) world.edge.request(name);
  await world.run(4000);
  world.edge.request('d');
  await world.run(1000);
  expect(states(world)).toContain('a-1');
  expect(states(world)).toHaveLength(3);
});
