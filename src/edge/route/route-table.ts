import type { RouteView } from '../../model/snapshot.ts';
import { comparable, hasOneReading, pathKey, readingsOf } from '../../util/path-readings.ts';
import { HostTree } from './host-tree.ts';

/** The routes of one host. */
export interface HostRoutes<Target> {
  /** The target of `/`. */
  root: Target | undefined;
  /** Longer prefix → target; undefined where there is none: most of many hosts have one route. */
  prefixes: Map<string, Target> | undefined;
  /** Number of segments of the longest prefix: no longer one needs to be looked up. */
  depth: number;
  /** Lower-cased prefix → target, where some route of the host does not tell upper from lower case. */
  folded: Map<string, Target> | undefined;
  /** What distinguishes its targets; undefined where nothing does, so that it is no matter how a path is read. */
  traits: Map<Target, Traits> | undefined;
}

interface Traits {
  /** The same for routes that guard and serve alike. */
  kind: number;
  /** It gets requests even where another reading of their path leads elsewhere. */
  forwards: boolean;
}

/** Outcome of a look-up that found no target. */
export type NoRoute = 'NO_ROUTE' | 'AMBIGUOUS_PATH';

/**
 * Host and path prefix → target, compiled once and never changed. Exact host before the longest `*.` suffix before any
 * host; the most specific host decides alone. The longest prefix that ends at a segment border wins. What a path means
 * is for the application to say, so where the readings of one lead to different targets, it leads to none.
 */
export class RouteTable<Target extends object> {
  readonly #exact = new Map<string, HostRoutes<Target>>();
  readonly #suffixes = new HostTree<HostRoutes<Target>>();
  #any: HostRoutes<Target> | undefined;

  constructor(routes: readonly RouteView[], targetOf: (route: RouteView) => Target) {
    const byHost = new Map<HostRoutes<Target>, { route: RouteView; target: Target }[]>();
    for (const route of routes) {
      const host = this.#hostRoutes(route.host);
      const target = targetOf(route);
      const all = byHost.get(host);
      if (all === undefined) byHost.set(host, [{ route, target }]);
      else all.push({ route, target });
      if (route.path === '/') {
        host.root = target;
        continue;
      }
      host.prefixes ??= new Map();
      host.prefixes.set(pathKey(route.path), target);
      host.depth = Math.max(host.depth, route.path.split('/').length - 1);
    }
    for (const [host, all] of byHost) if (all.length > 1) distinguish(host, all);
  }

  /** The routes of a host (lower case, no port, no trailing dot; empty for a request without one). */
  host(name: string): HostRoutes<Target> | undefined {
    return this.#exact.get(name) ?? (this.#suffixes.isEmpty ? this.#any : (this.#suffixes.longest(name) ?? this.#any));
  }

  /** The target of a path: `target` up to `pathEnd`. */
  static lookup<Target extends object>(routes: HostRoutes<Target>, target: string, pathEnd: number): Target | NoRoute {
    const { root, prefixes, folded } = routes;
    if (prefixes === undefined) return root ?? 'NO_ROUTE';
    const path = target.slice(0, pathEnd);
    if (folded === undefined && hasOneReading(path)) return targetIn(prefixes, routes, path) ?? 'NO_ROUTE';
    return routes.traits === undefined
      ? (targetIn(prefixes, routes, compared(path, routes.depth)) ?? 'NO_ROUTE')
      : targetOfAll(routes, prefixes, routes.traits, path);
  }

  #hostRoutes(host: string | undefined): HostRoutes<Target> {
    const fresh = (): HostRoutes<Target> => ({
      root: undefined,
      prefixes: undefined,
      depth: 0,
      folded: undefined,
      traits: undefined,
    });
    if (host === undefined) {
      this.#any ??= fresh();
      return this.#any;
    }
    if (host.startsWith('*.')) return this.#suffixes.of(host.slice(2), fresh);
    let routes = this.#exact.get(host);
    if (routes === undefined) {
      routes = fresh();
      this.#exact.set(host, routes);
    }
    return routes;
  }
}

/** Prepares a host for paths with more than one reading, if it is of matter how they are read. */
function distinguish<Target>(host: HostRoutes<Target>, all: { route: RouteView; target: Target }[]): void {
  const kinds = new Map<string, number>();
  const traits = new Map<Target, Traits>();
  for (const { route, target } of all) {
    const text = JSON.stringify([route.service, route.rules ?? null, route.maxBody ?? 0]);
    const kind = kinds.get(text) ?? kinds.size;
    kinds.set(text, kind);
    traits.set(target, { kind, forwards: route.ambiguousPaths === 'forward' });
  }
  if (kinds.size === 1) return;
  host.traits = traits;
  if (host.prefixes === undefined || !all.some(({ route }) => route.caseInsensitive === true)) return;
  host.folded = new Map([...host.prefixes].map(([prefix, target]) => [prefix.toLowerCase(), target]));
}

/** The target that all readings of a path lead to. */
function targetOfAll<Target extends object>(
  routes: HostRoutes<Target>,
  prefixes: Map<string, Target>,
  traits: Map<Target, Traits>,
  path: string,
): Target | NoRoute {
  const { paths } = readingsOf(path);
  if (paths === undefined) return 'AMBIGUOUS_PATH';
  const { folded, depth } = routes;
  const asSent = targetIn(prefixes, routes, compared(path, depth));
  const kind = asSent && traits.get(asSent)?.kind;
  let agree = true;
  let forwarded = true;
  const judge = (found: Target | undefined): void => {
    const other = found && traits.get(found);
    agree &&= other?.kind === kind;
    forwarded &&= other?.forwards !== false;
  };
  for (const reading of paths) {
    // Some end at the first.
    if (reading.includes('\0')) return 'AMBIGUOUS_PATH';
    const key = compared(reading, depth);
    judge(targetIn(prefixes, routes, key));
    if (folded !== undefined) judge(targetIn(folded, routes, key.toLowerCase()));
  }
  return agree || forwarded ? (asSent ?? 'NO_ROUTE') : 'AMBIGUOUS_PATH';
}

/** What of a reading is looked up: no more segments than the longest prefix has. */
function compared(reading: string, depth: number): string {
  return comparable(reading.slice(0, endOfSegments(reading, depth)));
}

/** The target of the longest prefix of a path, and of `/` where there is none. */
function targetIn<Target>(
  prefixes: Map<string, Target>,
  { root, depth }: HostRoutes<Target>,
  path: string,
): Target | undefined {
  let end = endOfSegments(path, depth);
  while (end > 0) {
    const found = prefixes.get(path.slice(0, end));
    if (found !== undefined) return found;
    end = path.lastIndexOf('/', end - 1);
  }
  return root;
}

/** End of the `count`-th segment of a path, or of the path. */
export function endOfSegments(path: string, count: number): number {
  let at = 0;
  for (let i = 0; i < count; i++) {
    const next = path.indexOf('/', at + 1);
    if (next < 0) return path.length;
    at = next;
  }
  return at;
}
