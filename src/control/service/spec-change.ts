import type { RunSettings } from '../../model/settings.ts';
import { runHash } from '../../util/hash.ts';
import type { Replica } from '../replica/replica.ts';
import type { ReplicaCounts } from '../replica/replica-counts.ts';

/** Settings are frozen, and the hash of a `run` is asked for at every look at a service: half of what a look costs. */
const hashes = new WeakMap<RunSettings, string>();

/** Hash of a `run`, calculated once. */
export function hashOf(run: RunSettings): string {
  const known = hashes.get(run);
  if (known !== undefined) return known;
  const hash = runHash(run);
  hashes.set(run, hash);
  return hash;
}

export interface SpecChangeInputs {
  replicas: readonly Replica[];
  counts: ReplicaCounts;
  /** Hash of the present `run`. */
  hash: string;
  /** Ready replicas that the service should have. */
  wanted: number;
  max: number;
  /** Starts that the circuit lets through. */
  startsAllowed: number;
}

export type SpecChangeStep = { step: 'start' } | { step: 'retire'; replica: Replica } | { step: 'wait' };

/**
 * Replaces replicas with an older `run`, one at a time and within `max` + 1: start a new one; once it is ready, retire
 * the oldest outdated one; once that is gone, go on. A new one that fails leaves the old ones where they are.
 */
export function nextReplacement(inputs: SpecChangeInputs): SpecChangeStep {
  const { replicas, counts, hash, wanted, max, startsAllowed } = inputs;
  const ready = replicas.filter(({ state }) => state === 'ready');
  const outdated = ready.filter(({ spec }) => spec.hash !== hash).sort((a, b) => a.readyAt - b.readyAt);
  const [oldest] = outdated;
  if (oldest === undefined) return { step: 'wait' };
  if (outdated.length < ready.length && ready.length > Math.max(1, wanted)) return { step: 'retire', replica: oldest };
  const busy = counts.queued + counts.starting > 0 || replicas.some(isBeingReplaced);
  return !busy && startsAllowed >= 1 && counts.live <= max ? { step: 'start' } : { step: 'wait' };
}

function isBeingReplaced({ task }: Replica): boolean {
  return (
    (task.kind === 'retire' && task.retirement.reason === 'replaced') ||
    (task.kind === 'stop' && task.reason === 'replaced')
  );
}
