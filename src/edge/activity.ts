import type { Endpoint } from './endpoint.ts';

/** Requests in flight on all of them. */
export function inFlightOn(endpoints: Iterable<Endpoint>): number {
  let inFlight = 0;
  for (const endpoint of endpoints) inFlight += endpoint.inFlight;
  return inFlight;
}

/** Requests in flight on an endpoint that are no activity any more: no byte passed for `streamMs`. */
export function quietOn(endpoint: Endpoint, streamMs: number, now: number): number {
  let quiet = 0;
  for (let each = endpoint.first; each !== undefined; each = each.nextInFlight) {
    if (each.quietSince(now, streamMs) !== undefined) quiet++;
  }
  return quiet;
}

/**
 * For how long nothing has been in flight that is activity, ms: a stream without bytes for long is none.
 * @param since end of the last exchange or wait, the clock's ms
 */
export function idleFor(endpoints: Iterable<Endpoint>, since: number, streamMs: number, now: number): number {
  let latest = since;
  for (const endpoint of endpoints) {
    for (let each = endpoint.first; each !== undefined; each = each.nextInFlight) {
      const quietSince = each.quietSince(now, streamMs);
      if (quietSince === undefined) return 0;
      latest = Math.max(latest, quietSince);
    }
  }
  return Math.max(0, now - latest);
}
