import type { HashOn } from '../../model/balancing.ts';
import type { RefusalCode } from '../../model/refusals.ts';
import type { StickyCookie } from '../balance/sticky.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { Work } from '../upstream/in-flight.ts';

/** Why a waiter's place goes to another: which of the hold's bounds is reached. */
export type Displacement = 'HOLD_FULL' | 'HOLD_CLIENT' | 'HOLD_BYTES';

/** Whoever wants an endpoint of a service. */
export interface Seeker {
  /** The endpoint that failed it before; undefined: none did. */
  readonly avoid: Endpoint | undefined;
  /** What `balance: hash` knows it by; undefined where it lacks that. */
  hashKey(on: HashOn): number | undefined;
  /** The endpoint that it is to come back to; undefined where it names none that is here. */
  stuckTo(sticky: StickyCookie): Endpoint | undefined;
}

/** Whoever waits for an endpoint of a service: an HTTP request, or a TCP session. It is in at most one queue. */
export interface Waiter extends Work, Seeker {
  /** Its neighbours in the queue. Owned by the hold queue. */
  previousHeld: Waiter | undefined;
  nextHeld: Waiter | undefined;
  /** Address of the client, for the bounds per client. */
  readonly address: string;
  /**
   * Its client closed its sending side and may have left, so it gives its place up first. This is set before it is
   * held, or when the queue is told by `mark`.
   */
  readonly isHalfClosed: boolean;
  /** It has claimed some of the bytes that may be held. */
  readonly holdsBytes: boolean;
  /** Returns for how long it has waited for a slot, ms, without what it waited for a start. The service is ready. */
  queuedMs(now: number): number;
  /** There is a place for it: it leaves the queue for the endpoint. */
  release(endpoint: Endpoint): void;
  /** It is in the queue, and the last endpoint is gone: it waits for a start from now on, or is answered. */
  waitForStart(): void;
  /** Another gets its place: it leaves the queue, refused. */
  yieldPlace(why: Displacement): void;
  /** It leaves the queue with a refusal. */
  refuse(code: RefusalCode): void;
}
