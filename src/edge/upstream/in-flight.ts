import type { RefusalCode } from '../../model/refusals.ts';

/** Whatever is in flight on an endpoint: an HTTP request, or a TCP session. Times are the clock's ms. */
export interface InFlight {
  /** Its neighbours on the endpoint. Owned by the endpoint. */
  previousInFlight: InFlight | undefined;
  nextInFlight: InFlight | undefined;
  /** It may not wake its service, so it does not keep it awake either. Stays as it is while it is in flight or held. */
  readonly passive: boolean;
  /** When it came. */
  readonly startedAt: number;
  /** From when its time is the service's: without the wait for a start. */
  readonly since: number;
  /** Bytes pass through it as they are. */
  readonly isTunnel: boolean;
  /** What it does, in a word: `GET`, or `TCP`. */
  readonly action: string;
  /** To what: the target of a request. It may hold secrets, and be long. */
  readonly target: string;
  /** Since when no byte passed for `streamMs`, so that it is no activity any more; undefined: it is active. */
  quietSince(now: number, streamMs: number): number | undefined;
  /** For how long its endpoint has been waited for without a byte, ms; undefined: it is not, or that says nothing. */
  waitedMs(now: number): number | undefined;
  /** Its endpoint is dead or gone: it goes elsewhere if it is not connected yet. */
  leaveDead(): void;
  /**
   * Ends it: its endpoint is being closed under it, or the proxy is.
   * @param code what its client is told where nothing was answered yet; UPSTREAM_RESET by default
   */
  cutOff(why: 'retired', code?: RefusalCode): void;
}
