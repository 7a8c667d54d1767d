import { expect, test } from 'vitest';
import { WakeShares } from '../../../src/control/scale/idle-shares.ts';

const MINUTE_MS = 60_000;

/** Wakes evenly over an hour. @param wakes per service: how many a minute, and for how long each takes a permit, ms */
function hour(wakes: Record<string, [perMinute: number, startMs: number]>): WakeShares {
  const shares = new WakeShares();
  for (let now = 0; now < 60 * MINUTE_MS; now += MINUTE_MS)
    for (const [service, [perMinute, startMs]] of Object.entries(wakes))
      for (let i = 0; i < perMinute; i++) shares.woke(service, startMs, now);
  return shares;
}

test('while there are permits for all, nobody wakes too often', () => {
  const shares = hour({ a: [10, 2000], b: [1, 2000] });
  expect(shares.excessOf('a', 4, 60 * MINUTE_MS)).toBe(1);
});

test('where there are not, who takes more than an even share does, and no other', () => {
  const shares = hour({ greedy: [60, 2000], b: [6, 1000], c: [6, 1000] });
  const now = 60 * MINUTE_MS;
  // Half of one permit is for wakes: 0.1 and 0.1 of it are taken by the others, and 0.3 are left for one that takes 2.
  expect(shares.excessOf('greedy', 1, now)).toBeGreaterThan(4);
  expect(shares.excessOf('greedy', 1, now)).toBeLessThan(9);
  expect(shares.excessOf('b', 1, now)).toBe(1);
  expect(shares.excessOf('unknown', 1, now)).toBe(1);
});

test('it is forgotten with time, and with the service', () => {
  const shares = hour({ greedy: [60, 2000] });
  expect(shares.excessOf('greedy', 1, 60 * MINUTE_MS)).toBeGreaterThan(1);
  expect(shares.excessOf('greedy', 1, 180 * MINUTE_MS)).toBe(1);
  const dropped = hour({ greedy: [60, 2000] });
  dropped.drop('greedy');
  expect(dropped.excessOf('greedy', 1, 60 * MINUTE_MS)).toBe(1);
});
