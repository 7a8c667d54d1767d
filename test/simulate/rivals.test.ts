import { expect, test } from 'vitest';
import type { AppModel } from '../../src/simulate/app-model.ts';
import { constantRate, openLoad, stepRates } from '../../src/simulate/load.ts';
import type { ServiceOutcome } from '../../src/simulate/outcome.ts';
import type { Rival } from '../../src/simulate/policy.ts';
import { fixed } from '../../src/simulate/rivals/fixed.ts';
import { hpa } from '../../src/simulate/rivals/hpa.ts';
import { kpa } from '../../src/simulate/rivals/kpa.ts';
import type { SimulatedService } from '../../src/simulate/scenario.ts';
import { exponential } from '../../src/simulate/service-time.ts';
import { simulate } from '../../src/simulate/simulate.ts';
import { testService } from '../control/support/settings.ts';

const quick: AppModel = { serviceTime: exponential(20), slots: 1 };
const calm = openLoad(constantRate(10));
const step = openLoad(
  stepRates([
    { atMs: 0, perSecond: 10 },
    { atMs: 30_000, perSecond: 120 },
    { atMs: 150_000, perSecond: 10 },
  ]),
);

async function outcomeOf(rival: Rival, seconds: number, change: Partial<SimulatedService>): Promise<ServiceOutcome> {
  const settings = testService('a', { scale: { min: 1, max: 10 } });
  const service = { settings, app: quick, load: calm, start: { startMs: 1500 }, ...change };
  const { policy, services } = await simulate({ services: [service], seconds, seed: 1 }, rival);
  expect(policy).toBe(rival.name);
  return services[0] as ServiceOutcome;
}

test('a fixed number of replicas is started, and kept when one of them ends', async () => {
  const app = { ...quick, crash: { afterMs: 20_000, first: 1 } };
  const { starts, lastReplicas, mostReplicas } = await outcomeOf(fixed(3), 60, { app });
  expect(lastReplicas).toBe(3);
  expect(mostReplicas).toBe(3);
  expect(starts).toBeGreaterThanOrEqual(3);
});

test('of too many the youngest go, and nothing is lost by it', async () => {
  const { stops, lastReplicas, arrivals, answered, lost } = await outcomeOf(fixed(2), 30, { running: 5 });
  expect({ stops, lastReplicas, lost }).toEqual({ stops: 3, lastReplicas: 2, lost: 0 });
  expect(arrivals - answered).toBeLessThan(3);
});

test('a rival sees the load rise and fall', async () => {
  for (const rival of [kpa(1), hpa()]) {
    const { mostReplicas, lastReplicas, decisions } = await outcomeOf(rival, 900, { load: step });
    expect(mostReplicas).toBeGreaterThan(2);
    expect(lastReplicas).toBeLessThan(mostReplicas);
    expect(decisions[0]).toMatchObject({ action: 'scale-up', from: 1 });
  }
});

test('rivals share what there is room for, too', async () => {
  const service = (name: string): SimulatedService => ({
    settings: testService(name, { scale: { min: 1, max: 10 } }),
    app: quick,
    load: calm,
    start: { startMs: 1500 },
  });
  const scenario = { services: [service('a'), service('b')], seconds: 30, seed: 1, budget: { replicas: 5 } };
  const { services } = await simulate(scenario, fixed(4));
  expect(services.map(({ lastReplicas }) => lastReplicas)).toEqual([4, 1]);
});
