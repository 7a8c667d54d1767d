import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fairShares, type Want } from '../../../src/control/start/fair-shares.ts';

function want(service: string, count: number, change: Partial<Want> = {}): Want {
  return { service, want: count, floor: 1, keeps: 0, ...change };
}

const shared = (budget: number, ...wants: Want[]) => [...fairShares(budget, wants).values()];

test.each<[what: string, budget: number, wants: Want[], shares: number[]]>([
  ['what fits is not cut', 10, [want('a', 3), want('b', 5)], [3, 5]],
  ['two that want as much get as much', 6, [want('a', 5), want('b', 5)], [3, 3]],
  ['what a small one does not want goes to the others', 6, [want('a', 1), want('b', 9), want('c', 3)], [1, 3, 2]],
  ['who has the odd one keeps it', 5, [want('a', 5), want('b', 5, { keeps: 3 })], [2, 3]],
  ['a floor comes before what others want beyond theirs', 6, [want('a', 5, { floor: 4 }), want('b', 5)], [4, 2]],
  ['a floor is not more than what is wanted', 6, [want('a', 2, { floor: 4 }), want('b', 5)], [2, 4]],
  ['floors that do not fit are shared too', 4, [want('a', 9, { floor: 9 }), want('b', 1), want('c', 2)], [2, 1, 1]],
  ['there may be nothing to share', 0, [want('a', 1)], [0]],
  ['a budget that is cut below nothing is none', -2, [want('a', 1)], [0]],
  ['nobody may want any', 4, [], []],
])('%s', (_, budget, wants, shares) => {
  expect(shared(budget, ...wants)).toEqual(shares);
});

const wants = fc
  .array(
    fc.record({
      want: fc.integer({ min: 0, max: 12 }),
      floor: fc.integer({ min: 0, max: 6 }),
      keeps: fc.integer({ min: 0, max: 12 }),
    }),
    { maxLength: 8 },
  )
  .map((all): Want[] => all.map((each, index) => ({ service: `s${index}`, ...each })));
const budgets = fc.integer({ min: 0, max: 40 });
const total = (numbers: readonly number[]) => numbers.reduce((sum, each) => sum + each, 0);

describe('whatever is wanted of whatever there is', () => {
  test('all of it is shared, as far as it is wanted, and not more', () => {
    fc.assert(
      fc.property(budgets, wants, (budget, all) => {
        const shares = shared(budget, ...all);
        expect(total(shares)).toBe(Math.min(budget, total(all.map((each) => each.want))));
        expect(all.every((each, index) => (shares[index] ?? 0) <= each.want)).toBe(true);
      }),
    );
  });

  test('nobody could have more without taking it from one who has no more, or from a floor', () => {
    fc.assert(
      fc.property(budgets, wants, (budget, all) => {
        const shares = shared(budget, ...all);
        const floors = all.map(({ want: most, floor }) => Math.min(most, floor));
        const hasFloors = total(floors) <= budget;
        all.forEach((each, index) => {
          const mine = shares[index] as number;
          if (hasFloors) expect(mine).toBeGreaterThanOrEqual(floors[index] as number);
          if (mine >= (hasFloors ? each.want : (floors[index] as number))) return;
          shares.forEach((other, theirs) => {
            const isFloor = hasFloors && other <= (floors[theirs] as number);
            expect(other <= mine + 1 || isFloor).toBe(true);
          });
        });
      }),
    );
  });

  test('a larger budget makes no share smaller', () => {
    fc.assert(
      fc.property(budgets, wants, (budget, all) => {
        const more = shared(budget + 1, ...all);
        expect(shared(budget, ...all).every((share, index) => (more[index] ?? 0) >= share)).toBe(true);
      }),
    );
  });

  test('who wants more gets no less by it, and the others no more', () => {
    fc.assert(
      fc.property(budgets, wants, fc.nat(), (budget, all, which) => {
        fc.pre(all.length > 0);
        const chosen = which % all.length;
        const before = shared(budget, ...all);
        const after = shared(budget, ...all.map((each, i) => (i === chosen ? { ...each, want: each.want + 1 } : each)));
        before.forEach((share, index) => {
          if (index === chosen) expect(after[index]).toBeGreaterThanOrEqual(share);
          else expect(after[index]).toBeLessThanOrEqual(share);
        });
      }),
    );
  });

  test('who has its share keeps it: what is shared out again is shared in the same way', () => {
    fc.assert(
      fc.property(budgets, wants, (budget, all) => {
        const shares = shared(budget, ...all);
        const settled = all.map((each, index) => ({ ...each, keeps: shares[index] as number }));
        expect(shared(budget, ...settled)).toEqual(shares);
      }),
    );
  });
});
