import type { ReplicaView } from '../replica/replica-view.ts';
import { countReplicas } from '../replica/replica-view.ts';
import { victimsFirst } from '../scale/victims.ts';
import { sickFirst } from './service-view.ts';

interface ShrinkInputs {
  /** By ordinal. */
  replicas: readonly ReplicaView[];
  /** Hash of the present `run`. */
  hash: string;
  max: number;
}

interface ShrinkPlan {
  /** Starts to be taken out of the queue. */
  withdraw: ReplicaView[];
  /** Starts to be called off. */
  callOff: ReplicaView[];
  retire: ReplicaView[];
}

/** What is more than `max` goes: first what did not begin yet, then what only starts, then what is outdated. */
export function planShrink({ replicas, hash, max }: ShrinkInputs): ShrinkPlan {
  const { queued, starting, ready } = countReplicas(replicas);
  const surplus = Math.max(0, queued + starting + ready - max);
  const begun = Math.max(0, surplus - queued);
  const callOff = replicas.filter(({ state }) => state === 'starting' || state === 'resuming').slice(0, begun);
  const isCurrent = (replica: ReplicaView) => Number(replica.hash === hash);
  const victims = sickFirst(victimsFirst(replicas.filter(({ state }) => state === 'ready')));
  return {
    withdraw: replicas
      .filter(({ doing }) => doing === 'queued')
      .reverse()
      .slice(0, surplus),
    callOff,
    retire: victims.sort((a, b) => isCurrent(a) - isCurrent(b)).slice(0, begun - callOff.length),
  };
}
