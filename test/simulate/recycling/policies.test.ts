import { expect, test } from 'vitest';
import { hybridHistogram } from '../../../src/simulate/recycling/hybrid-histogram.ts';
import { ownPolicy } from '../../../src/simulate/recycling/own-policy.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

test('the hybrid histogram keeps for four hours until it knows enough', () => {
  const policy = hybridHistogram.create();
  expect(policy.plan(0)).toMatchObject({ keepMs: 4 * HOUR_MS, prewarmMs: Number.POSITIVE_INFINITY });
  for (let i = 0; i < 9; i++) policy.idled(30 * MINUTE_MS, 0);
  expect(policy.plan(0).keepMs).toBe(4 * HOUR_MS);
});

test('… then it unloads at once, and is back from before the 5th percentile until after the 99th', () => {
  const policy = hybridHistogram.create();
  for (let i = 0; i < 100; i++) policy.idled((30.5 + (i % 2)) * MINUTE_MS, 0);
  const { keepMs, prewarmMs, untilMs } = policy.plan(0);
  expect(keepMs).toBe(0);
  expect(prewarmMs / MINUTE_MS).toBeCloseTo(27);
  expect(untilMs / MINUTE_MS).toBeCloseTo(35.2);
});

test('… never unloads where many idle times are short, and forecasts where most are out of bounds', () => {
  const short = hybridHistogram.create();
  for (let i = 0; i < 100; i++) short.idled(10_000, 0);
  expect(short.plan(0)).toMatchObject({ prewarmMs: Number.POSITIVE_INFINITY });
  expect(short.plan(0).keepMs / MINUTE_MS).toBeCloseTo(1.1);
  const long = hybridHistogram.create();
  for (let i = 0; i < 12; i++) long.idled(10 * HOUR_MS, 0);
  expect(long.plan(0).keepMs).toBe(0);
  expect(long.plan(0).prewarmMs / HOUR_MS).toBeCloseTo(8.5);
  expect(long.plan(0).untilMs / HOUR_MS).toBeCloseTo(11.5);
});

test('ours is the product: it learns from what it is told', () => {
  const policy = ownPolicy(150).create();
  policy.woken(1000, 1000);
  expect(policy.plan(0).keepMs).toBe(151_000);
  for (let i = 0; i < 30; i++) policy.idled(24 * HOUR_MS * (1 + (i % 5)), i * 24 * HOUR_MS);
  expect(policy.plan(0).keepMs).toBe(1000);
});

test('… and is there for what comes at regular times', () => {
  const policy = ownPolicy(150).create();
  policy.woken(1000, 1000);
  for (let i = 0; i < 20; i++) policy.idled(HOUR_MS - 2000, i * HOUR_MS);
  const since = 19 * HOUR_MS + 2000;
  const { keepMs, prewarmMs, untilMs } = policy.plan(since);
  expect(keepMs).toBe(1000);
  expect(since + prewarmMs).toBe(20 * HOUR_MS - 2000);
  expect(since + untilMs).toBe(20 * HOUR_MS + 1000);
});
