import type { Random } from './random.ts';
import type { ServiceTime } from './service-time.ts';

/** Clients who send whether or not they are answered: arrivals at times of their own. It keeps no state. */
export interface OpenLoad {
  kind: 'open';
  /** The first arrival after a time, both in ms since the load began; undefined: none any more. */
  next(afterMs: number, random: Random): number | undefined;
}

/** So many clients, each of whom sends the next request a while after its last one was answered. */
export interface ClosedLoad {
  kind: 'closed';
  clients: number;
  think: ServiceTime;
}

export type Load = OpenLoad | ClosedLoad;
