import type { HealthSettings } from '../../model/balancing.ts';

/**
 * What the checks say of an endpoint. `unchecked`: used, and the first check decides alone; `healthy` and `unhealthy`
 * take several in a row to change: `streak` is how many contradicted it so far.
 */
export type HealthState =
  | { kind: 'unchecked' }
  | { kind: 'healthy'; streak: number }
  | { kind: 'unhealthy'; streak: number };

/**
 * What that means for requests. `objecting`: its last check was answered, with a status under 500 that is not the one
 * asked for: it is up, and may object to nothing but the check (its Host, or that it lacks credentials).
 */
export type EndpointHealth = 'healthy' | 'objecting' | 'unhealthy';

/** @param status of the last check's answer; 0 where there was none */
export function healthOf(state: HealthState, status: number): EndpointHealth {
  if (state.kind !== 'unhealthy') return 'healthy';
  return status > 0 && status < 500 ? 'objecting' : 'unhealthy';
}

/** Said when every endpoint that answers fails its checks. */
export function lastResort(reason: string): string {
  return (
    `no endpoint passes its checks, and those that answer them are used all the same: ${reason}. If requests succeed, ` +
    'the checks ask for the wrong thing: see health.host, health.path and health.status'
  );
}

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
