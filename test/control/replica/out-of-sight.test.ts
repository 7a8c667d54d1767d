import { expect, test } from 'vitest';
import { testService } from '../support/settings.ts';
import { World } from '../support/world.ts';

/** A service that was used once and goes to sleep after 5 s. */
async function used() {
  const world = await World.started([testService('hello', { scale: { idleMs: 5000 } })]);
  world.edge.request('hello');
  await world.run(1000);
  return world;
}

test('what an edge that is cut off may use is not stopped for want of use until it is back', async () => {
  const world = await used();
  world.control.absent.lose('edge-9');
  await world.run(60_000);
  expect(world.runtime.stops).toBe(0);
  world.addEdge('edge-9');
  await world.run(10_000);
  expect(world.runtime.stops).toBe(1);
});

test('after ten minutes it does not count any more', async () => {
  const world = await used();
  world.control.absent.lose('edge-9');
  await world.run(595_000, 1000);
  expect(world.runtime.stops).toBe(0);
  await world.run(20_000, 1000);
  expect(world.runtime.stops).toBe(1);
});

test('what was started since it was cut off is none of its', async () => {
  const world = await World.started([testService('hello', { scale: { idleMs: 5000 } })]);
  world.control.absent.lose('edge-9');
  await world.run(1000);
  world.edge.request('hello');
  await world.run(20_000);
  expect(world.runtime.stops).toBe(1);
});

test('an operator who puts it to sleep is obeyed', async () => {
  const world = await used();
  world.control.absent.lose('edge-9');
  await world.settle(world.control.sleep('hello'));
  await world.run(3000);
  expect(world.runtime.stops).toBe(1);
});
