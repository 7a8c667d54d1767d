import type { Random } from '../random.ts';
import type { EdgeEndpoint } from './edge-endpoint.ts';

/**
 * Chooses an endpoint as the edge's least-request does: the first of two drawn at random where it is idle, else the
 * less loaded of them; where that one does not do, the least loaded of all.
 * @param limit most requests in flight on an endpoint
 * @param avoid the endpoint that failed the request before: chosen only where there is no other
 * @returns undefined where all are full
 */
export function pickEndpoint(
  endpoints: readonly EdgeEndpoint[],
  limit: number,
  avoid: EdgeEndpoint | undefined,
  random: Random,
): EdgeEndpoint | undefined {
  const count = endpoints.length;
  if (count === 0) return undefined;
  if (count === 1) {
    const only = endpoints[0] as EdgeEndpoint;
    return only.inFlight.size < limit ? only : undefined;
  }
  const picked = lessLoaded(endpoints, limit, random);
  if (picked !== avoid && picked.inFlight.size < limit) return picked;
  return leastLoaded(endpoints, limit, avoid);
}

function lessLoaded(endpoints: readonly EdgeEndpoint[], limit: number, random: Random): EdgeEndpoint {
  const index = Math.floor(random() * endpoints.length);
  const first = endpoints[index] as EdgeEndpoint;
  const load = first.inFlight.size;
  if (load === 0) return first;
  const next = Math.floor(random() * (endpoints.length - 1));
  const second = endpoints[next < index ? next : next + 1] as EdgeEndpoint;
  if (load >= limit) return second;
  if (second.inFlight.size >= limit) return first;
  return load <= second.inFlight.size ? first : second;
}

function leastLoaded(
  endpoints: readonly EdgeEndpoint[],
  limit: number,
  avoid: EdgeEndpoint | undefined,
): EdgeEndpoint | undefined {
  let best: EdgeEndpoint | undefined;
  for (const endpoint of endpoints) {
    if (endpoint === avoid || endpoint.inFlight.size >= limit) continue;
    if (best === undefined || endpoint.inFlight.size < best.inFlight.size) best = endpoint;
  }
  if (best !== undefined || avoid === undefined) return best;
  return endpoints.includes(avoid) && avoid.inFlight.size < limit ? avoid : undefined;
}
