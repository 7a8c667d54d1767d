import { expect, test } from 'vitest';
import { type CostInputs, costFigures } from '../../../src/control/journal/cost-figures.ts';
import type { PriceSettings } from '../../../src/model/costs.ts';

const free: PriceSettings = {
  currency: 'EUR',
  replicaHour: undefined,
  memoryHour: undefined,
  cpuHour: undefined,
  waitedHour: undefined,
};
/** Ten calls an hour apart, each kept for a minute, a start takes two seconds. */
const inputs: CostInputs = {
  service: 'shop',
  sums: {
    replicaSeconds: 630,
    awakeSeconds: 630,
    idleReplicaSeconds: 600,
    memoryMiBSeconds: 63_000,
    cpuSeconds: 5,
    coldStarts: 10,
    waitedSeconds: 20,
    requests: 10,
    fixedIdleSeconds: 9 * 600,
    fixedWakes: 10,
    pausedSeconds: 0,
    resumes: 0,
  },
  spanSeconds: 36_000,
  idleSeconds: 100,
  startSeconds: 2,
  waitSeconds: 2,
  disk: null,
  prices: free,
};

test('always on runs all the time, and nobody waits', () => {
  const { alwaysOn, ...costs } = costFigures(inputs);
  expect(costs).toMatchObject({ service: 'shop', replicaSeconds: 630, memoryMiBSeconds: 63_000, requests: 10 });
  expect(alwaysOn).toEqual({
    replicaSeconds: 36_000,
    memoryMiBSeconds: 3_600_000,
    coldStarts: 0,
    waitedSeconds: 0,
    money: null,
  });
});

test('ten minutes each time are idle time of ten minutes, and spare the starts between calls that are closer', () => {
  const { fixed10m } = costFigures(inputs);
  expect(fixed10m).toMatchObject({ replicaSeconds: 30 + 9 * 600 + 100, coldStarts: 10, waitedSeconds: 20 });
  const closer = { ...inputs.sums, fixedIdleSeconds: 9 * 300, fixedWakes: 1 };
  expect(costFigures({ ...inputs, sums: closer }).fixed10m).toMatchObject({
    replicaSeconds: 30 + 9 * 300 + 100 - 9 * 2,
    coldStarts: 1,
    waitedSeconds: 2,
  });
});

test('prices turn it into money', () => {
  const prices = { ...free, replicaHour: 1, memoryHour: 10, cpuHour: 100, waitedHour: 1000 };
  const { money, alwaysOn } = costFigures({ ...inputs, prices });
  const cpu = (100 * 5) / 3600;
  expect(money).toBeCloseTo(630 / 3600 + (10 * 63_000) / 1024 / 3600 + cpu + (1000 * 20) / 3600);
  expect(alwaysOn.money).toBeCloseTo(10 + (10 * 3_600_000) / 1024 / 3600 + cpu);
});

test('where nothing tells of memory, none is made up', () => {
  const { memoryMiBSeconds, cpuSeconds, alwaysOn } = costFigures({
    ...inputs,
    sums: { ...inputs.sums, memoryMiBSeconds: 0, cpuSeconds: 0 },
  });
  expect([memoryMiBSeconds, cpuSeconds, alwaysOn.memoryMiBSeconds]).toEqual([null, null, null]);
});

test('what is paused costs memory, and no replica', () => {
  const sums = { ...inputs.sums, memoryMiBSeconds: 126_000, pausedSeconds: 630, resumes: 9 };
  const costs = costFigures({ ...inputs, sums });
  expect(costs).toMatchObject({ replicaSeconds: 630, memoryMiBSeconds: 126_000, pausedSeconds: 630, resumes: 9 });
  // With it the same memory belongs to twice as much time.
  expect(costs.alwaysOn.memoryMiBSeconds).toBe(3_600_000);
});
