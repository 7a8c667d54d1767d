import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Weighted, WeightTable } from '../../../src/edge/balance/weighted.ts';
import { ask, Backend } from '../backends.ts';
import { at, EdgeHarness, policy } from '../edge-harness.ts';

interface Member extends Weighted {
  name: number;
}

function members(...shares: number[]): Member[] {
  return shares.map((share, name) => ({ name, share, turn: 0 }));
}

const someShares = fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 2, maxLength: 8 });
const somePoints = 1000;

/** How often each is drawn when the random numbers are spread evenly. */
function drawn(shares: number[], draw: (random: number) => Member): number[] {
  const counts = shares.map(() => 0);
  for (let i = 0; i < somePoints; i++) {
    const { name } = draw((i + 0.5) / somePoints);
    counts[name] = (counts[name] as number) + 1;
  }
  return counts;
}

function near(counts: number[], expected: number[]): void {
  const total = expected.reduce((sum, each) => sum + each, 0);
  counts.forEach((count, index) => {
    const share = total === 0 ? 1 / counts.length : (expected[index] as number) / total;
    expect(Math.abs(count - share * somePoints)).toBeLessThanOrEqual(2);
  });
}

test('draws are by share', () => {
  fc.assert(
    fc.property(someShares, (shares) => {
      const table = new WeightTable(members(...shares));
      near(
        drawn(shares, (random) => table.draw(random)),
        shares,
      );
    }),
  );
});

test('draws of another one are by share among the others', () => {
  fc.assert(
    fc.property(someShares, fc.nat(7), (shares, at) => {
      const all = members(...shares);
      const other = all[at % all.length] as Member;
      const rest = shares.map((share, index) => (index === other.name ? 0 : share));
      const counts = drawn(shares, (random) => new WeightTable(all).drawOther(other, random));
      const hasOthers = rest.some((share) => share > 0);
      const isEven = new WeightTable(all).even;
      if (isEven) expect(counts[other.name]).toBe(0);
      else if (hasOthers) near(counts, rest);
      else expect(counts[other.name]).toBe(somePoints);
    }),
  );
});

test('in turn, each goes exactly as often as its share says, and the heavy ones not all at once', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 6 }), (shares) => {
      const all = members(...shares);
      const table = new WeightTable(all);
      const total = shares.reduce((sum, each) => sum + each, 0);
      for (let round = 0; round < 3; round++) {
        const counts = shares.map(() => 0);
        for (let i = 0; i < total; i++) {
          const { name } = table.turn(undefined, () => true) as Member;
          counts[name] = (counts[name] as number) + 1;
        }
        expect(counts).toEqual(shares);
      }
    }),
  );
  const table = new WeightTable(members(5, 1, 1));
  const order = Array.from({ length: 7 }, () => table.turn(undefined, () => true)?.name);
  expect(order).toEqual([0, 0, 1, 0, 2, 0, 0]);
});

test('in turn, whoever does not fit is passed over, and nobody goes when none fits', () => {
  const table = new WeightTable(members(3, 1, 2));
  const counts = [0, 0, 0];
  for (let i = 0; i < 300; i++) {
    const { name } = table.turn(0, (member, unfit) => member.name !== unfit) as Member;
    counts[name] = (counts[name] as number) + 1;
  }
  expect(counts).toEqual([0, 100, 200]);
  expect(table.turn(undefined, () => false)).toBeUndefined();
});

describe('in turn, when shares change', () => {
  /** Lets `count` go, and counts who went. */
  function goes(table: WeightTable<Member>, count: number): number[] {
    const counts = table.members.map(() => 0);
    for (let i = 0; i < count; i++) {
      const { name } = table.turn(undefined, () => true) as Member;
      counts[name] = (counts[name] as number) + 1;
    }
    return counts;
  }

  test('what was gained at great weights is not paid back at small ones', () => {
    fc.assert(
      fc.property(someShares, someShares, fc.nat(50), (first, second, count) => {
        const all = members(...first.slice(0, second.length).map((share) => share * 5000));
        const before = new WeightTable(all);
        goes(before, count);
        const even = new WeightTable(all, before);
        all.forEach((member, index) => {
          member.share = second[index] as number;
        });
        const table = new WeightTable(all, even);
        const total = all.reduce((sum, { share }) => sum + share, 0);
        if (total === 0) return;
        // Who is ahead by one request, or behind, may have it.
        goes(table, 60).forEach((count, index) => {
          const expected = (60 * (all[index] as Member).share) / total;
          expect(Math.abs(count - expected)).toBeLessThanOrEqual(all.length);
        });
      }),
    );
  });

  test('a light one gets its request though the set is made anew all the time', () => {
    const all = members(100, 100, 1);
    let table = new WeightTable(all);
    let light = 0;
    for (let i = 0; i < 2010; i++) {
      table = new WeightTable([...all], table);
      light += goes(table, 1)[2] as number;
    }
    expect(light).toBe(10);
  });
});

test.each(['round-robin', 'least-request', 'random'] as const)(
  '%s at the edge goes by weight, and by a changed one',
  async (balance) => {
    const [a, b] = (await Backend.all('ab')) as [Backend, Backend];
    const harness = await EdgeHarness.start(policy({ balance }));
    harness.state({ endpoints: [at(a, { weight: 3 }), at(b)] });
    const client = await harness.connect();
    // At random: so many that chance exceeds the bounds, six and a half standard deviations away, once in 10¹⁰ times.
    const count = 500;
    await ask(client, count);
    expect(a.requests / count).toBeGreaterThan(0.62);
    expect(a.requests / count).toBeLessThan(0.88);
    harness.state({ endpoints: [at(a, { weight: 1 }), at(b, { weight: 3 })] });
    const before = a.requests;
    await ask(client, count);
    expect((a.requests - before) / count).toBeGreaterThan(0.12);
    expect((a.requests - before) / count).toBeLessThan(0.38);
  },
);

test('an endpoint of weight 0 gets nothing while another is there, and everything when it is alone', async () => {
  const [a, b, c] = (await Backend.all('abc')) as [Backend, Backend, Backend];
  const harness = await EdgeHarness.start(policy({ wakeable: false, concurrency: 1 }));
  const client = await harness.connect();
  harness.state({ endpoints: [at(a, { weight: 0 }), at(b)] });
  expect(new Set(await ask(client, 20))).toEqual(new Set(['b']));
  // Not even when the other is full.
  b.mood = 'silent';
  const busy = await harness.connect();
  busy.get();
  await harness.inFlight(1);
  client.get();
  await harness.held(1);
  expect(a.requests).toBe(0);
  // A backup has weight, and goes before it.
  harness.state({ endpoints: [at(a, { weight: 0 }), at(c, { backup: true })] });
  expect((await client.answer()).text).toBe('c');
  harness.state({ endpoints: [at(a, { weight: 0 })] });
  expect(await ask(client, 2)).toEqual(['a', 'a']);
});
