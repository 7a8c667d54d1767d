import type { Rival } from '../policy.ts';

/** The same number of replicas, whatever comes. */
export function fixed(replicas: number): Rival {
  return { name: `fixed:${replicas}`, everyMs: 1000, create: () => ({ decide: () => replicas }) };
}
