import { expect, test } from 'vitest';
import { type AdoptingService, planAdoption } from '../../../src/control/replica/adoption.ts';
import type { Instance } from '../../../src/model/runtime.ts';
import { runHash } from '../../../src/util/hash.ts';
import { testRun, testService, testSettings } from '../support/settings.ts';
import { World } from '../support/world.ts';

const hash = runHash(testRun());
const service = (scale = {}) => testService('hello', { scale: { idleMs: 5000, ...scale } });

async function restarted(running: number, scale = {}, runningHash = hash) {
  const world = new World([service(scale)]);
  for (let ordinal = 1; ordinal <= running; ordinal++) world.runtime.launch('hello', ordinal, runningHash);
  await world.start();
  return world;
}

test('what runs at boot is adopted, and nothing is started', async () => {
  const world = await restarted(4);
  await world.run(500);
  expect(world.edge.ready('hello')).toHaveLength(4);
  expect(world.runtime.calls).toEqual([]);
  expect(world.messagesOf('adopted')).toHaveLength(4);
});

test('what runs of a service that a reload adds is adopted, and sleeps after its idle time', async () => {
  const world = await World.started([testService('other')]);
  world.runtime.launch('hello', 1, hash);
  await world.run(1000);
  world.control.reconfigure(testSettings([testService('other'), service()]));
  await world.run(500);
  expect(world.edge.ready('hello')).toHaveLength(1);
  expect(world.messagesOf('adopted')).toHaveLength(1);
  expect(world.runtime.calls).toEqual([]);
  await world.run(30_000);
  expect(world.runtime.stops).toBe(1);
});

test('replicas of a service that is removed are drained, though what runs is listed meanwhile', async () => {
  const world = await World.started([service()]);
  const request = world.edge.request('hello', { bodyMs: 5000 });
  await world.run(1000);
  world.control.reconfigure(testSettings([testService('other')]));
  world.runtime.emit({ type: 'restored' });
  await world.run(3000);
  expect(world.runtime.stops).toBe(0);
  await world.run(5000);
  expect(request.outcome).toBe('answered');
  expect(world.runtime.stops).toBe(1);
});

test('an adopted replica is not stopped before it was watched for its idle time and one window', async () => {
  const world = await restarted(1);
  await world.run(14_900);
  expect(world.runtime.stops).toBe(0);
  await world.run(2000);
  expect(world.runtime.stops).toBe(1);
});

test('a request that comes while what runs is looked at waits for the outcome', async () => {
  const world = new World([service()]);
  world.runtime.behaviour.readyMs = 2000;
  world.runtime.launch('hello', 1, hash);
  await world.start();
  const request = world.edge.request('hello');
  await world.run(2500);
  expect(request.outcome).toBe('answered');
  expect(world.runtime.starts).toBe(0);
});

test('nothing is started before it is known what runs', async () => {
  const world = new World([service()]);
  const list = world.runtime.list.bind(world.runtime);
  let answer: () => void = () => {};
  const asked = new Promise<void>((resolve) => {
    answer = resolve;
  });
  world.runtime.list = async () => {
    await asked;
    return list();
  };
  world.runtime.launch('hello', 1, hash);
  const started = world.control.start(world.life.signal);
  const request = world.edge.request('hello');
  await world.run(1000);
  expect(world.runtime.starts).toBe(0);
  answer();
  await started;
  await world.run(500);
  expect(request.outcome).toBe('answered');
  expect(world.runtime.starts).toBe(0);
});

test('a found replica that never answers is stopped, and who waits gets a fresh one', async () => {
  const ready = { ...service().ready, timeoutMs: 3000 };
  const world = new World([{ ...service(), ready }]);
  world.runtime.behaviour.readyMs = 'never';
  world.runtime.launch('hello', 1, hash);
  await world.start();
  world.runtime.behaviour.readyMs = 50;
  const request = world.edge.request('hello');
  await world.run(4500);
  expect(request.outcome).toBe('answered');
  expect(world.runtime.calls).toEqual(['stop hello-1', expect.stringMatching(/^start hello-/)]);
});

test('more than max are not kept, and what belongs to no service is stopped and cleaned', async () => {
  const world = new World([service({ max: 2 })]);
  for (const ordinal of [1, 2, 3]) world.runtime.launch('hello', ordinal, hash);
  world.runtime.launch('gone', 1, hash);
  await world.start();
  await world.run(1000);
  expect(world.runtime.running).toEqual(['hello-1', 'hello-2']);
  expect(world.runtime.cleaned).toEqual(['gone']);
});

test('one of an older configuration serves until a new one is ready', async () => {
  const world = await restarted(1, {}, 'older');
  await world.run(150);
  expect(world.edge.ready('hello')).toEqual(['hello-1#1']);
  await world.run(1000);
  expect(world.edge.ready('hello')).toEqual(['hello-2#2']);
  await world.run(10_000);
  expect(world.runtime.running).toEqual(['hello-2']);
});

test('a runtime that does not answer at boot blocks starts, is asked again, and then all goes on', async () => {
  const world = new World([service()]);
  world.runtime.launch('hello', 1, hash);
  world.runtime.behaviour.unreachable = true;
  await world.start();
  expect(world.edge.request('hello').outcome).toBe('blocked');
  expect(world.messagesOf('runtime')).toEqual(['process: the engine does not answer; it is tried again']);
  await world.run(5000);
  world.runtime.behaviour.unreachable = false;
  await world.run(10_000);
  expect(world.edge.request('hello').outcome).toBeUndefined();
  await world.run(50);
  expect(world.runtime.starts).toBe(0);
  expect(world.edge.ready('hello')).toHaveLength(1);
});

test('a replica that somebody stops is noticed, and started again when asked for', async () => {
  const world = await World.started([service({ idleMs: 'never' })]);
  world.edge.request('hello');
  await world.run(20_000);
  world.runtime.exit('hello-1');
  await world.run(50);
  expect(world.edge.ready('hello')).toEqual([]);
  expect((await world.status('hello')).state).toBe('asleep');
  const request = world.edge.request('hello');
  await world.run(500);
  expect(request.outcome).toBe('answered');
});

test('a replica that somebody starts is adopted', async () => {
  const world = await World.started([service()]);
  world.runtime.launch('hello', 1, hash);
  await world.run(500);
  expect(world.edge.ready('hello')).toHaveLength(1);
  expect(world.runtime.starts).toBe(0);
});

test('an exit that no event told of is found by a failed connect', async () => {
  const world = await World.started([service({ idleMs: 'never' })]);
  world.edge.request('hello');
  await world.run(20_000);
  const inspect = world.runtime.inspect.bind(world.runtime);
  world.runtime.inspect = async (id) => {
    const instance = await inspect(id);
    return instance && { ...instance, state: 'stopped', address: undefined };
  };
  world.edge.say({ type: 'suspect', service: 'hello', endpoint: 'hello-1#1', cause: 'refused', doubt: 1 });
  await world.run(50);
  expect(world.edge.ready('hello')).toEqual([]);
});

test('a failed connect to a replica that runs changes nothing', async () => {
  const world = await World.started([service({ idleMs: 'never' })]);
  world.edge.request('hello');
  await world.run(1000);
  world.edge.say({ type: 'suspect', service: 'hello', endpoint: 'hello-1#1', cause: 'timeout', doubt: 1 });
  world.runtime.behaviour.unreachable = true;
  world.edge.say({ type: 'suspect', service: 'hello', endpoint: 'hello-1#1', cause: 'timeout', doubt: 1 });
  await world.run(1000);
  expect(world.edge.ready('hello')).toEqual(['hello-1#1']);
});

test('after lost contact what runs is compared with what was known', async () => {
  const world = await World.started([service({ idleMs: 'never', max: 3, initial: 2 })]);
  world.edge.request('hello');
  await world.run(20_000);
  world.runtime.emit({ type: 'lost' });
  world.runtime.exit('hello-1');
  world.runtime.launch('hello', 3, hash);
  world.runtime.emit({ type: 'restored' });
  await world.run(1000);
  expect(world.edge.ready('hello').sort()).toEqual(['hello-2#2', 'hello-3#3']);
});

const instance = (name: string, ordinal: number, change: Partial<Instance> = {}): Instance => ({
  id: `${name}-${ordinal}`,
  service: name,
  ordinal,
  hash: 'now',
  state: 'running',
  address: undefined,
  startedAt: 0,
  health: 'none',
  exitCode: undefined,
  ...change,
});

test('what is paused stays so, and known, unless a start could not have it go on or there is no room', () => {
  const paused = (ordinal: number, hash = 'now') => instance('hello', ordinal, { state: 'paused', hash });
  const hello: AdoptingService = { hash: 'now', max: 3, live: 0, taken: new Set() };
  const found = [paused(1), paused(2, 'old'), paused(3), instance('hello', 4), paused(5)];
  const plan = planAdoption(found, () => hello);
  expect(plan.adopt.map(({ id }) => id)).toEqual(['hello-4']);
  expect(plan.park.map(({ id }) => id)).toEqual(['hello-1', 'hello-3']);
  expect(plan.stop.map(({ id }) => id)).toEqual(['hello-5', 'hello-2']);
});

test('of what runs those with the present run come first, up to max; the rest is stopped', () => {
  const hello: AdoptingService = { hash: 'now', max: 3, live: 1, taken: new Set([2]) };
  const plan = planAdoption(
    [
      instance('hello', 1, { hash: 'old' }),
      instance('hello', 2),
      instance('hello', 3),
      instance('hello', 4),
      instance('hello', 5, { state: 'stopped' }),
      instance('gone', 1),
    ],
    (name) => (name === 'hello' ? hello : undefined),
  );
  expect(plan.adopt.map(({ id }) => id)).toEqual(['hello-3', 'hello-4']);
  expect(plan.stop.map(({ id }) => id)).toEqual(['hello-1', 'gone-1']);
});
