import { expect, test } from 'vitest';
import { FakeRegistrar } from '../support/fake-discovery.ts';
import { testService } from '../support/settings.ts';
import { World } from '../support/world.ts';

const never = { scale: { idleMs: 'never' as const } };
const signal = () => new AbortController().signal;

test('replicas are stopped or kept as the service says', async () => {
  const world = await World.started([testService('stopped', never), testService('kept', { ...never, onExit: 'keep' })]);
  world.edge.request('stopped');
  world.edge.request('kept');
  await world.run(1000);
  await world.settle(world.control.shutdown(signal()));
  expect(world.runtime.running).toEqual(['kept-1']);
});

test('a replica that is starting is stopped too', async () => {
  const world = await World.started([testService('hello', never)]);
  world.runtime.behaviour.readyMs = 'never';
  world.edge.request('hello');
  await world.run(100);
  await world.settle(world.control.shutdown(signal()));
  expect(world.runtime.running).toEqual([]);
});

test('readiness goes first; what requests wait for still starts; nothing else does', async () => {
  const world = await World.started([
    testService('held', never),
    testService('min', { scale: { min: 1, idleMs: 'never' } }),
  ]);
  await world.run(15_000);
  expect(world.control.ready()).toBe(true);
  const request = world.edge.request('held');
  world.control.beginDrain();
  expect(world.control.ready()).toBe(false);
  expect(world.messagesOf('draining')).toHaveLength(1);
  await world.run(500);
  expect(request.outcome).toBe('answered');
  world.runtime.exit('min-1');
  await world.run(5000);
  expect(world.runtime.running).toEqual(['held-1']);
});

test('a shutdown that is called off by its signal does not wait for the runtime', async () => {
  const world = await World.started([testService('hello', never)]);
  world.edge.request('hello');
  await world.run(1000);
  world.runtime.behaviour.stopMs = 3_600_000;
  const abort = new AbortController();
  const shutdown = world.control.shutdown(abort.signal);
  await world.run(5000);
  abort.abort();
  await shutdown;
  expect(world.runtime.stops).toBe(1);
});

test('a catalogue that does not answer does not hold the exit up for long', async () => {
  const registrar = new FakeRegistrar('edge', 'me:80');
  const world = await World.started([testService('hello', never)], { registrar });
  await world.run(100);
  registrar.unreachable = true;
  const shutdown = world.control.shutdown(signal());
  await world.run(2100);
  await shutdown;
  expect(registrar.calls).toContain('deregister pilotlight-test-hello');
});

test('after the end nothing is left that waits for time', async () => {
  const world = await World.started([
    testService('hello', { scale: { min: 1, idleMs: 1000 } }),
    testService('broken', never),
  ]);
  world.edge.request('hello');
  await world.run(500);
  world.life.abort();
  await world.run(50);
  world.edge.die();
  await world.run(31_000);
  expect(world.clock.pending).toBe(0);
  expect(world.errors).toEqual([]);
});
