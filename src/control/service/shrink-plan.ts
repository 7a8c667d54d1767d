import type { Replica } from '../replica/replica.ts';
import type { ReplicaCounts } from '../replica/replica-counts.ts';

export interface ShrinkInputs {
  replicas: readonly Replica[];
  /** In the order in which they would go. */
  ready: readonly Replica[];
  counts: ReplicaCounts;
  /** Hash of the present `run`. */
  hash: string;
  max: number;
}

export interface ShrinkPlan {
  /** Queued starts to be withdrawn, if there are so many. */
  queued: number;
  /** Starts to be called off. */
  starting: Replica[];
  retire: Replica[];
}

/** What is more than `max` goes: first what did not begin yet, then what only starts, then what is outdated. */
export function planShrink({ replicas, ready, counts, hash, max }: ShrinkInputs): ShrinkPlan {
  const surplus = Math.max(0, counts.queued + counts.starting + counts.ready - max);
  const begun = Math.max(0, surplus - counts.queued);
  const starting = replicas.filter(({ state }) => state === 'starting').slice(0, begun);
  const isCurrent = ({ spec }: Replica) => Number(spec.hash === hash);
  const victims = ready.toSorted((a, b) => isCurrent(a) - isCurrent(b));
  return { queued: surplus, starting, retire: victims.slice(0, begun - starting.length) };
}
