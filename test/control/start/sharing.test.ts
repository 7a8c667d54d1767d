import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Stake, shareOut } from '../../../src/control/start/sharing.ts';

function stake(service: string, keeps: number, want: number, change: Partial<Stake> = {}): Stake {
  return { service, keeps, want, leaving: 0, min: 0, isFixed: false, ...change };
}

const gives = (budget: number, ...stakes: Stake[]) => Object.fromEntries(shareOut(budget, stakes).gives);

test.each<[what: string, budget: number, stakes: Stake[], gives: Record<string, string[]>]>([
  ['who has more than its share gives one to who has less', 6, [stake('a', 5, 5), stake('b', 1, 2)], { a: ['b'] }],
  ['one at a time, however many it wants', 6, [stake('a', 5, 5), stake('b', 1, 5)], { a: ['b'] }],
  ['no second one while the first is on its way', 6, [stake('a', 4, 5, { leaving: 1 }), stake('b', 1, 5)], {}],
  ['nothing where there is room', 9, [stake('a', 5, 5), stake('b', 1, 2)], {}],
  ['nothing once both have their share', 6, [stake('a', 3, 9), stake('b', 3, 9)], {}],
  ['what sleeps gets its first', 3, [stake('a', 3, 3), stake('b', 0, 2)], { a: ['b'] }],
  ['one that has the odd one keeps it', 3, [stake('a', 2, 3), stake('b', 1, 3)], {}],
  ['what one min needs is taken from wishes', 4, [stake('a', 3, 3), stake('b', 1, 3, { min: 3 })], { a: ['b'] }],
  ['never what is fixed', 4, [stake('a', 4, 4, { isFixed: true }), stake('b', 0, 1)], {}],
  ['not the last of anybody', 2, [stake('a', 1, 3), stake('b', 1, 1), stake('c', 0, 1)], {}],
  [
    'each of several that are short gets one, from who has most over its share',
    9,
    [stake('a', 6, 6), stake('b', 3, 3), stake('c', 0, 1), stake('d', 0, 2)],
    { a: ['c', 'd'] },
  ],
])('%s', (_, budget, stakes, expected) => {
  expect(gives(budget, ...stakes)).toEqual(expected);
});

/** Hands over what is to be handed over, one after the other, until nothing is. */
function settled(budget: number, stakes: Stake[]): Stake[] {
  let now = stakes;
  for (let rounds = 0; ; rounds++) {
    const free = budget - now.reduce((sum, { keeps }) => sum + keeps, 0);
    const { gives: all, shares } = shareOut(budget, now);
    const given = [...all].flatMap(([from, to]) => to.map((each): [string, string] => [from, each]));
    const short = now.find(({ service, keeps }) => keeps < (shares.get(service) ?? 0));
    if (given.length === 0 && (free <= 0 || short === undefined)) return now;
    if (rounds > 200) throw new Error('it does not come to rest');
    const change = (service: string, by: number) => {
      now = now.map((each) => (each.service === service ? { ...each, keeps: each.keeps + by } : each));
    };
    if (free > 0 && short !== undefined) change(short.service, 1);
    else for (const [from] of given) change(from, -1);
  }
}

test('whatever there is, it comes to rest where everybody has its share, and nobody takes back what it gave', () => {
  const stakes = fc
    .array(
      fc.record({
        keeps: fc.integer({ min: 0, max: 5 }),
        want: fc.integer({ min: 0, max: 8 }),
        min: fc.integer({ min: 0, max: 2 }),
      }),
      { minLength: 1, maxLength: 6 },
    )
    // What is more than is wanted goes by itself.
    .map((all) => all.map((each, i) => stake(`s${i}`, Math.min(each.keeps, each.want), each.want, { min: each.min })));
  fc.assert(
    fc.property(stakes, fc.integer({ min: 1, max: 20 }), (before, budget) => {
      const had = before.reduce((sum, { keeps }) => sum + keeps, 0);
      fc.pre(had <= budget);
      const { shares } = shareOut(budget, before);
      const after = settled(budget, before);
      for (const { service, keeps } of after) {
        expect(keeps).toBe(shares.get(service));
        const { keeps: own = 0 } = before.find((each) => each.service === service) ?? {};
        if (own > 0) expect(keeps).toBeGreaterThan(0);
      }
    }),
  );
});
