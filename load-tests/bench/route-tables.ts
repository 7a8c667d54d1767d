import type { Extra } from './proxies/pilotlight.ts';

/** A configuration of many services, and requests that lead to some of them. */
export interface RouteTable {
  config: Extra;
  targets: { host: string; path: string }[];
}

/** Requests go to so many services, however many there are: what differs is the table, not the pool of connections. */
const ASKED = 10;

/** Services of their own host with so many paths each, all with the same static endpoint. */
export function routeTable(services: number, pathsEach: number, upstream: number): RouteTable {
  const host = (index: number): string => `service-${String(index).padStart(5, '0')}.bench.test`;
  const path = (index: number): string => `/part-${index}`;
  const entries = Array.from({ length: services }, (_, index) => {
    const routes = Array.from({ length: pathsEach }, (_, part) => ({ host: host(index), path: path(part) }));
    return [`service-${index}`, { routes, endpoints: { static: [`127.0.0.1:${upstream}`] } }] as const;
  });
  const targets = Array.from({ length: ASKED }, (_, turn) => {
    return { host: host(Math.floor((turn * services) / ASKED)), path: path(turn % pathsEach) };
  });
  return { config: { services: Object.fromEntries(entries) }, targets };
}
