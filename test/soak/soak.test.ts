import { describe, expect, test } from 'vitest';
import { errands } from '../../load-tests/soak/errands.ts';
import { soak } from '../../load-tests/soak/mixed.ts';
import { defectsOf } from '../../load-tests/soak/report.ts';

/** The soak that runs for hours in `npm run soak`, for twenty seconds each. */
describe('under mixed traffic, with replicas killed, reloads and sleep', () => {
  for (const workers of [1, 2]) {
    test(`workers: ${workers}: no request is lost without a reason and nothing leaks`, {
      timeout: 900_000,
    }, async () => {
      const report = await soak({ minutes: 20 / 60, workers, seed: 7 });
      expect(defectsOf(report)).toEqual([]);
      expect(Object.keys(report.byKind).sort()).toEqual(Object.keys(errands).sort());
      const { sent, answered, aborted, failed } = report.total;
      expect(answered + aborted + failed).toBe(sent);
      expect(answered).toBeGreaterThan(failed);
      expect(Object.entries(report.disturbances).filter(([, count]) => count === 0)).toEqual([]);
      const { reloaded, 'reload-failed': refused, 'drain-forced': forced } = report.events;
      const { reload, 'bad reload': badReload } = report.disturbances;
      expect({ reloaded, refused, forced }).toEqual({ reloaded: reload, refused: badReload, forced: undefined });
    });
  }
});
