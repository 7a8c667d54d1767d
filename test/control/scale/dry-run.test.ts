import { expect, test } from 'vitest';
import { testScale, testService } from '../support/settings.ts';
import { World } from '../support/world.ts';

test('a dry run of a service that is saturated for long says so at each step, not at each tick', async () => {
  const latency = { ...testScale.latency, aboveMs: 300 };
  const world = await World.started([testService('slow', { scale: { latency, dryRun: true } })]);
  Object.assign(world.runtime.behaviour, { workers: 1, serviceMs: 40 });
  await world.load('slow', 10, 10_000);
  await world.load('slow', 60, 45_000);
  const scaled = world.messagesOf('scaled');
  expect(scaled.length).toBeGreaterThan(1);
  expect(scaled.length).toBeLessThanOrEqual(3);
  expect(scaled.every((message) => message.startsWith('slow would scale 1→2 (dry run)'))).toBe(true);
  expect(world.runtime.starts).toBe(1);
});
