import type { RouteSettings, ServiceSettings } from '../../model/settings.ts';
import { meet } from '../check/routes.ts';
import { widerPatterns } from './host-patterns.ts';

interface Place {
  route: RouteSettings;
  /** As messages call the owner: `the file`, `container shop-1`. */
  owner: string;
}

/** Who has which hosts and paths: those of the file first, then those that were declared, the older before the younger. */
export class RouteOwners {
  readonly #byHost = new Map<string, Place[]>();
  /** Hosts of routes of the file. */
  readonly #ofFile = new Set<string>();

  constructor(services: readonly ServiceSettings[]) {
    for (const { routes, name } of services) {
      for (const route of routes) if (route.host !== undefined) this.#ofFile.add(route.host);
      this.add(routes, `service ${name} of the file`);
    }
  }

  add(routes: readonly RouteSettings[], owner: string): void {
    for (const route of routes) {
      const places = this.#byHost.get(route.host ?? '');
      if (places === undefined) this.#byHost.set(route.host ?? '', [{ route, owner }]);
      else places.push({ route, owner });
    }
  }

  /**
   * Why a route may not be declared, in one line; undefined where it may.
   * @param isNamed whether its host was named by the operator as one that may be declared
   */
  conflictOf(route: RouteSettings, isNamed: boolean): string | undefined {
    const { host, path } = route;
    const whole = host === undefined ? `${path} (any host)` : `${host}${path}`;
    const taken = this.#byHost.get(host ?? '')?.find((place) => isSame(place.route, route));
    if (taken !== undefined) return `${whole} belongs to ${taken.owner}`;
    if (host === undefined || isNamed) return undefined;
    const ofFile = [host, ...widerPatterns(host)].find((pattern) => this.#ofFile.has(pattern));
    if (ofFile === undefined) return undefined;
    return `${whole}: the host ${ofFile} is the file's; what may be declared below it is named in declare.allow.hosts`;
  }
}

/** Whether both would lead the same path to different services on some listener. */
function isSame(one: RouteSettings, other: RouteSettings): boolean {
  const folds = one.caseInsensitive || other.caseInsensitive;
  const isSamePath = folds ? one.path.toLowerCase() === other.path.toLowerCase() : one.path === other.path;
  return isSamePath && meet(one, other);
}
