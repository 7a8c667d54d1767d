import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Eligibility } from '../../../src/edge/balance/eligibility.ts';
import { Endpoint } from '../../../src/edge/upstream/endpoint.ts';
import { ask, Backend } from '../backends.ts';
import { at, EdgeHarness, policy } from '../edge-harness.ts';

const rules = policy({ slowStartMs: 10_000 });

function endpoint(port: number, weight: number, freshSince: number): Endpoint {
  const made = new Endpoint({ id: `e${port}`, host: 'h', port, state: 'ready', weight, start: null });
  made.freshSince = freshSince;
  return made;
}

test('the share of a fresh endpoint rises in a line from a tenth of its weight to all of it, and stays there', () => {
  const old = endpoint(1, 2, Number.NEGATIVE_INFINITY);
  const fresh = endpoint(2, 4, 1000);
  const eligibility = new Eligibility();
  const shareAt = (now: number) => {
    eligibility.update([old, fresh], rules, now);
    return fresh.share;
  };
  const shares = [1000, 2000, 3000, 6000, 10_000, 11_000, 99_000].map(shareAt);
  expect(shares.map((share) => share.toFixed(2))).toEqual(['0.40', '0.40', '0.80', '2.00', '3.60', '4.00', '4.00']);
  expect(old.share).toBe(2);
});

test('it is worked out again while it rises, and not after', () => {
  fc.assert(
    fc.property(fc.nat(20_000), fc.integer({ min: 1, max: 60_000 }), (age, slowStartMs) => {
      const eligibility = new Eligibility();
      const fresh = endpoint(1, 1, 0);
      eligibility.update([fresh], policy({ slowStartMs }), age);
      if (age < slowStartMs) expect(eligibility.recheckAt).toBeLessThanOrEqual(age + slowStartMs / 50);
      else expect(eligibility.recheckAt).toBe(Number.POSITIVE_INFINITY);
      expect(fresh.share).toBeGreaterThanOrEqual(0.1);
      expect(fresh.share).toBeLessThanOrEqual(1);
    }),
  );
});

describe('at the edge', () => {
  const changes = { slowStartMs: 10_000, balance: 'round-robin', wakeable: false } as const;

  /** Share of the next 50 requests that a backend gets. */
  async function shareOf(harness: EdgeHarness, backend: Backend): Promise<number> {
    const before = backend.requests;
    const client = await harness.connect();
    await ask(client, 50);
    client.destroy();
    return (backend.requests - before) / 50;
  }

  test('an endpoint that comes later gets little at first and its part in the end', async () => {
    const [a, b] = (await Backend.all('ab')) as [Backend, Backend];
    const harness = await EdgeHarness.start(policy(changes));
    harness.state({ endpoints: [at(a)] });
    harness.state({ endpoints: [at(a), at(b)] });
    expect(await shareOf(harness, b)).toBeCloseTo(0.1 / 1.1, 1);
    await harness.pass(5000, 500);
    expect(await shareOf(harness, b)).toBeCloseTo(0.5 / 1.5, 1);
    await harness.pass(6000, 500);
    expect(await shareOf(harness, b)).toBe(0.5);
  });

  test('those that are there at the beginning have their whole part at once', async () => {
    const [a, b] = (await Backend.all('ab')) as [Backend, Backend];
    const harness = await EdgeHarness.start(policy(changes));
    harness.state({ endpoints: [at(a), at(b, { weight: 3 })] });
    expect(await shareOf(harness, b)).toBeCloseTo(0.75, 1);
  });

  test('one that comes back from an ejection starts slowly too', async () => {
    const [a, b] = (await Backend.all('ab')) as [Backend, Backend];
    const outlier = { consecutive: 3, intervalMs: 10_000, ejectMs: 5000, maxEjectMs: 5000, maxShare: 0.5 };
    const harness = await EdgeHarness.start(policy({ ...changes, outlier }));
    harness.state({ endpoints: [at(a), at(b)] });
    b.mood = 500;
    await shareOf(harness, b);
    b.mood = 200;
    expect(await shareOf(harness, b)).toBe(0);
    await harness.pass(5100, 500);
    expect(await shareOf(harness, b)).toBeLessThan(0.2);
    await harness.pass(11_000, 500);
    expect(await shareOf(harness, b)).toBe(0.5);
  });
});
