import type { ServicePolicy } from '../../model/snapshot.ts';

/** A client that closed its sending side within an answer counts as gone when nothing moved for so long, ms. */
const GONE_AFTER_MS = 1000;

/**
 * How long nothing may pass in a stream or a tunnel, ms: less when the client of an answer may be gone, and little when
 * it probably is.
 * @param isThere whether the client has not ended its side, or it is a tunnel, where that is passed on
 * @param isHalfClosed it ended its side right behind its request, and still waits for the answer
 */
export function silenceMs(
  { timeouts: { streamMs, tunnelMs }, allowHalfOpen }: ServicePolicy,
  isThere: boolean,
  isHalfClosed: boolean,
): number {
  if (isThere || allowHalfOpen) return tunnelMs;
  return isHalfClosed ? Math.min(streamMs, tunnelMs) : GONE_AFTER_MS;
}
