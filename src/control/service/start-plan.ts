import type { StartCause } from '../../model/replica.ts';
import type { ReplicaCounts } from '../replica/replica-view.ts';
import type { DemandInputs } from '../scale/demand.ts';

export interface StartPlanInputs {
  demand: Pick<DemandInputs, 'ready' | 'held' | 'woken'>;
  /** Replicas that the service should have. */
  wanted: number;
  /** How many it should have once it is awake. */
  target: number;
  counts: ReplicaCounts;
  /** Starts that may begin now. */
  startsAllowed: number;
  /** Lowest number that is kept, and most replicas that may live. */
  min: number;
  /** What asks for that many. */
  minCause: StartCause;
  max: number;
  /** Why one is missing that neither a request, nor an operator, nor `min` asks for. */
  otherwise: StartCause;
}

export interface StartPlan {
  /** Queued starts that nobody needs any more: they would take permits and budget from what somebody waits for. */
  withdraw: number;
  start: number;
  /** Why those are started. */
  cause: StartCause;
}

/** Compares what there is, and what is coming, with what should be there. */
export function planStarts(inputs: StartPlanInputs): StartPlan {
  const { demand, wanted, target, counts, startsAllowed, min, minCause, max, otherwise } = inputs;
  const asleep = demand.ready === 0;
  const there = counts.queued + counts.starting + counts.ready;
  const asked = asleep && demand.held > 0 ? 'demand' : asleep && demand.woken === 1 ? 'by-hand' : undefined;
  return {
    withdraw: Math.max(0, there - (asleep ? Math.max(wanted, target) : wanted)),
    start: Math.max(0, Math.min(wanted - there, max - counts.live, startsAllowed)),
    cause: asked ?? (there < min ? minCause : otherwise),
  };
}
