import { describe, expect, test } from 'vitest';
import { Balancer, type Choice } from '../../../src/edge/balance/balancer.ts';
import { Endpoint } from '../../../src/edge/upstream/endpoint.ts';
import type { Balance } from '../../../src/model/settings.ts';
import { hash32 } from '../../../src/util/hash32.ts';

function endpoints(...weights: number[]): Endpoint[] {
  return weights.map(
    (weight, index) =>
      new Endpoint({ id: `e${index}`, host: '127.0.0.1', port: 1 + index, state: 'ready', weight, start: null }),
  );
}

function choice(among: Endpoint[], change: Partial<Choice> = {}): Choice {
  return { endpoints: among, balance: 'least-request', concurrency: 0, now: 1000, avoid: undefined, ...change };
}

/** A repeatable stream of numbers in [0, 1). */
function seeded(seed = 1): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

/** A better one: neighbours do not depend on each other (mulberry32). */
function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Share of each endpoint when `count` requests come, of which `kept` are in flight at a time. */
function shares(among: Endpoint[], balance: Balance, count: number, kept: number): number[] {
  const balancer = new Balancer(seeded(7));
  const counts = new Map<Endpoint, number>(among.map((endpoint) => [endpoint, 0]));
  const inFlight: Endpoint[] = [];
  for (let i = 0; i < count; i++) {
    const picked = balancer.pick(choice(among, { balance })) as Endpoint;
    counts.set(picked, (counts.get(picked) as number) + 1);
    picked.inFlight++;
    inFlight.push(picked);
    if (inFlight.length > kept) (inFlight.shift() as Endpoint).inFlight--;
  }
  return [...counts.values()].map((each) => each / count);
}

const balances: Balance[] = ['least-request', 'round-robin', 'random'];

describe.each(balances)('%s', (balance) => {
  test('gives equal endpoints equal shares', () => {
    for (const share of shares(endpoints(1, 1, 1, 1), balance, 4000, 0)) expect(share).toBeCloseTo(0.25, 1);
    for (const share of shares(endpoints(1, 1, 1, 1), balance, 4000, 40)) expect(share).toBeCloseTo(0.25, 1);
  });

  test('shares by weight when idle and when busy', () => {
    for (const kept of [0, 60]) {
      const [light = 0, heavy = 0] = shares(endpoints(1, 3), balance, 8000, kept);
      expect(light).toBeGreaterThan(0.19);
      expect(light).toBeLessThan(0.31);
      expect(heavy).toBeCloseTo(1 - light, 5);
    }
  });

  test('an endpoint of weight 0 gets nothing while there is another', () => {
    expect(shares(endpoints(0, 1), balance, 500, 5)).toEqual([0, 1]);
    expect(new Balancer(seeded()).pick(choice(endpoints(0), { balance }))?.id).toBe('e0');
    expect(new Balancer(seeded()).pick(choice(endpoints(0, 0), { balance }))).toBeDefined();
  });

  test('never picks a full one, and none when all are full', () => {
    const among = endpoints(1, 1, 1);
    const balancer = new Balancer(seeded());
    (among[0] as Endpoint).inFlight = 2;
    (among[1] as Endpoint).inFlight = 2;
    for (let i = 0; i < 50; i++) expect(balancer.pick(choice(among, { balance, concurrency: 2 }))?.id).toBe('e2');
    (among[2] as Endpoint).inFlight = 2;
    for (let i = 0; i < 50; i++) expect(balancer.pick(choice(among, { balance, concurrency: 2 }))).toBeUndefined();
  });

  test('passes over one in doubt, until its time is over', () => {
    const among = endpoints(1, 1);
    const balancer = new Balancer(seeded());
    (among[0] as Endpoint).suspectUntil = 1500;
    for (let i = 0; i < 50; i++) expect(balancer.pick(choice(among, { balance }))?.id).toBe('e1');
    (among[1] as Endpoint).suspectUntil = 1500;
    expect(balancer.pick(choice(among, { balance }))).toBeUndefined();
    expect(balancer.pick(choice(among, { balance, now: 1500 }))).toBeDefined();
  });

  test('avoids the one that failed the request before, unless there is no other', () => {
    const among = endpoints(1, 1, 1);
    const balancer = new Balancer(seeded());
    const avoid = among[1] as Endpoint;
    for (let i = 0; i < 60; i++) expect(balancer.pick(choice(among, { balance, avoid }))?.id).not.toBe('e1');
    expect(balancer.pick(choice([avoid], { balance, avoid }))?.id).toBe('e1');
    (among[0] as Endpoint).suspectUntil = 5000;
    (among[2] as Endpoint).suspectUntil = 5000;
    expect(balancer.pick(choice(among, { balance, avoid }))?.id).toBe('e1');
  });

  test('one that is to be avoided and is gone is not picked', () => {
    const [gone] = endpoints(1);
    const balancer = new Balancer(seeded());
    expect(balancer.pick(choice([], { balance, avoid: gone }))).toBeUndefined();
    const among = endpoints(1, 1);
    for (const each of among) each.suspectUntil = 5000;
    expect(balancer.pick(choice(among, { balance, avoid: gone }))).toBeUndefined();
  });
});

describe.each([...balances, 'hash'] as Balance[])('shares follow the weights with %s', (balance) => {
  /** Part of 20,000 requests that each of the weights gets, with so many in flight; whoever ends first is by chance. */
  function parts(weights: number[], atOnce: number): number[] {
    const among = endpoints(...weights);
    const random = mulberry(42);
    const balancer = new Balancer(random);
    const counts = weights.map(() => 0);
    const inFlight: Endpoint[] = [];
    for (let i = 0; i < 20_000; i++) {
      const key = balance === 'hash' ? hash32(`client ${i}`) : undefined;
      if (inFlight.length === atOnce) {
        const [done] = inFlight.splice(Math.floor(random() * atOnce), 1);
        (done as Endpoint).inFlight--;
      }
      const picked = balancer.pick(choice(among, { balance, key })) as Endpoint;
      const index = among.indexOf(picked);
      counts[index] = (counts[index] as number) + 1;
      picked.inFlight++;
      inFlight.push(picked);
    }
    return counts.map((count) => count / 20_000);
  }

  test.each([
    [[10_000, 10_000, 1]],
    [[1, 10_000, 10_000]],
    [[10_000, 1, 10_000]],
    [[5, 3, 2]],
    [[2, 3, 5]],
    [[1, 100]],
    [[1, 2, 4, 8, 16]],
    [[1, 1, 1]],
  ])('%s', (weights) => {
    const total = weights.reduce((sum, each) => sum + each, 0);
    for (const atOnce of [64, 1]) {
      parts(weights, atOnce).forEach((part, index) => {
        expect(Math.abs(part - (weights[index] as number) / total)).toBeLessThan(0.02);
      });
    }
  });

  test('and the light one is not forgotten', () => {
    // About one in 200: of 20,000 a hundred.
    for (const atOnce of [64, 1]) expect(parts([100, 100, 1], atOnce)[2]).toBeGreaterThan(0.002);
  });
});

test('round-robin goes through all in turn', () => {
  const balancer = new Balancer(seeded());
  const among = endpoints(1, 1, 1);
  const picked = Array.from({ length: 9 }, () => balancer.pick(choice(among, { balance: 'round-robin' }))?.id);
  for (let i = 0; i < 9; i += 3) expect(new Set(picked.slice(i, i + 3)).size).toBe(3);
});

test('least-request prefers the less loaded of two, by weight', () => {
  const balancer = new Balancer(seeded());
  const among = endpoints(1, 1);
  (among[0] as Endpoint).inFlight = 5;
  for (let i = 0; i < 50; i++) expect(balancer.pick(choice(among))?.id).toBe('e1');
  const weighted = endpoints(1, 4);
  (weighted[0] as Endpoint).inFlight = 2;
  (weighted[1] as Endpoint).inFlight = 5;
  for (let i = 0; i < 50; i++) expect(balancer.pick(choice(weighted))?.id).toBe('e1');
});

test('least-request keeps many endpoints nearly even', () => {
  const among = endpoints(...Array.from({ length: 20 }, () => 1));
  shares(among, 'least-request', 2000, 1000);
  const loads = among.map(({ inFlight }) => inFlight);
  expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(8);
});
