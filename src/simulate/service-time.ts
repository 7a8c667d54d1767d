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

/** Log-normal: most are near the median, a few take many times as long. `sigma` is that of the logarithm. */
export function logNormal(medianMs: number, sigma: number): ServiceTime {
  return {
    meanMs: medianMs * Math.exp(sigma ** 2 / 2),
    sample: (random) => {
      const radius = Math.sqrt(-2 * Math.log(1 - random()));
      return medianMs * Math.exp(sigma * radius * Math.cos(2 * Math.PI * random()));
    },
  };
}

/** Pareto, cut off at `mostMs`: a heavy tail. `alpha` over 0; the smaller, the heavier. */
export function pareto(leastMs: number, alpha: number, mostMs: number): ServiceTime {
  const ratio = (leastMs / mostMs) ** alpha;
  const mean =
    alpha === 1
      ? (leastMs * Math.log(mostMs / leastMs)) / (1 - ratio)
      : ((alpha / (alpha - 1)) * leastMs * (1 - (leastMs / mostMs) ** (alpha - 1))) / (1 - ratio);
  return { meanMs: mean, sample: (random) => leastMs / (1 - random() * (1 - ratio)) ** (1 / alpha) };
}

/** Anything between two bounds, equally likely. */
export function uniform(leastMs: number, mostMs: number): ServiceTime {
  return { meanMs: (leastMs + mostMs) / 2, sample: (random) => leastMs + random() * (mostMs - leastMs) };
}

/** Times that were measured, each as likely as the other; at least one. */
export function measured(times: readonly number[]): ServiceTime {
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
  return { meanMs: mean, sample: (random) => times[Math.floor(random() * times.length)] as number };
}
