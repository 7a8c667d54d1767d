import { expect, test } from 'vitest';
import { victimsFirst } from '../../../src/control/scale/victims.ts';
import { testService, testSettings } from '../support/settings.ts';
import { World } from '../support/world.ts';

const SCALE = { max: 2, min: 2, idleMs: 'never' as const };
const service = (scale = {}) => testService('hello', { scale: { ...SCALE, ...scale }, timeouts: { drainMs: 30_000 } });

/** Two replicas with a request on each, of which one is too many from now on. */
async function shrunk(bodyMs: number, scale = {}) {
  const world = await World.started([service(scale)]);
  await world.run(2000);
  const requests = [world.edge.request('hello', { bodyMs }), world.edge.request('hello', { bodyMs })];
  await world.run(1000);
  expect(world.edge.ready('hello')).toHaveLength(2);
  world.control.reconfigure(testSettings([service({ ...scale, max: 1, min: 1 })]));
  await world.run(1000);
  expect(world.edge.ready('hello')).toHaveLength(1);
  return { world, requests };
}

test('a scale-down waits for what is in flight, however long the drain may take where somebody is in a hurry', async () => {
  const { world, requests } = await shrunk(480_000);
  await world.run(470_000, 1000);
  expect(world.runtime.stops).toBe(0);
  await world.run(20_000, 1000);
  expect(requests.map(({ outcome }) => outcome)).toEqual(['answered', 'answered']);
  expect(world.runtime.stops).toBe(1);
  expect(world.messagesOf('drain-forced')).toEqual([]);
});

test('beyond its patience it cuts, and says how old the request is', async () => {
  const { world, requests } = await shrunk(480_000, { patienceMs: 60_000 });
  await world.run(58_000, 1000);
  expect(world.runtime.stops).toBe(0);
  await world.run(4000, 1000);
  expect(world.runtime.stops).toBe(1);
  expect(requests.filter(({ outcome }) => outcome === 'reset')).toHaveLength(1);
  expect(world.messagesOf('drain-forced')).toEqual([
    expect.stringMatching(/^hello drain forced, 1 in flight on hello-\d, the oldest for 1m/),
  ]);
});

test('what still waits has no longer than the drain when somebody is in a hurry', async () => {
  const { world } = await shrunk(480_000);
  await world.run(100_000, 1000);
  await world.settle(world.control.sleep('hello'));
  await world.run(29_000, 1000);
  expect(world.runtime.stops).toBe(0);
  await world.run(3000, 1000);
  expect(world.runtime.stops).toBe(2);
});

test('when more are needed again, one that still waits is taken back instead of another start', async () => {
  const { world, requests } = await shrunk(480_000);
  await world.run(100_000, 1000);
  world.control.reconfigure(testSettings([service()]));
  await world.run(2000);
  expect(world.edge.ready('hello')).toHaveLength(2);
  expect(world.runtime.starts).toBe(2);
  expect(world.messagesOf('revoked')).toEqual([expect.stringContaining('it is needed again')]);
  await world.run(480_000, 1000);
  expect(requests.map(({ outcome }) => outcome)).toEqual(['answered', 'answered']);
});

test('the victim has no long request, then the least in flight, then is the youngest', () => {
  const replica = (ordinal: number, inFlight: number, oldestMs: number) => ({
    ordinal,
    readyAt: ordinal * 1000,
    inFlight,
    oldestMs,
  });
  const replicas = [
    replica(1, 1, 480_000),
    replica(2, 5, 900),
    replica(3, 2, 3000),
    replica(4, 2, 100),
    replica(5, 3, 60_000),
  ];
  const order = victimsFirst(replicas);
  expect(order.map(({ ordinal }) => ordinal)).toEqual([4, 3, 2, 1, 5]);
});
