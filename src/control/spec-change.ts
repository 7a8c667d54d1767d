/** What decides the next step of replacing replicas with an older `run`. */
export interface SpecChangeInputs {
  /** Ready replicas with an older `run`. */
  outdated: number;
  /** Replicas with the present `run` that are queued or starting. */
  coming: number;
  /** Replicas with the present `run` that are ready and stand in for an outdated one that has not begun to retire. */
  spare: number;
  /** Replaced ones that still retire or stop. */
  leaving: number;
  /** All that count towards `max`. */
  live: number;
  max: number;
  /** Starts that the circuit lets through. */
  startsAllowed: number;
}

/** One at a time, within `max` + 1: start a new one, retire an old one once the new one is ready, or wait. */
export function nextReplacement(inputs: SpecChangeInputs): 'start' | 'retire' | 'wait' {
  if (inputs.outdated === 0) return 'wait';
  if (inputs.spare > 0) return 'retire';
  if (inputs.coming > 0 || inputs.leaving > 0 || inputs.startsAllowed < 1) return 'wait';
  return inputs.live <= inputs.max ? 'start' : 'wait';
}
