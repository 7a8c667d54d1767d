import type { ServiceStatus } from '../model/status.ts';

/** Which services are listed, in which order. */
export interface ServiceFilter {
  /** Part of a name; empty: any. */
  text: string;
  /** A state; `trouble`: something is wrong; empty: any. */
  state: string;
  sort: SortKey;
}

const SORT_KEYS = ['name', 'state', 'replicas', 'inFlight', 'held', 'rate', 'p95', 'errors'] as const;
export type SortKey = (typeof SORT_KEYS)[number];

/** By name; by all else the most urgent, or the largest, comes first. */
const ORDERS: Record<SortKey, (service: ServiceStatus) => number> = {
  name: () => 0,
  state: ({ state }) => -['asleep', 'ready', 'retiring', 'waking', 'unavailable', 'failing'].indexOf(state),
  replicas: (service) => -readyOf(service),
  inFlight: ({ inFlight }) => -inFlight,
  held: ({ held }) => -held,
  rate: ({ perSecond }) => -perSecond.arrivals,
  p95: ({ latencyMs }) => -(latencyMs.p95 ?? -1),
  errors: ({ perSecond }) => -(perSecond.errors + perSecond.shed),
};

export function readyOf({ replicas }: ServiceStatus): number {
  return replicas.filter(({ state }) => state === 'ready').length;
}

/** Whether somebody should look into it. */
export function isInTrouble({ state, startFailure, troubles }: ServiceStatus): boolean {
  return state === 'failing' || state === 'unavailable' || startFailure !== null || troubles.length > 0;
}

export function readFilter(query: URLSearchParams): ServiceFilter {
  const sort = SORT_KEYS.find((key) => key === query.get('sort')) ?? 'name';
  return { text: query.get('q') ?? '', state: query.get('state') ?? '', sort };
}

/** Those that the filter lets through, sorted. @param services in the order of names */
export function filterServices(services: Iterable<ServiceStatus>, filter: ServiceFilter): ServiceStatus[] {
  const text = filter.text.toLowerCase();
  const found = [...services].filter(
    (service) =>
      service.name.toLowerCase().includes(text) &&
      (filter.state === '' || service.state === filter.state || (filter.state === 'trouble' && isInTrouble(service))),
  );
  if (filter.sort === 'name') return found;
  const order = ORDERS[filter.sort];
  return found.sort((a, b) => order(a) - order(b));
}
