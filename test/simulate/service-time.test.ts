import { expect, test } from 'vitest';
import { createRandom, streamSeed } from '../../src/simulate/random.ts';
import {
  constant,
  exponential,
  logNormal,
  measured,
  pareto,
  type ServiceTime,
  uniform,
} from '../../src/simulate/service-time.ts';

function samples(time: ServiceTime, count = 100_000): number[] {
  const random = createRandom(7);
  return Array.from({ length: count }, () => time.sample(random));
}

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

test.each<[string, ServiceTime]>([
  ['constant', constant(20)],
  ['exponential', exponential(20)],
  ['log-normal', logNormal(20, 0.6)],
  ['pareto', pareto(5, 1.5, 2000)],
  ['pareto of alpha 1', pareto(5, 1, 500)],
  ['uniform', uniform(10, 50)],
  ['measured', measured([1, 2, 9])],
])('%s has the mean that it says', (_, time) => {
  expect(mean(samples(time)) / time.meanMs).toBeCloseTo(1, 1);
});

test('a log-normal time has its median', () => {
  const sorted = samples(logNormal(20, 0.6)).sort((one, other) => one - other);
  expect((sorted[50_000] as number) / 20).toBeCloseTo(1, 1);
});

test('Pareto times and uniform ones keep to their bounds', () => {
  const heavy = samples(pareto(5, 1.1, 1000));
  expect(Math.min(...heavy.slice(0, 10_000))).toBeGreaterThanOrEqual(5);
  expect(heavy.every((value) => value <= 1000.001)).toBe(true);
  expect(samples(uniform(10, 50)).every((value) => value >= 10 && value <= 50)).toBe(true);
});

test('streams of one scenario have seeds of their own', () => {
  const seeds = ['arrivals', 'times', 'starts'].flatMap((stream) => [1, 2].map((seed) => streamSeed(seed, stream)));
  expect(new Set(seeds).size).toBe(6);
});
