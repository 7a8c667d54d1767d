import { expect, test } from 'vitest';
import { testService } from './support/settings.ts';
import { World } from './support/world.ts';

const service = (scale = {}) => testService('hello', { scale: { idleMs: 5000, ...scale } });

test('an idle service is asleep on time, after the end of its last activity', async () => {
  const world = await World.started([service()]);
  const request = world.edge.request('hello', { bodyMs: 15_000 });
  await world.run(15_500);
  expect(request.outcome).toBe('answered');
  expect(world.runtime.stops).toBe(0);
  let stoppedAt = 0;
  world.runtime.onStop = () => {
    stoppedAt = world.clock.now();
  };
  await world.run(8000);
  expect(stoppedAt - request.endedAt).toBeGreaterThanOrEqual(5000);
  expect(stoppedAt - request.endedAt).toBeLessThanOrEqual(6000);
  expect(world.messagesOf('asleep')).toEqual(['hello asleep after 5s idle']);
  expect((await statusOf(world)).state).toBe('asleep');
  expect(world.errors).toEqual([]);
});

async function statusOf(world: World) {
  const status = world.control.service('hello');
  await world.run(300);
  return status;
}
