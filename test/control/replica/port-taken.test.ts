import { expect, test } from 'vitest';
import { sleep } from '../../../src/util/clock.ts';
import { testService } from '../support/settings.ts';
import { World } from '../support/world.ts';

/** Another program listens at the port of the only replica from now on. */
async function takePort(world: World): Promise<void> {
  const [replica] = (await world.status('hello')).replicas;
  world.runtime.taken.add(Number(replica?.address?.split(':').at(-1)));
}

function doubt({ edge }: World, cause: 'unproven' | 'closed'): void {
  edge.say({ type: 'suspect', service: 'hello', endpoint: 'hello-1#1', cause, doubt: 1 });
}

test('a start whose port another program listens on is tried again with another one, and is no failure', async () => {
  const world = await World.started([testService('hello')]);
  world.runtime.behaviour.strangers = 2;
  const request = world.edge.request('hello');
  await world.run(1500);
  expect(request.outcome).toBe('answered');
  expect(world.runtime.calls).toEqual([
    'start hello-1',
    'stop hello-1',
    'start hello-1',
    'stop hello-1',
    'start hello-1',
  ]);
  expect(world.messagesOf('start-failed')).toEqual([]);
  expect(world.runtime.running).toHaveLength(1);
  expect(world.errors).toEqual([]);
});

test('where that goes on, the start fails, says who has the port, and nothing of it stays', async () => {
  const world = await World.started([testService('hello')]);
  world.runtime.behaviour.strangers = 100;
  const request = world.edge.request('hello');
  await world.run(2500);
  expect(request.outcome).toBe('failed');
  expect(world.runtime.starts).toBe(6);
  expect(world.messagesOf('start-failed')[0]).toMatch(/port \d+ was taken by another program \(pid 7\)/);
  expect(world.runtime.running).toEqual([]);
});

test('a start that is called off while its first try ends is not tried again', async () => {
  const world = await World.started([testService('hello')]);
  world.runtime.behaviour.strangers = 100;
  await world.control.wake('hello');
  await world.run(400);
  await world.control.sleep('hello');
  await world.run(500);
  const before = world.runtime.starts;
  await world.run(3000);
  expect(world.runtime.starts).toBe(before);
  expect(world.runtime.running).toEqual([]);
});

test('a replica that is found in doubt to have lost its port gets nothing more, and another one takes its place', async () => {
  const world = await World.started([testService('hello')]);
  const first = world.edge.request('hello');
  await world.run(500);
  expect(first.outcome).toBe('answered');
  await takePort(world);
  doubt(world, 'unproven');
  await world.run(50);
  expect(world.edge.messages.filter(({ type }) => type === 'trust')).toEqual([]);
  expect(world.edge.ready('hello')).toEqual([]);
  expect(world.messagesOf('exited')[0]).toMatch(
    /^hello lost hello-1: port \d+ was taken by another program \(pid 7\)$/,
  );
  const next = world.edge.request('hello');
  await world.run(1000);
  expect(next.outcome).toBe('answered');
  expect(world.messagesOf('start-failed')).toEqual([]);
  expect(world.runtime.running).toHaveLength(1);
});

test('that holds where the runtime cannot be asked', async () => {
  const world = await World.started([testService('hello')]);
  world.edge.request('hello');
  await world.run(500);
  await takePort(world);
  world.runtime.behaviour.unreachable = true;
  doubt(world, 'closed');
  await world.run(100);
  expect(world.edge.messages.filter(({ type }) => type === 'trust')).toEqual([]);
  expect(world.edge.ready('hello')).toEqual([]);
  expect(world.messagesOf('exited')).toHaveLength(1);
});

test('one that retires while the runtime is asked about its loss ends, and no edge is waited for', async () => {
  const world = await World.started([testService('hello')]);
  world.edge.request('hello');
  await world.run(500);
  await takePort(world);
  const inspect = world.runtime.inspect.bind(world.runtime);
  world.runtime.inspect = async (id) => {
    await sleep(world.clock, 100, world.life.signal);
    return inspect(id);
  };
  doubt(world, 'closed');
  await world.run(20);
  await world.control.sleep('hello');
  await world.run(1000);
  expect(world.runtime.running).toEqual([]);
  expect((await world.status('hello')).replicas).toMatchObject([{ state: 'stopped' }]);
  await world.run(10_000);
  expect(world.runtime.starts).toBe(1);
  expect(world.errors).toEqual([]);
});
