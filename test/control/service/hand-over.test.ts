import { expect, test } from 'vitest';
import { runHash } from '../../../src/util/hash.ts';
import { testRun, testService } from '../support/settings.ts';
import { World } from '../support/world.ts';

const quick = (name: string, change = {}) => testService(name, { scale: { idleMs: 30_000 }, ...change });
const hash = runHash(testRun());
const never = new AbortController().signal;

/** A world in which another process ran the service before, and has not ended yet. */
async function succeeding(services = [quick('hello')]): Promise<World> {
  const world = new World(services, { succeeding: true });
  world.runtime.launch('hello', 1, hash);
  await world.start();
  await world.run(500);
  return world;
}

test('a successor adopts what runs, and retires nothing before its predecessor has ended', async () => {
  const world = await succeeding();
  await world.settle(world.control.settled(never));
  expect(world.edge.ready('hello')).toHaveLength(1);
  await world.run(60_000);
  await world.settle(world.control.sleep('hello'));
  expect(world.messagesOf('retiring')).toEqual([]);
  world.control.takeOver();
  await world.run(60_000);
  expect(world.messagesOf('retiring')).toHaveLength(1);
  expect(world.runtime.stops).toBe(1);
});

test('a successor leaves what has no place until its predecessor has ended', async () => {
  const world = await succeeding([quick('other')]);
  await world.run(5000);
  expect(world.runtime.stops).toBe(0);
  world.control.takeOver();
  await world.run(5000);
  expect(world.runtime.stops).toBe(1);
});

test('a successor that is ended first stops nothing', async () => {
  const world = await succeeding();
  await world.settle(world.control.shutdown(never));
  expect(world.runtime.stops).toBe(0);
});

test('a successor starts what requests wait for, its own and those of its predecessor', async () => {
  const world = new World([quick('hello')], { succeeding: true });
  await world.start();
  const request = world.edge.request('hello');
  await world.run(500);
  expect(request.outcome).toBe('answered');
  expect(world.runtime.starts).toBe(1);
});

/** A world that has let go, with what it asked its successor for. */
async function lettingGo(services = [quick('hello'), quick('other')]) {
  const world = await World.started(services);
  world.edge.request('hello');
  await world.run(500);
  const wanted: string[] = [];
  await world.settle(world.control.letGo((service) => wanted.push(service), never));
  return { world, wanted };
}

test('a predecessor neither retires nor starts nor stops', async () => {
  const { world, wanted } = await lettingGo();
  const request = world.edge.request('other');
  await world.run(20_000);
  expect(request.outcome).toBeUndefined();
  // Longer than its idle time.
  await world.run(60_000);
  expect(new Set(wanted)).toEqual(new Set(['other']));
  await world.settle(world.control.shutdown(never));
  expect(world.runtime.calls).toEqual(['start hello-1']);
});

test('a predecessor uses what its successor starts', async () => {
  const { world } = await lettingGo();
  const request = world.edge.request('other');
  await world.run(300);
  world.runtime.launch('other', 1, hash);
  await world.run(1000);
  expect(request.outcome).toBe('answered');
});

test('letting go takes a retire back, and waits for what is started or stopped', async () => {
  const world = await World.started([quick('hello'), quick('other')]);
  const long = world.edge.request('hello', { bodyMs: 20_000 });
  await world.run(500);
  await world.settle(world.control.sleep('hello'));
  world.runtime.behaviour.startMs = 3000;
  const cold = world.edge.request('other');
  await world.run(100);
  let gone = false;
  void world.control
    .letGo(() => undefined, never)
    .then(() => {
      gone = true;
    });
  await world.run(1000);
  expect(gone).toBe(false);
  expect(world.edge.ready('hello')).toHaveLength(1);
  await world.run(5000);
  expect([gone, cold.outcome]).toEqual([true, 'answered']);
  await world.run(20_000);
  expect(long.outcome).toBe('answered');
  expect(world.runtime.stops).toBe(0);
});

test('when letting go takes too long, and when a successor came to nothing, all is as before', async () => {
  const world = await World.started([quick('hello'), quick('other')]);
  world.runtime.behaviour.startMs = 60_000;
  world.edge.request('other');
  await world.run(100);
  const limit = new AbortController();
  const refused = world.control.letGo(() => undefined, limit.signal).catch((reason: unknown) => reason);
  await world.run(1000);
  limit.abort('too long');
  expect(await world.settle(refused)).toBe('too long');
  world.runtime.behaviour.startMs = 10;
  await world.run(70_000);
  await world.settle(world.control.letGo(() => undefined, never));
  world.control.resume();
  const request = world.edge.request('hello');
  await world.run(1000);
  expect(request.outcome).toBe('answered');
  await world.run(30_000);
  expect(world.messagesOf('asleep').length).toBeGreaterThan(0);
});
