import { expect, test } from 'vitest';
import type { CostHistory } from '../../../src/control/journal/cost-history.ts';
import type { LearntStore } from '../../../src/control/scale/learnt-store.ts';
import type { Runtime } from '../../../src/model/runtime.ts';
import { testRun, testService } from '../support/settings.ts';
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

test('what comes between the last report of an edge and the end of the proxy is counted', async () => {
  const kept = new Map<string, CostHistory>();
  const costs: LearntStore<CostHistory> = {
    has: () => false,
    take: () => undefined,
    put: (service, history) => kept.set(service, history),
    drop: () => {},
  };
  const world = await World.started([testService('hello')], { costs });
  for (let i = 0; i < 25; i++) {
    world.edge.request('hello');
    await world.run(90, 10);
  }
  await world.settle(world.control.shutdown(new AbortController().signal));
  expect(kept.get('hello')?.sums(0).requests).toBe(25);
});

test('what is paused goes on to cost memory, and its wakes are no cold starts', async () => {
  const run = { ...testRun(), standby: 'paused' as const };
  const world = await World.started([testService('hello', { run, scale: { idleMs: 10_000 } })]);
  const usage = async () => ({ memoryMiB: 100, cpuSeconds: 1 });
  Object.assign(world.runtime, { usage } satisfies Partial<Runtime>);
  for (let i = 0; i < 3; i++) {
    world.edge.request('hello');
    await world.run(100_000, 500);
  }
  const costs = await costsOf(world);
  expect(costs).toMatchObject({ requests: 3, coldStarts: 1, resumes: 2 });
  expect(costs?.replicaSeconds).toBeGreaterThan(28);
  expect(costs?.replicaSeconds).toBeLessThan(40);
  expect(costs?.pausedSeconds).toBeGreaterThan(255);
  expect(costs?.pausedSeconds).toBeLessThan(275);
  expect(costs?.memoryMiBSeconds).toBeGreaterThan(28_000);
});
