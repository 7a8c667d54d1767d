import { expect, test } from 'vitest';
import { testService } from '../support/settings.ts';
import { World } from '../support/world.ts';

const service = (change = {}) => testService('hello', { scale: { idleMs: 3_600_000 }, ...change });

/** A world in which the service is awake, with one request going on for `bodyMs`. */
async function awake(bodyMs: number, change = {}) {
  const world = await World.started([service(change)]);
  const long = world.edge.request('hello', { bodyMs });
  await world.run(500);
  return { world, long };
}

test('a stop waits until every edge acknowledged and nothing is in flight', async () => {
  const { world, long } = await awake(8000);
  const other = world.addEdge('edge-2');
  await world.run(100);
  const short = other.request('hello', { bodyMs: 4000 });
  await world.settle(world.control.sleep('hello'));
  await world.run(5000);
  expect(short.outcome).toBe('answered');
  expect(world.runtime.stops).toBe(0);
  expect((await world.status('hello')).state).toBe('retiring');
  await world.run(4000);
  expect(long.outcome).toBe('answered');
  expect(world.runtime.stops).toBe(1);
  expect(world.messagesOf('drain-forced')).toEqual([]);
  expect(world.messagesOf('asleep')).toEqual(['hello asleep (by hand)']);
});

test('while it drains nothing new is dispatched to it; a request that has nowhere else to go gets it back', async () => {
  const { world, long } = await awake(8000);
  await world.settle(world.control.sleep('hello'));
  expect(world.edge.ready('hello')).toEqual([]);
  const request = world.edge.request('hello');
  await world.run(100);
  expect(request.outcome).toBe('answered');
  expect(world.edge.ready('hello')).toEqual(['hello-1#1']);
  await world.run(10_000);
  expect(long.outcome).toBe('answered');
  expect(world.runtime.calls).toEqual(['start hello-1']);
  expect(world.messagesOf('revoked')).toEqual(['hello retire revoked (hello-1): a request came']);
});

test('once the stop is issued a request waits for a fresh start, after the exit where there is no room before', async () => {
  const { world } = await awake(0, { scale: { max: 1, idleMs: 3_600_000 } });
  world.runtime.behaviour.stopMs = 3000;
  await world.settle(world.control.sleep('hello'));
  expect(world.runtime.stops).toBe(1);
  const dispatched: string[] = [];
  world.edge.onDispatch = (_, endpoint) => dispatched.push(endpoint);
  const request = world.edge.request('hello');
  await world.run(2000);
  expect(request.outcome).toBeUndefined();
  expect(world.runtime.starts).toBe(1);
  await world.run(2000);
  expect(request.outcome).toBe('answered');
  expect(dispatched).toEqual(['hello-1#2']);
});

test('where there is room a fresh start does not wait for the exit of the old one', async () => {
  const { world } = await awake(0);
  world.runtime.behaviour.stopMs = 30_000;
  await world.settle(world.control.sleep('hello'));
  const request = world.edge.request('hello');
  await world.run(500);
  expect(request.outcome).toBe('answered');
  expect(world.runtime.calls).toEqual(['start hello-1', 'stop hello-1', 'start hello-2']);
});

test('the drain deadline forces the stop: told, counted, and what is left is closed first', async () => {
  const { world, long } = await awake(60_000, { timeouts: { drainMs: 10_000 } });
  await world.settle(world.control.sleep('hello'));
  await world.run(9000);
  expect(world.runtime.stops).toBe(0);
  let outcomeAtStop: unknown;
  world.runtime.onStop = () => {
    outcomeAtStop = long.outcome;
  };
  await world.run(1500);
  expect(world.runtime.stops).toBe(1);
  expect(outcomeAtStop).toBe('reset');
  expect(world.messagesOf('drain-forced')).toEqual([
    expect.stringMatching(/^hello drain forced, 1 in flight on hello-1, the oldest for (9|10)[\d.]*s$/),
  ]);
  const forced = { service: 'hello', direction: 'down', reason: 'drain-forced' };
  expect(world.metrics.get('pilotlight_scale_decisions_total', forced)).toBe(1);
});

test('an edge that goes away takes its requests with it: that is its acknowledgement', async () => {
  const { world } = await awake(0);
  const other = world.addEdge('edge-2');
  await world.run(100);
  other.acknowledges = false;
  other.request('hello', { bodyMs: 60_000 });
  await world.settle(world.control.sleep('hello'));
  await world.run(1000);
  expect(world.runtime.stops).toBe(0);
  other.die();
  await world.run(100);
  expect(world.runtime.stops).toBe(1);
});

test('an edge that does not acknowledge in five seconds is ended, and its end is the acknowledgement', async () => {
  const { world } = await awake(0);
  const ended: number[] = [];
  const other = world.addEdge('edge-2', () => ended.push(world.clock.now()));
  await world.run(100);
  other.acknowledges = false;
  const cordonedAt = world.clock.now();
  await world.settle(world.control.sleep('hello'));
  await world.run(4500);
  expect(ended).toEqual([]);
  await world.run(3000);
  expect(ended.map((at) => Math.round(at - cordonedAt))).toEqual([5000]);
  expect(world.runtime.stops).toBe(0);
  other.die();
  await world.run(100);
  expect(world.runtime.stops).toBe(1);
});

test('an edge that cannot be ended counts as gone after five seconds', async () => {
  const { world } = await awake(0);
  world.edge.acknowledges = false;
  await world.settle(world.control.sleep('hello'));
  await world.run(4500);
  expect(world.runtime.stops).toBe(0);
  await world.run(1000);
  expect(world.runtime.stops).toBe(1);
});

test('a drain shorter than that does not do without the acknowledgement', async () => {
  const { world } = await awake(0, { timeouts: { drainMs: 1000 } });
  const other = world.addEdge('edge-2', () => other.die());
  await world.run(100);
  other.acknowledges = false;
  await world.settle(world.control.sleep('hello'));
  await world.run(4500);
  expect(world.runtime.stops).toBe(0);
  await world.run(1000);
  expect(world.runtime.stops).toBe(1);
});

test('an acknowledgement of an earlier cordon does not count', async () => {
  const { world } = await awake(0);
  world.edge.acknowledges = false;
  await world.settle(world.control.sleep('hello'));
  const ack = {
    type: 'ack' as const,
    service: 'hello',
    endpoint: 'hello-1#1',
    inFlight: 0,
    quiet: 0,
    passive: 0,
    idleForMs: 9999,
  };
  world.edge.say({ ...ack, version: 1 });
  await world.run(100);
  expect(world.runtime.stops).toBe(0);
  world.edge.say({ ...ack, version: 1_000_000 });
  await world.run(100);
  expect(world.runtime.stops).toBe(1);
});

test('an idle retire is called off when an acknowledgement tells of activity', async () => {
  const world = await World.started([service({ scale: { idleMs: 5000 } })]);
  world.edge.request('hello');
  await world.run(1000);
  world.edge.acknowledges = false;
  await world.run(5500);
  expect(world.messagesOf('retiring')).toEqual(['hello retiring hello-1 (idle for 5 s)']);
  const version = world.edge.service('hello').cordons.get('hello-1#1')?.version ?? 0;
  const ack = {
    type: 'ack' as const,
    service: 'hello',
    endpoint: 'hello-1#1',
    inFlight: 0,
    quiet: 0,
    passive: 0,
    idleForMs: 30,
    version,
  };
  world.edge.acknowledges = true;
  world.edge.say(ack);
  await world.run(3000);
  expect(world.messagesOf('revoked')).toEqual(['hello retire revoked (hello-1): there was activity']);
  expect(world.edge.ready('hello')).toEqual(['hello-1#1']);
  expect(world.runtime.stops).toBe(0);
  await world.run(4000);
  expect(world.runtime.stops).toBe(1);
});

test('a replica that ends by itself while it drains is not stopped again', async () => {
  const { world } = await awake(60_000);
  await world.run(15_000);
  await world.settle(world.control.sleep('hello'));
  world.runtime.exit('hello-1');
  await world.run(1000);
  expect(world.runtime.stops).toBe(0);
  expect((await world.status('hello')).state).toBe('asleep');
});

test('a stop that the runtime refuses is tried again, and holds its place until then', async () => {
  const { world } = await awake(0, { scale: { max: 1, idleMs: 3_600_000 } });
  world.runtime.behaviour.unreachable = true;
  await world.settle(world.control.sleep('hello'));
  await world.run(500);
  const request = world.edge.request('hello');
  await world.run(1000);
  expect(world.runtime.starts).toBe(1);
  world.runtime.behaviour.unreachable = false;
  await world.run(5000);
  expect(world.runtime.stops).toBe(1);
  expect(request.outcome).toBe('answered');
});

test('sleep by hand does not wake again by min, but a request does', async () => {
  const world = await World.started([service({ scale: { min: 1, idleMs: 3_600_000 } })]);
  await world.run(1000);
  expect(world.runtime.running).toEqual(['hello-1']);
  await world.settle(world.control.sleep('hello'));
  await world.run(60_000);
  expect(world.runtime.running).toEqual([]);
  const request = world.edge.request('hello');
  await world.run(500);
  expect(request.outcome).toBe('answered');
});
