import type { RefusalCode } from '../../model/refusals.ts';

/** What a service is asked to do, whether it waits for an endpoint or is in flight on one. Times are the clock's ms. */
export interface Work {
  /**
   * It may not wake its service, so it does not keep it awake either. This does not change while it is held or in
   * flight.
   */
  readonly passive: boolean;
  /** When it came. */
  readonly startedAt: number;
  /** What it does, in a word: `GET`, or `TCP`. */
  readonly action: string;
  /** What it is directed to, such as the target of a request. This may be long, and may hold secrets. */
  readonly target: string;
}

/** What is in flight on an endpoint: an HTTP request or a TCP session. Times are the clock's ms. */
export interface InFlight extends Work {
  /** Its neighbours on the endpoint. Owned by the endpoint. */
  previousInFlight: InFlight | undefined;
  nextInFlight: InFlight | undefined;
  /** Since when the service is responsible for its time, which does not include the wait for a start. */
  readonly since: number;
  /** Whether bytes pass through it unchanged. */
  readonly isTunnel: boolean;
  /** Returns since when it is no activity, because no byte passed for `streamMs`; undefined: it is active. */
  quietSince(now: number, streamMs: number): number | undefined;
  /**
   * Returns for how long it has waited for the endpoint's first byte, ms; undefined: it does not, or that says nothing
   * about the endpoint.
   */
  waitedMs(now: number): number | undefined;
  /** Its endpoint is dead or gone: it goes elsewhere if it is not connected yet. */
  leaveDead(): void;
  /**
   * Ends it, because its endpoint or the proxy is being closed.
   * @param code what its client is told when no answer has begun; UPSTREAM_RESET by default
   */
  cutOff(why: 'retired', code?: RefusalCode): void;
}
