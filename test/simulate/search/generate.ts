import fc from 'fast-check';
import type { Case } from './case.ts';
import type { Faults } from './invariants.ts';

/** A kind of service and load, and what has to hold for all of them. */
export interface World {
  name: string;
  /** How many of them the test suite looks at. */
  runs: number;
  cases: fc.Arbitrary<Case>;
  faultsOf: (of: Case) => Promise<Faults>;
}

export const between = (min: number, max: number) => fc.integer({ min, max });
export const rarely = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 });
export const join = (...parts: (string | undefined)[]) => parts.filter((part) => part !== undefined).join(',');

/** How long work takes that takes so many ms on average. */
export const SHAPES = {
  constant: (ms: number) => `${ms}ms`,
  exponential: (ms: number) => `exponential:${ms}ms`,
  'log-normal': (ms: number) => `log-normal:${Math.max(1, Math.round(ms / Math.exp(0.32)))}ms:0.8`,
  pareto: (ms: number) => `pareto:${Math.max(1, Math.round(ms / 2.7))}ms:1.5:${Math.max(100, ms * 37)}ms`,
} as const;
export const shapes = fc.constantFrom(...(Object.keys(SHAPES) as (keyof typeof SHAPES)[]));

/** What comes before the load stays as it is: rates as percents of what the service can do. */
export const pieces = (most: number) =>
  fc.array(
    fc.record({
      kind: fc.constantFrom('constant', 'ramp', 'sine', 'step', 'spike'),
      low: between(10, most),
      high: between(10, most),
      minutes: between(1, 4),
    }),
    { maxLength: 3 },
  );

type Piece = { kind: string; low: number; high: number; minutes: number };

export function loadText(all: readonly Piece[], last: number, whole: number): string {
  const rate = (percent: number) => Math.max(1, Math.round((percent * whole) / 100));
  const texts = all.map(({ kind, low, high, minutes }) => {
    const [from, to] = [rate(low), rate(high)];
    const range = `${Math.min(from, to)}..${Math.max(from, to)}`;
    const forms: Record<string, string> = {
      constant: `constant:${from}`,
      ramp: `ramp:${from}..${to}/${minutes}m`,
      sine: `sine:${range}/${minutes * 30}s`,
      step: `step:${from},${to}@${minutes * 20}s`,
      spike: `spike:${range}@${minutes * 10}s/${minutes * 2}s`,
    };
    return `${forms[kind]} for ${minutes}m`;
  });
  return [...texts, `constant:${rate(last)}`].join(' then ');
}

export const SETTLING_SECONDS = 2100;
export const secondsOf = (all: readonly Piece[], tail: number) =>
  all.reduce((sum, { minutes }) => sum + minutes * 60, tail);
