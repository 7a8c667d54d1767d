import type { HeaderRules, RouteRules } from '../../model/route-rules.ts';
import type { RouteStatus } from '../../model/routes.ts';
import type { RouteView } from '../../model/snapshot.ts';
import { formatDuration } from '../../util/units.ts';

/** Names that are listed of a long list. */
const MOST_LISTED = 5;

/** A route for people: no password hash and no value of a header is in it. */
export function describeRoute(route: RouteView): RouteStatus {
  const { host = null, path, service, on = null, rules, maxBody = 0 } = route;
  const compresses = typeof route.compress === 'object' ? ['compresses answers'] : [];
  const bounds = maxBody > 0 ? [`takes bodies of ${maxBody} bytes at most`] : [];
  const asked = rules === undefined ? [] : describeRules(rules, path);
  return { host, path, service, listeners: on, rules: [...asked, ...bounds, ...compresses] };
}

/** `shop.example.com/api`, `*` for any host. */
export function routeName({ host, path }: Pick<RouteView, 'host' | 'path'>): string {
  return `${host ?? '*'}${path}`;
}

/** In the order in which they are applied. */
function describeRules(rules: RouteRules, path: string): string[] {
  const { allow, allowSubjects, rate, redirect, addSlash, basicAuth, strip, headers } = rules;
  return [
    allow.length > 0 && `lets in ${listed(allow)} only`,
    allowSubjects && `asks for a client certificate of ${listed(allowSubjects)}`,
    rate && `takes ${rate.requests} requests per ${formatDuration(rate.perMs)} of each client, ${rate.burst} at once`,
    redirect && `redirects to ${redirect.to} (${redirect.status})`,
    addSlash === true && path !== '/' && `redirects ${path} to ${path}/ (308)`,
    basicAuth && `asks for a user and a password (${basicAuth.realm})`,
    strip && path !== '/' && `cuts ${path} off`,
    ...describeHeaders(headers.request, 'requests'),
    ...describeHeaders(headers.response, 'answers'),
  ].filter((text) => typeof text === 'string');
}

function describeHeaders({ set, remove }: HeaderRules, where: string): (string | false)[] {
  return [
    set.length > 0 && `sets ${listed(set.map(({ name }) => name))} of ${where}`,
    remove.length > 0 && `removes ${listed(remove)} of ${where}`,
  ];
}

function listed(names: readonly string[]): string {
  const more = names.length - MOST_LISTED;
  return `${names.slice(0, MOST_LISTED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
