import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Weighted, WeightTable } from '../../src/edge/weighted.ts';
import { ask, Backend } from './backends.ts';
import { at, EdgeHarness, policy } from './edge-harness.ts';

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
