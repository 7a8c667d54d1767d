import type { RouteView } from '../model/snapshot.ts';

/** The routes of one host. */
export interface HostRoutes<Target> {
  /** The target of `/`. */
  root: Target | undefined;
  /** Longer prefix → target; undefined where there is none: most of many hosts have one route. */
  prefixes: Map<string, Target> | undefined;
  /** Number of segments of the longest prefix: no longer one needs to be looked up. */
  depth: number;
}

const DOT_SEGMENT = /\/(?:\.|%2e){1,2}(?:\/|$)/i;

/** Outcome of a look-up that found no target. */
export type NoRoute = 'NO_ROUTE' | 'AMBIGUOUS_PATH';

/**
 * Host and path prefix → target, compiled once and never changed. Exact host before the longest `*.` suffix before any
 * host; the most specific host decides alone. The longest prefix that ends at a segment border wins; bytes are compared
 * as they are.
 */
export class RouteTable<Target> {
  readonly #exact = new Map<string, HostRoutes<Target>>();
  readonly #suffixes = new Map<string, HostRoutes<Target>>();
  #any: HostRoutes<Target> | undefined;

  constructor(routes: readonly RouteView[], targetOf: (route: RouteView) => Target) {
    for (const route of routes) {
      const host = this.#hostRoutes(route.host);
      if (route.path === '/') {
        host.root = targetOf(route);
        continue;
      }
      host.prefixes ??= new Map();
      host.prefixes.set(route.path, targetOf(route));
      host.depth = Math.max(host.depth, route.path.split('/').length - 1);
    }
  }

  /** The routes of a host (lower case, no port, no trailing dot; empty for a request without one). */
  host(name: string): HostRoutes<Target> | undefined {
    const exact = this.#exact.get(name);
    if (exact !== undefined) return exact;
    if (this.#suffixes.size > 0) {
      for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
        const found = this.#suffixes.get(name.slice(dot));
        if (found !== undefined) return found;
      }
    }
    return this.#any;
  }

  /** The target of a path: `target` up to `pathEnd`, byte for byte. */
  static lookup<Target extends object>(routes: HostRoutes<Target>, target: string, pathEnd: number): Target | NoRoute {
    const { root, prefixes, depth } = routes;
    if (prefixes === undefined) return root ?? 'NO_ROUTE';
    const path = target.slice(0, pathEnd);
    if ((root !== undefined || prefixes.size > 1) && DOT_SEGMENT.test(path)) return 'AMBIGUOUS_PATH';
    let end = endOfSegments(path, depth);
    while (end > 0) {
      const found = prefixes.get(path.slice(0, end));
      if (found !== undefined) return found;
      end = path.lastIndexOf('/', end - 1);
    }
    return root ?? 'NO_ROUTE';
  }

  #hostRoutes(host: string | undefined): HostRoutes<Target> {
    const fresh = (): HostRoutes<Target> => ({ root: undefined, prefixes: undefined, depth: 0 });
    if (host === undefined) {
      this.#any ??= fresh();
      return this.#any;
    }
    const map = host.startsWith('*.') ? this.#suffixes : this.#exact;
    const key = host.startsWith('*.') ? host.slice(1) : host;
    let routes = map.get(key);
    if (routes === undefined) {
      routes = fresh();
      map.set(key, routes);
    }
    return routes;
  }
}

/** End of the `count`-th segment of a path, or of the path. */
function endOfSegments(path: string, count: number): number {
  let at = 0;
  for (let i = 0; i < count; i++) {
    const next = path.indexOf('/', at + 1);
    if (next < 0) return path.length;
    at = next;
  }
  return at;
}
