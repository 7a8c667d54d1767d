import type { Replica } from './replica.ts';

export interface ReplicaCounts {
  queued: number;
  /** Being started or looked at after they were found. */
  starting: number;
  ready: number;
  /** Cordoned or draining. */
  retiring: number;
  stopping: number;
  /** All of these: what counts towards `max`. */
  live: number;
}

/** How many replicas there are, by what is being done with them. */
export function countReplicas(replicas: Iterable<Replica>): ReplicaCounts {
  const counts = { queued: 0, starting: 0, ready: 0, retiring: 0, stopping: 0, live: 0 };
  for (const { state, task, isLive } of replicas) {
    if (isLive) counts.live++;
    if (task.kind === 'queued') counts.queued++;
    else if (state === 'starting') counts.starting++;
    else if (state === 'ready') counts.ready++;
    else if (state === 'cordoned' || state === 'draining') counts.retiring++;
    else if (state === 'stopping') counts.stopping++;
  }
  return counts;
}
