import type { RefusalCode } from '../../model/refusals.ts';
import { Histogram, type SparseCounts } from '../../util/histogram.ts';

/** What a service is asked to do, whether it waits for an endpoint or is in flight on one. Times are the clock's ms. */
export interface Work {
  /**
   * It may not wake its service, so it does not keep it awake either. This does not change while it is held or in
   * flight.
   */
  readonly passive: boolean;
  /** It is timed, and counts as load: it is neither passive nor an upgrade or a session. Likewise constant. */
  readonly isLoad: boolean;
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

/** Numbers of those in flight that are no activity. */
interface Inactive {
  quiet: number;
  /** Of the others, those that may not keep the service awake. */
  passive: number;
}

/** Counts those, from `first` on, that are quiet (no byte passed for `streamMs`) or may not keep the service awake. */
export function inactiveOf(first: InFlight | undefined, now: number, streamMs: number): Inactive {
  let quiet = 0;
  let passive = 0;
  for (let each = first; each !== undefined; each = each.nextInFlight) {
    if (each.quietSince(now, streamMs) !== undefined) quiet++;
    else if (each.passive) passive++;
  }
  return { quiet, passive };
}

/** Returns the age of the oldest active one, from `first` on, ms; undefined: there is none. */
export function oldestMs(first: InFlight | undefined, now: number, streamMs: number): number | undefined {
  let since = Number.POSITIVE_INFINITY;
  for (let each = first; each !== undefined; each = each.nextInFlight) {
    if (each.since < since && !each.passive && each.quietSince(now, streamMs) === undefined) since = each.since;
  }
  return since === Number.POSITIVE_INFINITY ? undefined : now - since;
}

/** Returns the ages of those, from `first` on, that came at `from` or later and have no first byte yet. */
export function waitingAges(first: InFlight | undefined, from: number, now: number): SparseCounts {
  // Made only when it is needed: 2 KB a second for each of 10,000 services kept the collector busy for 10 % of a core.
  let waiting: Histogram | undefined;
  for (let each = first; each !== undefined; each = each.nextInFlight) {
    const waitedMs = each.startedAt < from ? undefined : each.waitedMs(now);
    if (waitedMs === undefined) continue;
    waiting ??= new Histogram();
    waiting.add(waitedMs);
  }
  return waiting?.sparse() ?? [];
}
