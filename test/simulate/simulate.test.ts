import { expect, test } from 'vitest';
import type { AppModel } from '../../src/simulate/app-model.ts';
import { constantRate, type Load, openLoad, stepRates } from '../../src/simulate/load.ts';
import type { ServiceOutcome } from '../../src/simulate/outcome.ts';
import type { SimulatedService } from '../../src/simulate/scenario.ts';
import { constant, exponential } from '../../src/simulate/service-time.ts';
import { simulate } from '../../src/simulate/simulate.ts';
import { type ServiceChange, testService } from '../control/support/settings.ts';

const quick: AppModel = { serviceTime: exponential(20), slots: 1 };

async function outcomeOf(
  seconds: number,
  load: Load,
  app: AppModel,
  change: ServiceChange & Partial<SimulatedService> = {},
  seed = 1,
): Promise<ServiceOutcome> {
  const { running, patienceMs, start = { startMs: 1500 }, ...settings } = change;
  const service = testService('a', { ...settings, scale: { min: 1, max: 1, ...settings.scale } });
  const services = [{ settings: service, app, load, start, running, patienceMs } as SimulatedService];
  const outcome = await simulate({ services, seconds, seed }, 'pilotlight');
  return outcome.services[0] as ServiceOutcome;
}

/** Requests that were sent and are not over. */
function underWay({ arrivals, answered, shed, errors, lost }: ServiceOutcome): number {
  return arrivals - answered - shed - errors - lost;
}

test('a replica with one slot and memoryless times holds as many requests as theory says', async () => {
  const { series } = await outcomeOf(4000, openLoad(constantRate(25)), quick);
  const mean = series.reduce((sum, { inFlight }) => sum + inFlight, 0) / series.length;
  // Of M/M/1 at half of its capacity there is one, on average.
  expect(mean).toBeGreaterThan(0.85);
  expect(mean).toBeLessThan(1.15);
});

test('a lock that all replicas share lets through as much as one could', async () => {
  const app = { serviceTime: constant(1), slots: 20, shared: { connections: 1, serviceTime: constant(20) } };
  const change = { running: 4, scale: { min: 4, max: 4 } };
  const { series } = await outcomeOf(60, openLoad(constantRate(100)), app, change);
  for (const { answered } of series.slice(5)) expect(answered).toBeLessThanOrEqual(51);
  expect(series.at(-1)?.answered).toBeGreaterThanOrEqual(49);
});

test('every request ends in one way, whatever becomes of the replicas', async () => {
  const app = {
    ...quick,
    shedsAbove: 30,
    crash: { afterMs: 20_000 },
    errors: { share: 0.1, serviceTime: constant(5) },
  };
  const load = openLoad(
    stepRates([
      { atMs: 0, perSecond: 10 },
      { atMs: 10_000, perSecond: 150 },
      { atMs: 60_000, perSecond: 0 },
    ]),
  );
  const outcome = await outcomeOf(120, load, app, { patienceMs: 300, scale: { max: 5 } });
  expect(outcome.shed).toBeGreaterThan(0);
  expect(outcome.errors).toBeGreaterThan(0);
  expect(outcome.lost).toBeGreaterThan(0);
  expect(underWay(outcome)).toBe(0);
  const { inFlight, queued } = outcome.series.at(-1) as ServiceOutcome['series'][number];
  expect(inFlight + queued).toBe(0);
});

test('what is under way at a second is what has arrived and not ended', async () => {
  const outcome = await outcomeOf(30, openLoad(constantRate(100)), quick);
  const { inFlight, queued } = outcome.series.at(-1) as ServiceOutcome['series'][number];
  expect(underWay(outcome)).toBe(inFlight + queued);
});

test('the same seed gives the same outcome, and another one another', async () => {
  const load = openLoad(constantRate(80));
  const run = (seed: number) => outcomeOf(60, load, quick, { scale: { max: 3 } }, seed);
  expect(await run(7)).toEqual(await run(7));
  expect((await run(7)).series).not.toEqual((await run(8)).series);
});

test('a service that sleeps is started by its first request, which waits for it', async () => {
  const outcome = await outcomeOf(10, openLoad(constantRate(5)), quick, { scale: { min: 0, max: 1 } });
  expect(outcome).toMatchObject({ starts: 1, mostReplicas: 1, shed: 0, lost: 0, errors: 0 });
  expect(Math.max(...outcome.series.map(({ p95Ms = 0 }) => p95Ms))).toBeGreaterThan(1400);
});

test('clients of a closed loop send the next request when they have their answer', async () => {
  const load: Load = { kind: 'closed', clients: 4, think: constant(80) };
  const { answered, series } = await outcomeOf(60, load, { serviceTime: constant(20), slots: 4 });
  expect(answered).toBeGreaterThan(0.98 * 4 * 10 * 60);
  expect(answered).toBeLessThanOrEqual(4 * 10 * 60 + 4);
  for (const { inFlight } of series) expect(inFlight).toBeLessThanOrEqual(4);
});

test('replicas that need more than one slot each queue at the edge where concurrency bounds them', async () => {
  const change = { scale: { min: 1, max: 1, concurrency: 2 } };
  const { series } = await outcomeOf(
    20,
    openLoad(constantRate(100)),
    { serviceTime: constant(100), slots: 50 },
    change,
  );
  for (const { inFlight } of series) expect(inFlight).toBeLessThanOrEqual(2);
  expect(series.at(-1)?.queued).toBeGreaterThan(0);
});

test('a replica that falls sick is taken out of rotation by its health checks, the others are not', async () => {
  const check = { kind: 'connect' as const };
  const health = { check, intervalMs: 2000, timeoutMs: 1000, rise: 2, fall: 2 };
  const app: AppModel = { ...quick, sick: { afterMs: 20_000, first: 1, answers: 'errors' } };
  const load = openLoad(constantRate(20));
  const { errors, series } = await outcomeOf(90, load, app, { health, running: 2, scale: { min: 2, max: 3 } });
  expect(errors).toBeGreaterThan(0);
  expect(series.slice(0, 19).every((point) => point.errors === 0)).toBe(true);
  expect(series.slice(60).every((point) => point.errors === 0)).toBe(true);
});

test('a start that fails is one of those that were tried', async () => {
  const start = { startMs: 1000, failsFirst: 1 };
  const outcome = await outcomeOf(60, openLoad(constantRate(2)), quick, { start, scale: { min: 0, max: 1 } });
  expect(outcome).toMatchObject({ starts: 2, failedStarts: 1, lastReplicas: 1 });
});

test('what the services share bounds all of them together', async () => {
  const service = (name: string): SimulatedService => ({
    settings: testService(name, { scale: { min: 1, max: 5 } }),
    app: quick,
    load: openLoad(constantRate(200)),
    start: { startMs: 1500 },
  });
  const scenario = { services: [service('a'), service('b')], seconds: 120, seed: 1, budget: { replicas: 3 } };
  const { services } = await simulate(scenario, 'pilotlight');
  expect(services.map(({ service }) => service)).toEqual(['a', 'b']);
  expect(services.reduce((sum, { lastReplicas }) => sum + lastReplicas, 0)).toBe(3);
});
