import { expect, test } from 'vitest';
import type { AppModel } from '../../src/simulate/app-model.ts';
import { constantRate, openLoad, type Profile, stepRates } from '../../src/simulate/load.ts';
import type { ServiceOutcome } from '../../src/simulate/outcome.ts';
import { hpa } from '../../src/simulate/rivals/hpa.ts';
import { constant, exponential, logNormal } from '../../src/simulate/service-time.ts';
import { simulate } from '../../src/simulate/simulate.ts';
import { settingsOf } from './bars.ts';

const MINUTE_MS = 60_000;
const SEEDS = [1, 2, 3];
/** As many at once as come: replicas make nothing faster. */
const roomy = (serviceTime: AppModel['serviceTime']): AppModel => ({ serviceTime, slots: 1000 });

/** A service without a threshold in its file. */
function scenario(seconds: number, seed: number, app: AppModel, load: Profile, running = 1) {
  const settings = settingsOf('shop', 'min: 1, max: 10');
  return { seconds, seed, services: [{ settings, app, load: openLoad(load), start: { startMs: 1500 }, running }] };
}

async function outcomeOf(...parts: Parameters<typeof scenario>): Promise<ServiceOutcome> {
  return (await simulate(scenario(...parts), 'pilotlight')).services[0] as ServiceOutcome;
}

const thresholds = ({ series }: ServiceOutcome) => [...new Set(series.map(({ aboveMs }) => aboveMs))];

test('times that vary are no reason for more replicas, at few requests a second neither', async () => {
  for (const seed of SEEDS) {
    const { starts } = await outcomeOf(1800, seed, roomy(logNormal(100, 1)), constantRate(3));
    expect({ seed, starts }).toEqual({ seed, starts: 0 });
  }
}, 120_000);

test('replicas that are not needed go, though their times vary', async () => {
  for (const seed of SEEDS) {
    const { lastReplicas } = await outcomeOf(1200, seed, roomy(exponential(20)), constantRate(10), 3);
    expect({ seed, lastReplicas }).toEqual({ seed, lastReplicas: 1 });
  }
}, 120_000);

test('the threshold settles near twice the quantile at low load, in few steps', async () => {
  for (const seed of SEEDS) {
    // The p95 of times that are exponential is three times their mean.
    const all = thresholds(await outcomeOf(1800, seed, roomy(exponential(100)), constantRate(2)));
    expect(all[0]).toBe(1000);
    expect(all.at(-1)).toBeGreaterThan(500);
    expect(all.at(-1)).toBeLessThan(720);
    expect(all.length).toBeLessThan(8);
  }
}, 120_000);

test('a step load gets the replicas that bring latency back under what was learnt', async () => {
  const load = stepRates([
    { atMs: 0, perSecond: 5 },
    { atMs: 2 * MINUTE_MS, perSecond: 100 },
  ]);
  for (const seed of SEEDS) {
    const outcome = await outcomeOf(600, seed, { serviceTime: constant(20), slots: 1 }, load);
    expect(outcome.series.at(-1)?.aboveMs).toBe(50);
    expect(outcome.lastReplicas).toBeGreaterThanOrEqual(3);
    expect(outcome.lastReplicas).toBeLessThanOrEqual(6);
    const late = outcome.series.slice(-150).filter(({ p95Ms = 0, aboveMs }) => p95Ms > aboveMs);
    expect(late.length).toBeLessThan(15);
  }
}, 120_000);

test('an app that gets slower by itself moves no threshold up, and gets no replica that does not help', async () => {
  const app = { ...roomy(exponential(50)), later: [{ fromMs: 15 * MINUTE_MS, serviceTime: exponential(200) }] };
  const { series, mostReplicas } = await outcomeOf(2400, 1, app, constantRate(5));
  const before = series[14 * 60]?.aboveMs ?? 0;
  expect(before).toBeLessThan(400);
  expect(series.at(-1)?.aboveMs).toBeLessThan(1.25 * before);
  expect(mostReplicas).toBeLessThanOrEqual(3);
}, 120_000);

test('a rival is held to the threshold that is learnt in the same way', async () => {
  const { services } = await simulate(scenario(600, 1, roomy(constant(200)), constantRate(2)), hpa());
  expect(thresholds(services[0] as ServiceOutcome)).toEqual([1000, 401]);
}, 120_000);
