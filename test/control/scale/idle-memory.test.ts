import { expect, test } from 'vitest';
import { AutoKeep } from '../../../src/control/scale/auto-keep.ts';
import { SiblingGaps } from '../../../src/control/scale/sibling-gaps.ts';
import { createRandom } from '../../../src/simulate/random.ts';
import { collectGarbage } from '../../support/collect-garbage.ts';

/** Memory in use, MiB. */
function used(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 2 ** 20;
}

test('what is learnt of 10,000 services, with their histograms and forecasts, takes at most 25 MiB', () => {
  const random = createRandom(1);
  const siblings = new SiblingGaps();
  const before = used();
  const all = Array.from({ length: 10_000 }, () => {
    const keep = new AutoKeep(siblings);
    keep.saw('startMs', 1000);
    let at = 0;
    for (let i = 0; i < 8; i++) {
      const gapMs = 1000 * 2 ** (12 * random());
      at += gapMs + 500;
      keep.idled(gapMs, 1, at, 150);
    }
    keep.plan(at, 150);
    return keep;
  });
  expect(used() - before).toBeLessThan(25);
  expect(all.every((keep) => keep.learnt.gaps.total > 7)).toBe(true);
});
