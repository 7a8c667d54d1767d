import type { OutlierSettings } from '../../model/balancing.ts';

/** What the answers of an endpoint say about it. Times are the clock's ms. */
export type OutlierState =
  /**
   * `failures` counts those in a row, `ejections` those so far; one ejection is forgotten for every interval since
   * `since`.
   */
  | { kind: 'trusted'; failures: number; ejections: number; since: number }
  /** It gets no requests until then while there are others. */
  | { kind: 'ejected'; ejections: number; until: number };

/** The state before the first answer. */
export const unjudged: OutlierState = { kind: 'trusted', failures: 0, ejections: 0, since: 0 };

/**
 * Returns the state after an answer. An answer of an ejected endpoint changes nothing: it comes back by time.
 * @param mayEject whether one more may be ejected; asked only when one would be
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

/** Returns the state after the end of an ejection. */
export function trustAgain(state: OutlierState, now: number): OutlierState {
  return state.kind === 'trusted' ? state : { kind: 'trusted', failures: 0, ejections: state.ejections, since: now };
}

/** Returns how long the n-th ejection in a row lasts, ms. */
export function ejectionMs(ejections: number, { ejectMs, maxEjectMs }: OutlierSettings): number {
  return Math.min(ejectMs * ejections, maxEjectMs);
}

/** Returns how many of `count` endpoints may be ejected at a time: never all. */
export function mostEjected(count: number, { maxShare }: OutlierSettings): number {
  return Math.max(0, Math.min(Math.floor(count * maxShare), count - 1));
}

/**
 * Counts the ejections that are not forgotten, this one included. It never exceeds what leads to the longest ejection,
 * so that a good endpoint is soon forgiven.
 */
function ejectionsWithThis(
  { ejections, since }: Extract<OutlierState, { kind: 'trusted' }>,
  { intervalMs, ejectMs, maxEjectMs }: OutlierSettings,
  now: number,
): number {
  const forgotten = Math.floor((now - since) / intervalMs);
  return Math.min(Math.ceil(maxEjectMs / ejectMs), Math.max(0, ejections - forgotten) + 1);
}
