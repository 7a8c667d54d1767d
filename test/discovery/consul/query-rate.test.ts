import { expect, test } from 'vitest';
import type { ConsulAnswer } from '../../../src/discovery/consul/client.ts';
import { ConsulLoop, nextIndex } from '../../../src/discovery/consul/loop.ts';
import { PilotlightError } from '../../../src/model/errors.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { answer, ScriptedAsk } from './harness.ts';

const HOUR = 3_600_000;

/** Times (ms) at which a loop asks within `ms` milliseconds, when Consul answers at once as scripted. */
async function askedWithin(ms: number, script: (count: number, index: bigint) => ConsulAnswer | Error | 'block') {
  const clock = new VirtualClock();
  const scripted = new ScriptedAsk(clock, (query, count) => script(count, query.index));
  let last: unknown;
  let failures = 0;
  const loop = new ConsulLoop({
    question: { path: '/v1/health/service/shop' },
    ask: scripted.ask,
    clock,
    random: () => 0.5,
    waitMs: () => 300_000,
    take: ({ body }) => {
      const changed = body !== last;
      last = body;
      return changed;
    },
    onAnswer: () => undefined,
    onFailure: () => failures++,
  });
  const abort = new AbortController();
  const ended = loop.run(abort.signal);
  await clock.advanceAsync(ms);
  abort.abort();
  await ended;
  return { times: scripted.asked.map(({ at }) => at), queries: scripted.asked.map(({ query }) => query), failures };
}

test('Consul answering at once for ever without a change is asked ever less often', async () => {
  const { times } = await askedWithin(HOUR, () => answer('same', 7n));
  expect(times.length).toBeLessThan(HOUR / 15_000 + 20);
  expect((times.at(-1) ?? 0) - (times.at(-2) ?? 0)).toBe(15_000);
});

test('answers without an index, or with an index that always falls, are no busy loop either', async () => {
  const without = await askedWithin(HOUR, () => answer('same', undefined));
  expect(without.times.length).toBeLessThan(HOUR / 15_000 + 20);
  expect(without.queries.every(({ index }) => index === 0n)).toBe(true);
  const falling = await askedWithin(HOUR, (count) => answer('same', BigInt(1_000_000 - count)));
  expect(falling.times.length).toBeLessThan(HOUR / 5000);
});

test('an index that moves without news is asked for at most twice a second in the long run', async () => {
  const { times } = await askedWithin(60_000, (count) => answer('same', BigInt(count)));
  expect(times.length).toBeGreaterThan(100);
  expect(times.length).toBeLessThan(140);
});

test('endless change is taken over every 50 ms: neither slower nor in a busy loop', async () => {
  const { times } = await askedWithin(10_000, (count) => answer(`state ${count}`, BigInt(count)));
  expect(times.length).toBeGreaterThan(195);
  expect(times.length).toBeLessThan(205);
  const gaps = times.slice(1).map((time, i) => time - (times[i] as number));
  expect(Math.max(...gaps)).toBeLessThanOrEqual(50);
});

test('after a quiet time the next question follows a change at once', async () => {
  const { times } = await askedWithin(1000, (count) => (count > 3 ? 'block' : answer(`state ${count}`, BigInt(count))));
  expect(times.slice(0, 2)).toEqual([0, 0]);
});

test('failures back off to 10 s at most and never end the loop', async () => {
  const { times, failures } = await askedWithin(HOUR, () => new PilotlightError('DISCOVERY_UNREACHABLE', 'refused'));
  expect(failures).toBe(times.length);
  expect(times.length).toBeGreaterThan(HOUR / 10_000);
  expect(times.length).toBeLessThan(HOUR / 5000);
});

test('a question may take the wait, a sixteenth of it and some grace', async () => {
  const { queries } = await askedWithin(1000, (_, index) => (index === 0n ? answer('same', 7n) : 'block'));
  expect(queries[0]).toMatchObject({ index: 0n, timeoutMs: 10_000, stale: true });
  expect(queries[1]).toMatchObject({ index: 7n, waitMs: 300_000 });
  expect(queries[1]?.timeoutMs).toBeGreaterThan(300_000 + 300_000 / 16);
});

test.each([
  [5n, 9n, 9n],
  [5n, 5n, 5n],
  [9n, 5n, 0n],
  [9n, undefined, 0n],
  [0n, 0n, 1n],
  [0n, 2n ** 64n - 1n, 2n ** 64n - 1n],
])('after index %s an answer with %s is followed by a question with %s', (previous, answered, next) => {
  expect(nextIndex(previous, answered)).toBe(next);
});
