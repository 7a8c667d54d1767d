import { expect, test } from 'vitest';
import type { ServiceOutcome } from '../../src/simulate/outcome.ts';
import { simulate } from '../../src/simulate/simulate.ts';
import { bars } from './bars.ts';

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
/** The second service asks for more from the second minute on. */
const SECONDS = 240;
const SHARED_BY = 180;

test('two services on one budget come to the same number, whatever the seed, and nothing goes to and fro', async () => {
  const bar = bars.find(({ name }) => name.startsWith('two services'));
  if (bar === undefined) throw new Error('there is no such load');
  for (const seed of SEEDS) {
    const { services } = await simulate({ ...bar.scenario(seed), seconds: SECONDS }, 'pilotlight');
    for (const service of services) {
      const counts = new Set(service.series.slice(SHARED_BY).map(({ ready }) => ready));
      expect({ seed, service: service.service, counts: [...counts] }).toEqual({
        seed,
        service: service.service,
        counts: [3],
      });
    }
    const [one, other] = services as [ServiceOutcome, ServiceOutcome];
    // It had more while there was nobody else, and neither took back what it had given.
    const most = Math.max(...one.series.map(({ ready }) => ready));
    expect(most).toBeGreaterThan(3);
    expect({ seed, starts: one.starts, stops: one.stops }).toEqual({ seed, starts: most - 1, stops: most - 3 });
    expect({ seed, starts: other.starts, stops: other.stops }).toEqual({ seed, starts: 2, stops: 0 });
  }
}, 300_000);
