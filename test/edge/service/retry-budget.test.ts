import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RetryBudget } from '../../../src/edge/service/retry-budget.ts';

function taken(budget: RetryBudget, now: number, share: number, tries: number): number {
  let count = 0;
  for (let i = 0; i < tries; i++) if (budget.take(now, share)) count++;
  return count;
}

test('three retries in ten seconds are always there', () => {
  const budget = new RetryBudget();
  expect(taken(budget, 50_000, 0.1, 10)).toBe(3);
  expect(taken(budget, 59_000, 0.1, 10)).toBe(0);
  expect(taken(budget, 61_000, 0.1, 10)).toBe(3);
});

test('above that, a share of the requests of the last ten seconds', () => {
  const budget = new RetryBudget();
  for (let i = 0; i < 200; i++) budget.request(70_000 + i);
  expect(taken(budget, 71_000, 0.1, 100)).toBe(20);
  expect(taken(budget, 90_000, 0.1, 100)).toBe(3);
});

test('a share of nothing leaves the three', () => {
  const budget = new RetryBudget();
  for (let i = 0; i < 1000; i++) budget.request(5000);
  expect(taken(budget, 5000, 0, 100)).toBe(3);
});

test('in no ten seconds more than the share of what came in them and a little before, plus three', () => {
  const action = fc.record({
    after: fc.integer({ min: 0, max: 3000 }),
    retry: fc.boolean(),
    times: fc.integer({ min: 1, max: 40 }),
  });
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), fc.double({ min: 0, max: 1, noNaN: true }), (actions, share) => {
      const budget = new RetryBudget();
      const requests: number[] = [];
      const retries: number[] = [];
      let now = 123_456;
      for (const { after, retry, times } of actions) {
        now += after;
        for (let i = 0; i < times; i++) {
          if (!retry) {
            budget.request(now);
            requests.push(now);
          } else if (budget.take(now, share)) retries.push(now);
        }
      }
      for (const end of retries) {
        const within = retries.filter((at) => at > end - 9000 && at <= end).length;
        const seen = requests.filter((at) => at > end - 20_000 && at <= end).length;
        expect(within).toBeLessThanOrEqual(Math.max(3, seen * share));
      }
    }),
    { numRuns: 200 },
  );
});
