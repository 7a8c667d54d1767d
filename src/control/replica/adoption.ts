import type { Instance } from '../../model/runtime.ts';

/** What is known of a service that found replicas may belong to. */
export interface AdoptingService {
  hash: string;
  max: number;
  /** Replicas that are live already. */
  live: number;
  /** Places that are taken already. */
  taken: ReadonlySet<number>;
}

interface AdoptionPlan {
  /** To be taken into service once they have proved themselves. */
  adopt: Instance[];
  /** Running without a place: to be stopped. */
  stop: Instance[];
}

/**
 * Sorts what a runtime lists: running replicas of configured services are adopted, those with the present `run` first,
 * up to `max`; others that run are stopped. What somebody paused in its place stays as it is: a start thaws it.
 */
export function planAdoption(
  instances: readonly Instance[],
  serviceOf: (name: string) => AdoptingService | undefined,
): AdoptionPlan {
  const plan: AdoptionPlan = { adopt: [], stop: [] };
  const byService = Map.groupBy(
    instances.filter(({ state }) => state === 'running' || state === 'paused'),
    ({ service }) => service,
  );
  for (const [name, found] of byService) {
    const service = serviceOf(name);
    if (service === undefined) {
      plan.stop.push(...found);
      continue;
    }
    const fits = (instance: Instance) => instance.hash === service.hash;
    const free = found
      .filter(({ ordinal }) => !service.taken.has(ordinal))
      .sort((a, b) => Number(fits(b)) - Number(fits(a)) || a.ordinal - b.ordinal);
    for (const instance of free) {
      if (instance.state === 'paused' && fits(instance) && instance.ordinal <= service.max) continue;
      const room = service.live + plan.adopt.filter((each) => each.service === name).length < service.max;
      if (room && instance.state === 'running') plan.adopt.push(instance);
      else plan.stop.push(instance);
    }
  }
  return plan;
}
