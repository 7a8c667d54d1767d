import { afterAll, describe, expect, it } from 'vitest';
import { until } from '../../support/until.ts';
import { openSockets } from '../harness/remains.ts';
import { hunt } from './campaign.ts';
import type { Fuzz } from './fuzz.ts';

/** Cases per kind and run. */
const CASES = 5_000;
/** Cases behind which everything that stays has been made: buffers, compiled code, caches. */
const WARM_CASES = 2_000;
/** More than what the heap moves by itself, far less than 100 bytes a case would add up to beside its sockets, MiB. */
const GROWTH_MIB = 32;
const MIB = 2 ** 20;

/** Other cases on every run; a failing one names its seed. */
export function fuzzing<T>(fuzz: Fuzz<T>): void {
  describe(`generated and mutated ${fuzz.name}`, () => {
    const before = openSockets();
    afterAll(() => until('no socket is left', () => openSockets() <= before, 5_000, 5));

    it('mean the same behind the proxy, or are visibly refused', async () => {
      let warm = 0;
      const tally = await hunt(fuzz, {
        cases: CASES,
        seed: Date.now() % 2 ** 31,
        onProgress: ({ cases }) => {
          if (warm === 0 && cases >= WARM_CASES) warm = process.memoryUsage().heapUsed;
        },
      });
      expect(tally.cases).toBe(CASES);
      expect(tally['passed on']).toBeGreaterThan(CASES / 5);
      expect(tally.refused).toBeGreaterThan(CASES / 5);
      expect((process.memoryUsage().heapUsed - warm) / MIB).toBeLessThan(GROWTH_MIB);
    }, 180_000);
  });
}
