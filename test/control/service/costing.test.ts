import { expect, test } from 'vitest';
import type { Runtime } from '../../../src/model/runtime.ts';
import { testService } from '../support/settings.ts';
import { World } from '../support/world.ts';

const HOUR_MS = 3_600_000;
const costsOf = async (world: World) => {
  const { services } = await world.settle(world.control.costs(world.clock.wall() - 24 * HOUR_MS));
  return services[0];
};

test('what it took, and what it would have taken otherwise', async () => {
  const world = await World.started([testService('hello', { scale: { idleMs: 60_000 } }), testService('other')]);
  let cpuSeconds = 0;
  Object.assign(world.runtime, {
    usage: async () => {
      cpuSeconds += 0.5;
      return { memoryMiB: 100, cpuSeconds };
    },
  } satisfies Partial<Runtime>);
  expect(await costsOf(world)).toBeUndefined();
  for (let i = 0; i < 6; i++) {
    world.edge.request('hello');
    await world.run(1_200_000, 500);
  }
  const costs = await costsOf(world);
  expect(costs).toMatchObject({ service: 'hello', requests: 6, coldStarts: 6 });
  // Six times a minute and what comes with it, of two hours.
  expect(costs?.replicaSeconds).toBeGreaterThan(6 * 58);
  expect(costs?.replicaSeconds).toBeLessThan(6 * 66);
  expect(costs?.memoryMiBSeconds).toBeGreaterThan(6 * 50 * 100);
  expect(costs?.cpuSeconds).toBeGreaterThan(0.5);
  expect(costs?.waitedSeconds).toBeCloseTo(6 * 0.2, 0);
  expect(costs?.alwaysOn.replicaSeconds).toBeGreaterThan(7100);
  expect(costs?.alwaysOn.replicaSeconds).toBeLessThan(7300);
  // Calls come twenty minutes apart: each is kept for ten, the last until now.
  expect(costs?.fixed10m.coldStarts).toBe(6);
  expect(costs?.fixed10m.replicaSeconds).toBeGreaterThan(6 * 590);
  expect(costs?.fixed10m.replicaSeconds).toBeLessThan(6 * 620);
  expect(world.metrics.get('pilotlight_waited_seconds_total', { service: 'hello' })).toBeCloseTo(1.2, 0);
  expect(world.metrics.get('pilotlight_memory_byte_seconds_total', { service: 'hello' })).toBeGreaterThan(2 ** 20);
  expect(world.errors).toEqual([]);
});

test('a runtime that tells of nothing, or fails, costs no figure but memory and CPU', async () => {
  for (const usage of [undefined, async () => undefined, () => Promise.reject(new Error('gone'))]) {
    const world = await World.started([testService('hello')]);
    if (usage !== undefined) Object.assign(world.runtime, { usage });
    world.edge.request('hello');
    await world.run(40_000, 500);
    const costs = await costsOf(world);
    expect(costs).toMatchObject({ requests: 1, coldStarts: 1, memoryMiBSeconds: null, cpuSeconds: null, money: null });
    expect(costs?.replicaSeconds).toBeGreaterThan(35);
    expect(world.errors).toEqual([]);
  }
});
