import type { Instance } from '../../model/runtime.ts';

/** What is known of a service that found replicas may belong to. */
export interface AdoptingService {
  hash: string;
  max: number;
  /** Replicas that are live or paused already. */
  live: number;
  /** Places in which something runs or is paused already. */
  taken: ReadonlySet<number>;
}

interface AdoptionPlan {
  /** To be taken into service once they have proved themselves. */
  adopt: Instance[];
  /** Frozen: to be known of, so that the next start has them go on. */
  park: Instance[];
  /** Running without a place: to be stopped. */
  stop: Instance[];
}

/**
 * Sorts what a runtime lists: running replicas of configured services are adopted, those with the present `run` first,
 * up to `max`; others that run are stopped. What is paused stays so where it has the present `run` and there is room.
 */
export function planAdoption(
  instances: readonly Instance[],
  serviceOf: (name: string) => AdoptingService | undefined,
): AdoptionPlan {
  const plan: AdoptionPlan = { adopt: [], park: [], stop: [] };
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
      .sort(
        (a, b) =>
          Number(fits(b)) - Number(fits(a)) ||
          Number(b.state === 'running') - Number(a.state === 'running') ||
          a.ordinal - b.ordinal,
      );
    let room = service.max - service.live;
    for (const instance of free) {
      const isRunning = instance.state === 'running';
      const isKept = room > 0 && (isRunning || fits(instance));
      const list = isKept ? (isRunning ? plan.adopt : plan.park) : plan.stop;
      list.push(instance);
      if (isKept) room--;
    }
  }
  return plan;
}
