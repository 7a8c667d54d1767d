import { expect, test } from 'vitest';
import { type Case, outcomeOf } from './search/case.ts';

/** A service of few slots whose answers take longer than the threshold, however many replicas there are. */
const slow = (of: Omit<Case, 'service' | 'seed'>) =>
  outcomeOf({ service: 'scale: { min: 1, max: 12, idle: never, latency: { above: 300ms } }', seed: 1, ...of });
const SLOW = 'time:400ms,slots:8,start:3s';

test('an undo does not go below what answered all that arrives now', async () => {
  const load = 'constant:40 for 2m then constant:65,even';
  const { series, lastReplicas, starts } = await slow({ app: SLOW, load, running: 3, seconds: 900 });
  const settled = series.filter(({ second }) => second > 200).map(({ ready }) => ready);
  expect([lastReplicas, Math.min(...settled)]).toEqual([4, 4]);
  expect(starts).toBeLessThanOrEqual(8);
});

test('as many requests as before are enough, where they are more than can be answered now', async () => {
  const load = 'constant:18,even';
  const app = 'time:400ms,later:600ms@450s,slots:8,start:3s';
  const { series } = await slow({ app, load, running: 1, seconds: 600 });
  expect(series.find(({ second }) => second === 500)?.ready).toBeGreaterThan(1);
});

test('replicas that made nothing faster do not stay for having been added in a worse moment', async () => {
  const load = 'constant:40 for 2m then spike:64..100@10s/10s for 1m then constant:64';
  expect((await slow({ app: SLOW, load, running: 3, seconds: 420 })).lastReplicas).toBeLessThanOrEqual(10);
});
