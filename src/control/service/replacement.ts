import { countReplicas, type ReplicaView } from '../replica/replica-view.ts';
import { sickFirst } from './service-view.ts';

interface ReplacementInputs {
  replicas: readonly ReplicaView[];
  /** Hash of the present `run`. */
  hash: string;
  /** Ready replicas that the service should have. */
  wanted: number;
  max: number;
  /** Starts that the circuit lets through. */
  startsAllowed: number;
}

interface ReplacementPlan {
  /** Outdated replicas that are not needed any more. */
  retire: ReplicaView[];
  /** Whether another one is to be started for the next outdated one. */
  start: boolean;
}

/**
 * Replaces replicas with an older `run`, and those that leave anyway, one at a time and within `max` + 1: start a new one; once it is ready, retire
 * the oldest outdated one, which is kept in reserve until the new one has lived through its probation; once that is gone,
 * go on. A new one that fails leaves the old ones where they are; one that ends soon gives back what it replaced.
 */
export function planReplacement(inputs: ReplacementInputs): ReplacementPlan {
  const { replicas, hash, wanted, max, startsAllowed } = inputs;
  const outdated = replicas
    .filter((replica) => replica.state === 'ready' && (replica.hash !== hash || replica.leaving !== undefined))
    .sort((a, b) => a.readyAt - b.readyAt);
  if (outdated.length === 0) return { retire: [], start: false };
  const { queued, starting, ready, live } = countReplicas(replicas);
  const surplus = outdated.length < ready ? Math.max(0, ready - Math.max(1, wanted)) : 0;
  const retire = sickFirst(outdated).slice(0, surplus);
  const isBusy = queued + starting > 0 || replicas.some(isBeingReplaced);
  const start = retire.length === 0 && !isBusy && startsAllowed >= 1 && live <= max;
  return { retire, start };
}

function isBeingReplaced({ doing, reason }: ReplicaView): boolean {
  return (doing === 'retire' || doing === 'stop') && (reason === 'replaced' || reason === 'leaving');
}
