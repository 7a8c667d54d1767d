import type { RouteView } from '../../model/snapshot.ts';
import { RouteTable } from './route-table.ts';

/** The routes of each listener: some are tied to listeners by name (`on`), the others hold for all. */
export class ListenerRoutes<Target extends object> {
  /** Of listeners to which no route is tied. */
  readonly #common: RouteTable<Target>;
  /** Of the others, by name; undefined: there are none, as mostly. */
  readonly #tied: Map<string, RouteTable<Target>> | undefined;

  constructor(routes: readonly RouteView[], targetOf: (route: RouteView) => Target) {
    const names = new Set(routes.flatMap(({ on = [] }) => on));
    if (names.size === 0) {
      this.#common = new RouteTable(routes, targetOf);
      return;
    }
    // One target for each route, whichever table it is in: it may count its clients' requests.
    const targets = new Map(routes.map((route) => [route, targetOf(route)]));
    const known = (route: RouteView) => targets.get(route) as Target;
    const tableOf = (name: string | undefined) =>
      new RouteTable(
        routes.filter(({ on }) => on === undefined || (name !== undefined && on.includes(name))),
        known,
      );
    this.#common = tableOf(undefined);
    this.#tied = new Map([...names].map((name) => [name, tableOf(name)]));
  }

  /** The routes of the listener with this name; empty: it has none. */
  of(listener: string): RouteTable<Target> {
    return this.#tied?.get(listener) ?? this.#common;
  }

  /** Whether another listener has a route for a request for which this one has none. */
  isElsewhere(listener: string, host: string, target: string, pathEnd: number): boolean {
    const own = this.of(listener);
    return [this.#common, ...(this.#tied?.values() ?? [])].some((table) => {
      const routes = table === own ? undefined : table.host(host);
      return routes !== undefined && typeof RouteTable.lookup(routes, target, pathEnd) !== 'string';
    });
  }
}
