import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AppModel } from '../../src/simulate/app-model.ts';
import { openLoad, stepRates } from '../../src/simulate/load.ts';
import type { SimulatedService } from '../../src/simulate/scenario.ts';
import { constant, exponential } from '../../src/simulate/service-time.ts';
import { simulate } from '../../src/simulate/simulate.ts';
import { testService } from '../control/support/settings.ts';

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const apps = fc.record(
  {
    serviceTime: fc.integer({ min: 1, max: 200 }).map(exponential),
    slots: fc.integer({ min: 1, max: 4 }),
    sharesProcessor: fc.boolean(),
    shared: fc.record({ connections: fc.integer({ min: 1, max: 3 }), serviceTime: fc.constant(constant(15)) }),
    shedsAbove: fc.integer({ min: 0, max: 20 }),
    errors: fc.record({ share: fc.double({ min: 0, max: 1, noNaN: true }), serviceTime: fc.constant(constant(3)) }),
    crash: fc.record({ afterMs: fc.integer({ min: 1, max: 20_000 }), every: fc.integer({ min: 1, max: 3 }) }),
  },
  { requiredKeys: ['serviceTime', 'slots'] },
) as fc.Arbitrary<AppModel>;

const scenarios = fc.record({
  app: apps,
  rates: fc.array(fc.integer({ min: 0, max: 120 }), { minLength: 1, maxLength: 4 }),
  patienceMs: optional(fc.integer({ min: 1, max: 5000 })),
  min: fc.integer({ min: 0, max: 2 }),
  concurrency: fc.integer({ min: 0, max: 3 }),
  failShare: fc.constantFrom(0, 0, 0.5),
  seed: fc.nat(),
});

test('whatever happens, every request ends once or is under way, and every second tells its part', async () => {
  await fc.assert(
    fc.asyncProperty(scenarios, async ({ app, rates, patienceMs, min, concurrency, failShare, seed }) => {
      const load = openLoad(stepRates(rates.map((perSecond, index) => ({ atMs: index * 10_000, perSecond }))));
      const settings = testService('a', { scale: { min, max: 4, concurrency } });
      const start = { startMs: 800, failShare };
      const service: SimulatedService = { settings, app, load, start, ...(patienceMs !== undefined && { patienceMs }) };
      const { services } = await simulate({ services: [service], seconds: 40, seed }, 'pilotlight');
      for (const { arrivals, answered, shed, errors, lost, series } of services) {
        const last = series.at(-1);
        expect(series).toHaveLength(40);
        expect(arrivals - answered - shed - errors - lost).toBe((last?.inFlight ?? 0) + (last?.queued ?? 0));
        for (const key of ['arrivals', 'answered', 'shed', 'errors', 'lost'] as const) {
          const total = { arrivals, answered, shed, errors, lost }[key];
          expect(series.reduce((sum, point) => sum + point[key], 0)).toBe(total);
        }
        for (const { ready, starting, inFlight } of series) {
          expect(ready + starting).toBeLessThanOrEqual(5);
          if (concurrency > 0) expect(inFlight).toBeLessThanOrEqual(6 * concurrency);
        }
      }
    }),
    { numRuns: 40 },
  );
}, 300_000);
