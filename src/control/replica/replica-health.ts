/**
 * What the health checks say of a ready replica: `unhealthy` may pass, `sick` is what stayed so for long enough to be
 * replaced. Times are the clock's ms.
 */
export type ReplicaHealth =
  | { state: 'well' }
  | { state: 'unhealthy'; since: number }
  /** `since`: when it became unhealthy. */
  | { state: 'sick'; since: number };

export const well: ReplicaHealth = { state: 'well' };

/** Intervals of the health check for which a replica has to stay unhealthy to be sick. */
const SICK_INTERVALS = 3;

/** How long a replica has to stay unhealthy to be sick, ms. */
export function sickAfter(intervalMs: number): number {
  return SICK_INTERVALS * intervalMs;
}

/** The health after a look. @param isUnhealthy whether every edge that knows the replica finds it so */
export function nextHealth(
  health: ReplicaHealth,
  isUnhealthy: boolean,
  now: number,
  sickAfterMs: number,
): ReplicaHealth {
  if (!isUnhealthy) return well;
  const since = health.state === 'well' ? now : health.since;
  return { state: now - since >= sickAfterMs ? 'sick' : 'unhealthy', since };
}
