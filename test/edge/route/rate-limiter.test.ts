import { describe, expect, test } from 'vitest';
import { latin1 } from '../../../src/edge/http1/latin1.ts';
import { clientKey } from '../../../src/edge/io/client-address.ts';
import { RateLimiter } from '../../../src/edge/route/rate-limiter.ts';
import { collectGarbage } from '../../support/collect-garbage.ts';

/** How many of so many requests at one moment pass. */
function passing(limiter: RateLimiter, count: number, now: number, client = 'a'): number {
  let passed = 0;
  for (let i = 0; i < count; i++) if (limiter.take(client, now) === 0) passed++;
  return passed;
}

describe('a token bucket per client', () => {
  test('lets the burst through at once, and then the rate', () => {
    const limiter = new RateLimiter(10, 20);
    expect(passing(limiter, 50, 0)).toBe(20);
    expect(passing(limiter, 50, 1000)).toBe(10);
    expect(passing(limiter, 50, 1500)).toBe(5);
  });

  test('that is one of several has its part of both, however many there are at the time', () => {
    const share = { of: 1 };
    const limiters = [1, 2, 3].map(() => new RateLimiter(30, 20, share));
    const all = (now: number) => limiters.reduce((sum, limiter) => sum + passing(limiter, 50, now), 0);
    share.of = 3;
    expect(all(0)).toBe(18);
    expect(all(1000)).toBe(18);
    expect(all(1100)).toBe(3);
    share.of = 100;
    expect(all(60_000)).toBe(3);
    share.of = 1;
    expect(passing(limiters[0] as RateLimiter, 50, 120_000)).toBe(20);
  });

  test('says how long the next token takes, and keeps that promise', () => {
    const limiter = new RateLimiter(2, 1);
    expect(limiter.take('a', 0)).toBe(0);
    expect(limiter.take('a', 100)).toBeCloseTo(400);
    expect(limiter.take('a', 499)).toBeGreaterThan(0);
    expect(limiter.take('a', 500)).toBe(0);
  });

  test('refused requests cost nothing: whoever goes on asking is served at the rate', () => {
    const limiter = new RateLimiter(1, 1);
    let served = 0;
    for (let now = 0; now < 10_000; now += 10) if (limiter.take('a', now) === 0) served++;
    expect(served).toBe(10);
  });

  test('a pause fills the bucket to the burst and no further', () => {
    const limiter = new RateLimiter(100, 5);
    expect(passing(limiter, 10, 0)).toBe(5);
    expect(passing(limiter, 10, 3_600_000)).toBe(5);
  });

  test('less than one request a second', () => {
    const limiter = new RateLimiter(1 / 60, 1);
    expect(limiter.take('a', 0)).toBe(0);
    expect(limiter.take('a', 0)).toBeCloseTo(60_000);
    expect(limiter.take('a', 60_000)).toBe(0);
  });

  test('one client does not use up what belongs to another', () => {
    const limiter = new RateLimiter(1, 3);
    expect(passing(limiter, 10, 0, 'a')).toBe(3);
    expect(passing(limiter, 10, 0, 'b')).toBe(3);
  });

  test('the table is bounded: who was silent longest is forgotten first', () => {
    const limiter = new RateLimiter(0.001, 1);
    limiter.take('busy', 0);
    for (let i = 0; i < 100_000; i++) {
      limiter.take(`client ${i}`, i);
      if (i % 1000 === 0) limiter.take('busy', i);
    }
    expect(limiter.size).toBeGreaterThan(10_000);
    expect(limiter.size).toBeLessThanOrEqual(20_000);
    expect(limiter.take('busy', 100_000)).toBeGreaterThan(0);
    expect(limiter.take('client 99999', 100_000)).toBeGreaterThan(0);
    expect(limiter.take('client 0', 100_000)).toBe(0);
  });
});

describe('what counts as one client', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2::7', '2001:db8:1:2'],
    ['2001:0DB8:0001:0002:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8::7', '2001:db8:0:0'],
    ['2001:db8::3:4:5:6', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['::', '0:0:0:0'],
    ['1::', '1:0:0:0'],
    ['64:ff9b::192.0.2.33', '64:ff9b:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
  ])('%s is %s', (address, key) => {
    expect(clientKey(address)).toBe(key);
  });
});

test('what is remembered of a client is its name, not the head that the name was found in', () => {
  const limiter = new RateLimiter(1, 1);
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  for (let index = 0; index < 5000; index++) {
    const head = latin1(
      Buffer.alloc(20_000, `X-Forwarded-For: 100.100.${100 + (index % 100)}.${100 + Math.floor(index / 100)}, `),
      0,
      20_000,
    );
    limiter.take(head.slice(17, 32), 0);
  }
  collectGarbage();
  expect(limiter.size).toBe(5000);
  // Of heads it would be 100 MB.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(30e6);
});
