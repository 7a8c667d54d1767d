import type { Random } from './random.ts';

/** How long something takes, ms. It keeps no state: what it gives depends on the numbers that it is handed alone. */
export interface ServiceTime {
  /** Its mean, ms. */
  readonly meanMs: number;
  /** One time, ms, 0 or more. */
  sample(random: Random): number;
}

/** Always the same. */
export function constant(ms: number): ServiceTime {
  return { meanMs: ms, sample: () => ms };
}

/** Exponential: as many short ones as a memoryless process has. */
export function exponential(meanMs: number): ServiceTime {
  return { meanMs, sample: (random) => -meanMs * Math.log(1 - random()) };
}
