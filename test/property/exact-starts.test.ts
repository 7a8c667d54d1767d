import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { PilotlightError } from '../../src/model/errors.ts';
import { testService, testSettings } from '../control/support/settings.ts';
import { World } from '../control/support/world.ts';

const IDLE_MS = 3000;
const DRAIN_MS = 2000;
/** Longer than a window: nothing of before counts as the arrival rate just before. */
const BETWEEN_MS = 20_000;

/** What happened to the service before: bursts that were answered, failed, or given up by their clients. */
const episode = fc.record({
  count: fc.integer({ min: 1, max: 40 }),
  ends: fc.constantFrom('answered' as const, 'failed' as const, 'aborted' as const),
});
const scale = fc.record({
  concurrency: fc.constantFrom(0, 1, 4, 10),
  initial: fc.integer({ min: 1, max: 3 }),
  max: fc.integer({ min: 3, max: 8 }),
});
/** Also fewer places than the burst could use: what finds none must not be made up for later. */
const budget = fc.integer({ min: 3, max: 10 });

test('a burst at a sleeping service brings up exactly what it needs, whatever came of those before, and all go again', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(episode, { maxLength: 4 }),
      fc.integer({ min: 1, max: 40 }),
      scale,
      budget,
      async (past, count, own, replicas) => {
        const service = testService('app', { scale: { ...own, idleMs: IDLE_MS }, timeouts: { drainMs: DRAIN_MS } });
        const bounds = { replicas, concurrentStarts: 2, startsPerMinute: 600, heldBytes: 2 ** 20 };
        const world = await World.started(testSettings([service], { budget: bounds }));
        const { runtime } = world;
        const burst = (size: number) => Array.from({ length: size }, () => world.edge.request('app'));
        for (const { count: size, ends } of past) {
          if (ends === 'failed')
            runtime.behaviour.failures = Array(8).fill(new PilotlightError('RUNTIME_FAILED', 'no'));
          const requests = burst(size);
          if (ends === 'aborted') {
            await world.run(20);
            for (const request of requests) world.edge.abort(request);
          }
          await world.run(BETWEEN_MS + 60_000, 500);
          runtime.behaviour.failures = [];
          expect(runtime.running).toEqual([]);
        }
        const before = runtime.starts;
        const requests = burst(count);
        await world.run(2000);
        const need = own.concurrency === 0 ? 1 : Math.ceil(count / (own.concurrency * (own.concurrency < 5 ? 1 : 0.8)));
        expect(runtime.starts - before).toBe(Math.min(own.max, replicas, Math.max(own.initial, need)));
        expect(requests.every(({ outcome }) => outcome === 'answered')).toBe(true);
        await world.run(IDLE_MS + DRAIN_MS + 1500);
        expect(runtime.running).toEqual([]);
        expect((await world.status('app')).state).toBe('asleep');
        expect(world.errors).toEqual([]);
        world.life.abort();
      },
    ),
    { numRuns: 60 },
  );
}, 120_000);
