import type { Observation } from './observe.ts';

/** How strictly to look. */
export interface Measure {
  /** Our own decisions, exactly; otherwise only what the RFCs ask of anybody. */
  ours: boolean;
  /** The message came in pieces: the origin may have seen the beginning of what was refused then. */
  pieces: boolean;
}

/** What is wrong with a connection that has to be there still, or not. */
export function connectionAfter(seen: Observation, then: 'open' | 'closed'): string[] {
  if (then === 'closed') return seen.state === 'open' ? ['the connection is open'] : [];
  const serves = seen.neighbour === undefined ? seen.state === 'open' : seen.follow === 'own';
  return serves ? [] : ['the connection did not stay, or did not serve another request'];
}
