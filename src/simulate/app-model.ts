import type { ServiceTime } from './service-time.ts';

/** How the app of a service behaves: what a replica does with a request. Times are in ms since the load began. */
export interface AppModel {
  /** How long a replica works on a request, alone. */
  serviceTime: ServiceTime;
  /** Requests take other times from some moment on; in order of `fromMs`. */
  later?: readonly { fromMs: number; serviceTime: ServiceTime }[];
  /** Requests that a replica works on at once; others queue in it, first come, first served. */
  slots: number;
  /**
   * Whether the requests that a replica works on share one processor: each gets its part of it, so that `n` take `n`
   * times as long. Absent: each has its own.
   */
  sharesProcessor?: boolean;
  /** What all replicas have one of: a lock (`connections: 1`) or a database with so many. Needed after `serviceTime`. */
  shared?: { connections: number; serviceTime: ServiceTime };
  /** A young replica takes `factor` times as long, until it has run for so long. */
  warmUp?: { forMs: number; factor: number };
  /** Answers 503 at once to what comes while so many wait in the replica. */
  shedsAbove?: number;
  /** A share of requests (0 to 1) is answered with 500, after a time of their own. */
  errors?: { share: number; serviceTime: ServiceTime };
  /** Replicas end by themselves. */
  crash?: Ailment;
  /** Replicas fail their health checks, and answer 500 or nothing at all any more. */
  sick?: Ailment & { answers: 'errors' | 'nothing' };
}

/** Which replicas something happens to, and when. */
export interface Ailment {
  /** So long after a replica is ready, ms; of one that runs already, after the load begins. */
  afterMs: number;
  /** To every so-and-so-manieth replica that is started or runs already, beginning with the first; absent: to each. */
  every?: number;
  /** To the first so many of these only; absent: to all. */
  first?: number;
}

/** How a replica starts and stops. */
export interface StartModel {
  /** From the call of the runtime until it answers probes, ms. */
  startMs: number;
  /** The first so many starts fail. */
  failsFirst?: number;
  /** Share of starts that fail, 0 to 1. */
  failShare?: number;
  /** From the stop's signal to the exit, ms. Default: 100. */
  stopMs?: number;
}
