import type { RouteView } from '../../model/snapshot.ts';
import { comparable, hasOneReading, pathKey, readingsOf } from '../../util/path-readings.ts';
import { HostTree } from './host-tree.ts';

/** The routes of one host. */
export interface HostRoutes<Target> {
  /** The target of `/`. */
  root: Target | undefined;
  /** Longer prefix → target; undefined without any, as most of many hosts have one route. */
  prefixes: Map<string, Target> | undefined;
  /** Number of segments of the longest prefix. No longer path has to be looked up. */
  depth: number;
  /** Lower-cased prefix → target, if some route of the host ignores case. */
  folded: Map<string, Target> | undefined;
  /** What distinguishes its targets; undefined if nothing does, so that any reading of a path leads to the same. */
  traits: Map<Target, Traits> | undefined;
}

interface Traits {
  /** Routes that guard and serve alike have the same number. */
  kind: number;
  /** It accepts requests even if another reading of their path leads elsewhere. */
  forwards: boolean;
}

/** Why a look-up found no target. */
export type NoRoute = 'NO_ROUTE' | 'AMBIGUOUS_PATH';

/**
 * Maps host and path prefix to a target. It is compiled once and never changed. An exact host comes before the longest
 * `*.` suffix, and that before any host; the most specific host decides alone. The longest prefix that ends at a
 * segment border wins. How a path is read is up to the application, so a path whose readings lead to different targets
 * leads to none.
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

  /** Returns the routes of a host (lower case, no port, no trailing dot; empty for a request without one). */
  host(name: string): HostRoutes<Target> | undefined {
    return this.#exact.get(name) ?? (this.#suffixes.isEmpty ? this.#any : (this.#suffixes.longest(name) ?? this.#any));
  }

  /** Looks up the target of a path, which is `target` up to `pathEnd`. */
  static lookup<Target extends object>(routes: HostRoutes<Target>, target: string, pathEnd: number): Target | NoRoute {
    const { root, prefixes, folded } = routes;
    if (prefixes === undefined) return root ?? 'NO_ROUTE';
    const path = target.slice(0, pathEnd);
    if (folded === undefined && hasOneReading(path)) return targetIn(prefixes, routes, path) ?? 'NO_ROUTE';
    return routes.traits === undefined
      ? (targetIn(prefixes, routes, compared(path, routes.depth)) ?? 'NO_ROUTE')
      : targetOfAll(routes, prefixes, routes.traits, path);
  }

  /** Returns the target of one reading of a path alone. */
  static targetOf<Target>(routes: HostRoutes<Target>, reading: string): Target | undefined {
    const { prefixes, root, depth } = routes;
    return prefixes === undefined ? root : targetIn(prefixes, routes, compared(reading, depth));
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

/** Prepares a host for paths with several readings, if it matters how they are read. */
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

/** Looks up the target that all readings of a path lead to. */
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
    // Some applications end a path at the first NUL.
    if (reading.includes('\0')) return 'AMBIGUOUS_PATH';
    const key = compared(reading, depth);
    judge(targetIn(prefixes, routes, key));
    if (folded !== undefined) judge(targetIn(folded, routes, key.toLowerCase()));
  }
  return agree || forwarded ? (asSent ?? 'NO_ROUTE') : 'AMBIGUOUS_PATH';
}

/** Cuts a reading to what is looked up: no more segments than the longest prefix has. */
function compared(reading: string, depth: number): string {
  return comparable(reading.slice(0, endOfSegments(reading, depth)));
}

/** Looks up the target of the longest prefix of a path, or of `/`. */
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

/** Returns the end of the `count`-th segment of a path, or of the path. */
export function endOfSegments(path: string, count: number): number {
  let at = 0;
  for (let i = 0; i < count; i++) {
    const next = path.indexOf('/', at + 1);
    if (next < 0) return path.length;
    at = next;
  }
  return at;
}
