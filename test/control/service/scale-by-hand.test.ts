import { expect, test } from 'vitest';
import { testService, testSettings } from '../support/settings.ts';
import { World } from '../support/world.ts';

const scale = (world: World, to: number, dryRun = false) => world.settle(world.control.scale('a', to, dryRun));

/** Whoever waits for a slot waits on. */
const patient = { ...testService('a').hold, timeoutMs: 3_600_000 };

test('from asleep as many are started at once as were asked for, also fewer than initial', async () => {
  const world = await World.started([testService('a', { scale: { max: 5, initial: 2 } })]);
  expect(await scale(world, 3)).toMatchObject({ from: 0, to: 3, limits: [], cooldownMs: 60_000 });
  await world.run(1000);
  expect(world.edge.ready('a')).toHaveLength(3);
  expect(world.messagesOf('waking')).toEqual(['a waking (by hand)']);
  const other = await World.started([testService('a', { scale: { max: 5, initial: 2 } })]);
  await scale(other, 1);
  await other.run(1000);
  expect(other.runtime.starts).toBe(1);
  expect(other.errors).toEqual([]);
});

test('up and down take effect at once, are decisions by hand, and 0 puts it to sleep', async () => {
  const world = await World.started([testService('a', { scale: { max: 5 } })]);
  await scale(world, 1);
  await world.run(500);
  await scale(world, 4);
  await world.run(500);
  expect(world.edge.ready('a')).toHaveLength(4);
  expect((await world.status('a')).lastDecision).toMatchObject({
    action: 'scale-up',
    from: 1,
    to: 4,
    reason: 'by hand',
  });
  await scale(world, 2);
  await world.run(2000);
  expect(world.edge.ready('a')).toHaveLength(2);
  expect(world.messagesOf('scaled')).toEqual(['a scaled 1→4 by hand', 'a scaled 4→2 by hand']);
  await world.run(5000);
  expect(world.runtime.starts).toBe(4);
  await scale(world, 0);
  await world.run(2000);
  expect(world.edge.ready('a')).toEqual([]);
  expect(world.errors).toEqual([]);
});

test('what only starts is called off where fewer are wanted', async () => {
  const world = await World.started([testService('a', { scale: { max: 5 } })]);
  world.runtime.behaviour.startMs = 5000;
  await scale(world, 4);
  await world.run(100);
  await scale(world, 1);
  await world.run(10_000);
  expect(world.edge.ready('a')).toHaveLength(1);
  expect(world.errors).toEqual([]);
});

test('the scaler leaves it alone for the cooldown, says so, and acts again after it', async () => {
  const world = await World.started([testService('a', { hold: patient, scale: { max: 5, concurrency: 1 } })]);
  await scale(world, 1);
  await world.run(1000);
  for (let i = 0; i < 4; i++) world.edge.request('a', { bodyMs: 200_000 });
  await world.run(50_000);
  expect(world.edge.ready('a')).toHaveLength(1);
  expect((await world.status('a')).heldBack).toMatchObject({ guards: ['cooldown'] });
  await world.run(15_000);
  expect(world.edge.ready('a').length).toBeGreaterThan(1);
});

test('a dry run tells and does nothing; a service in a dry run is scaled by hand all the same', async () => {
  const world = await World.started([testService('a', { scale: { max: 5, dryRun: true } })]);
  expect(await scale(world, 3, true)).toMatchObject({ from: 0, to: 3, dryRun: true });
  await world.run(1000);
  expect(world.runtime.starts).toBe(0);
  expect(world.events).toEqual([]);
  await scale(world, 3);
  await world.run(1000);
  expect(world.edge.ready('a')).toHaveLength(3);
});

test('outside the bounds nothing happens, and the bounds are named', async () => {
  const world = await World.started([testService('a', { scale: { min: 2, max: 5 } })]);
  await world.run(1000);
  for (const to of [1, 6]) {
    await expect(world.control.scale('a', to, false)).rejects.toMatchObject({
      code: 'SCALE_OUT_OF_BOUNDS',
      message: `a has from 2 (min) to 5 (max) replicas, or 0 to sleep, not ${to}`,
    });
  }
  await world.run(1000);
  expect(world.edge.ready('a')).toHaveLength(2);
});

test('what the budget has no room for is said, and starts when there is room', async () => {
  const services = [testService('a', { scale: { max: 5 } }), testService('b', { scale: { max: 5 } })];
  const settings = testSettings(services);
  const world = await World.started({ ...settings, budget: { ...settings.budget, replicas: 3 } });
  await world.settle(world.control.scale('b', 2, false));
  await world.run(1000);
  expect((await scale(world, 3)).limits).toEqual([
    'the budget of all services has room for 1 more: 2 of 3 will wait for it',
  ]);
  await world.run(1000);
  expect(world.edge.ready('a')).toHaveLength(1);
  await world.settle(world.control.sleep('b'));
  await world.run(3000);
  expect(world.edge.ready('a')).toHaveLength(3);
});
