import { afterAll, describe, expect, it } from 'vitest';
import { collectGarbage } from '../../support/collect-garbage.ts';
import { until } from '../../support/until.ts';
import { ANSWER_MS } from '../harness/lane.ts';
import { openSockets } from '../harness/remains.ts';
import { hunt } from './campaign.ts';
import type { Fuzz } from './fuzz.ts';

const SEED = 1;
/** Cases per kind and run. */
const CASES = 5_000;
/** Cases behind which everything that stays has been made: buffers, compiled code, caches. */
const WARM_CASES = 2_000;
/** Far more than caches take, less than the 5 KiB and more of each case would add up to if something kept them, MiB. */
const GROWTH_MIB = 12;
const MIB = 2 ** 20;

/** What is really in use, bytes. */
function heapInUse(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** The same cases on every run: `npm run fuzz` tries others, and what it finds becomes a row of a table. */
export function fuzzing<T>(fuzz: Fuzz<T>): void {
  describe(`generated and mutated ${fuzz.name}`, () => {
    const before = openSockets();
    afterAll(() => until('no socket is left', () => openSockets() <= before, ANSWER_MS, 5));

    it('mean the same behind the proxy, or are visibly refused', async () => {
      let warm = 0;
      const tally = await hunt(fuzz, {
        cases: CASES,
        seed: SEED,
        onProgress: ({ cases }) => {
          if (warm === 0 && cases >= WARM_CASES) warm = heapInUse();
        },
      });
      expect(tally.cases).toBe(CASES);
      expect(tally['passed on']).toBeGreaterThan(CASES / 5);
      expect(tally.refused).toBeGreaterThan(CASES / 5);
      expect(warm).toBeGreaterThan(0);
      const growth = (heapInUse() - warm) / MIB;
      expect(growth).toBeLessThan(GROWTH_MIB);
    }, 600_000);
  });
}
