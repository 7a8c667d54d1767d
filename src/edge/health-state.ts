import type { HealthSettings } from '../model/balancing.ts';

/**
 * What the checks say of an endpoint. `unchecked`: used, and the first check decides alone; `healthy` and `unhealthy`
 * take several in a row to change: `streak` is how many contradicted it so far.
 */
export type HealthState =
  | { kind: 'unchecked' }
  | { kind: 'healthy'; streak: number }
  | { kind: 'unhealthy'; streak: number };

/** The state after a check. */
export function checked(
  state: HealthState,
  ok: boolean,
  { rise, fall }: Pick<HealthSettings, 'rise' | 'fall'>,
): HealthState {
  if (state.kind === 'unchecked') return { kind: ok ? 'healthy' : 'unhealthy', streak: 0 };
  if (ok === (state.kind === 'healthy')) return state.streak === 0 ? state : { ...state, streak: 0 };
  const streak = state.streak + 1;
  if (streak < (ok ? rise : fall)) return { ...state, streak };
  return { kind: ok ? 'healthy' : 'unhealthy', streak: 0 };
}
