import type { OutlierSettings } from '../../model/balancing.ts';

/** What the proxy thinks of an endpoint because of its answers. Times are the clock's ms. */
export type OutlierState =
  /** `failures` in a row; `ejections` so far, one of which is forgotten for every interval since `since`. */
  | { kind: 'trusted'; failures: number; ejections: number; since: number }
  /** Gets no requests until then, while there are others. */
  | { kind: 'ejected'; ejections: number; until: number };

/** No answer was seen yet. */
export const unjudged: OutlierState = { kind: 'trusted', failures: 0, ejections: 0, since: 0 };

/**
 * The state after an answer. What an ejected endpoint still answers changes nothing: it comes back by time.
 * @param mayEject whether one more may be ejected; asked only when it would be
 */
export function afterAnswer(
  state: OutlierState,
  event: 'success' | 'failure',
  settings: OutlierSettings,
  now: number,
  mayEject: () => boolean,
): OutlierState {
  if (state.kind === 'ejected') return state;
  if (event === 'success') return state.failures === 0 ? state : { ...state, failures: 0 };
  const failures = state.failures + 1;
  if (settings.consecutive === 0 || failures < settings.consecutive || !mayEject()) return { ...state, failures };
  const ejections = ejectionsWithThis(state, settings, now);
  return { kind: 'ejected', ejections, until: now + ejectionMs(ejections, settings) };
}

/** The state after the end of an ejection. */
export function trustAgain(state: OutlierState, now: number): OutlierState {
  return state.kind === 'trusted' ? state : { kind: 'trusted', failures: 0, ejections: state.ejections, since: now };
}

/** How long the n-th ejection in a row takes, ms. */
export function ejectionMs(ejections: number, { ejectMs, maxEjectMs }: OutlierSettings): number {
  return Math.min(ejectMs * ejections, maxEjectMs);
}

/** Of `count` endpoints, how many may be ejected at a time: never all. */
export function mostEjected(count: number, { maxShare }: OutlierSettings): number {
  return Math.max(0, Math.min(Math.floor(count * maxShare), count - 1));
}

/** Ejections that still count, this one included; no more than it takes to the longest, so that they are forgotten soon. */
function ejectionsWithThis(
  { ejections, since }: Extract<OutlierState, { kind: 'trusted' }>,
  { intervalMs, ejectMs, maxEjectMs }: OutlierSettings,
  now: number,
): number {
  const forgotten = Math.floor((now - since) / intervalMs);
  return Math.min(Math.ceil(maxEjectMs / ejectMs), Math.max(0, ejections - forgotten) + 1);
}
