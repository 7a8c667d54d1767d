import { capacityOf, roomIn, type ScaleInputs } from './scale-inputs.ts';
import type { ScalerState } from './scaler.ts';

/** Under this share of what a replica did before it is held back. */
const HELD_BACK = 0.8;
/** So long after a change of the replica count all of them have something to do, ms. */
const SETTLED_MS = 4000;

/**
 * The state with what may be in flight per replica. From the first tick at which a service is saturated and a further
 * replica can be started, what the present ones could not begin soon waits at the edge, so that it can go to the new one.
 */
export function withInFlightLimit(state: ScalerState, inputs: ScaleInputs, queued: number, lagMs: number): ScalerState {
  const { inFlightLimit } = state;
  const isGrowing = inputs.trial === 1 || inputs.trial === 2;
  const canGrow =
    isGrowing ||
    (capacityOf(inputs) < inputs.max &&
      roomIn(inputs) > 0 &&
      inputs.frozen === 0 &&
      inputs.cooldownLeftMs === 0 &&
      inputs.freezeLeftMs === 0 &&
      inputs.startsAllowed !== 0);
  // Without a calm moment to go by a service of slow answers, or of long polls, would be throttled by this.
  const isKnown = state.calmEach > 0;
  const isNeeded =
    canGrow && inputs.saturatedTicks > 0 && (inFlightLimit !== undefined || (inputs.shedShare === 0 && isKnown));
  if (!isNeeded || (inFlightLimit !== undefined && queued === 0 && inputs.trial !== 1))
    return inFlightLimit === undefined ? state : { ...state, inFlightLimit: undefined };
  const each = inputs.goodPerSecond / Math.max(1, inputs.ready);
  const capacity = Math.max(each, inputs.capacityPerSecond ?? 0);
  const most = Math.ceil(Math.max((capacity * (inputs.aboveMs + lagMs)) / 1000, 2 * state.calmEach, 1));
  // Where less is answered than before it, it keeps replicas from what they could do: they take more at once than that.
  const isTold = inputs.trial !== 2 || inputs.trialMs >= SETTLED_MS;
  const isTooLow = isTold && inFlightLimit !== undefined && each < HELD_BACK * capacity;
  return { ...state, inFlightLimit: Math.max(isTooLow ? 2 * inFlightLimit : (inFlightLimit ?? 0), most) };
}
