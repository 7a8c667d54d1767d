import { comparable, readingsOf } from '../../util/path-readings.ts';
import type { Path } from '../read/path.ts';
import type { ServiceConfig } from '../schema/service.ts';
import type { Report } from './report.ts';

type Route = ServiceConfig['routes'][number];

interface Place {
  service: string;
  route: Route;
  path: Path;
}

/** What opens a route wider where it is not given: a value that a comment has eaten must not. */
const NARROWING = {
  host: 'any host',
  on: 'all listeners',
  allow: 'everybody',
  allowSubjects: 'everybody',
  basicAuth: 'everybody',
  rate: 'any rate',
};

/** Rules across the routes of all services. */
export function checkRoutes(services: [string, ServiceConfig][], report: Report): void {
  const byHost = new Map<string, Place[]>();
  for (const [service, { routes }] of services) {
    routes.forEach((route, index) => {
      const place = { service, route, path: ['services', service, 'routes', index] };
      refuseEmpty(place, report);
      const host = route.host ?? '';
      const others = byHost.get(host);
      if (others === undefined) byHost.set(host, [place]);
      else others.push(place);
    });
  }
  for (const places of byHost.values()) {
    if (places.length === 1) continue;
    checkSame(places, report);
    for (const place of places) warnUnreachable(place, report);
  }
}

function refuseEmpty({ path }: Place, report: Report): void {
  for (const [key, meaning] of Object.entries(NARROWING)) {
    if (report.empty([...path, key]))
      report.problem([[...path, key]], `nothing stands here: for ${meaning}, leave the key out`);
  }
}

/** No path of a host twice; where case does not matter, in no case. */
function checkSame(places: readonly Place[], report: Report): void {
  const folds = places.some(({ route }) => route.caseInsensitive);
  const owners = new Map<string, Place[]>();
  for (const place of places) {
    const { host, path } = place.route;
    const key = folds ? path.toLowerCase() : path;
    const others = owners.get(key) ?? [];
    owners.set(key, [...others, place]);
    const owner = others.find(({ route }) => meet(route, place.route));
    if (owner === undefined) continue;
    const whole = host === undefined ? `${path} (any host)` : `${host}${path}`;
    const how = owner.route.path === path ? '' : ', but for upper and lower case';
    const at = [[...place.path, 'path'], [...place.path, 'host'], place.path];
    report.problem(at, `${whole} already leads to ${owner.service}${how}`);
  }
}

/** Whether some listener has both. */
export function meet({ on: one }: Pick<Route, 'on'>, { on: other }: Pick<Route, 'on'>): boolean {
  return one === undefined || other === undefined || one.some((name) => other.includes(name));
}

/** A path that is itself read as another one cannot be told from that. */
function warnUnreachable({ route, path }: Place, report: Report): void {
  if (route.ambiguousPaths === 'forward') return;
  const other = readingsOf(route.path)
    .paths?.map(comparable)
    .find((reading) => reading !== route.path);
  if (other === undefined) return;
  const message = `applications may read it as ${other}: unless that leads to the same, its requests are 400`;
  report.warning([[...path, 'path']], message);
}
