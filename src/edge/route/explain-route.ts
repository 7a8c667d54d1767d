import type { Logger } from '../../model/observe.ts';
import type { RouteExplanation, RouteQuestion } from '../../model/routes.ts';
import type { ListenSettings } from '../../model/settings.ts';
import type { RouteView, RoutingTable, ServicePolicy } from '../../model/snapshot.ts';
import { hostPort } from '../../util/host-port.ts';
import { readingsOf } from '../../util/path-readings.ts';
import { printable } from '../../util/printable.ts';
import { compileWakeRules, wakeRuleOf } from '../hold/wake-rules.ts';
import { RequestHead } from '../http1/request.ts';
import { type Admission, CompiledRules } from './compiled-rules.ts';
import { describeRoute, routeName } from './describe-route.ts';
import { ListenerRoutes } from './listener-routes.ts';
import { PasswordVerifier } from './password-verifier.ts';
import { type HostRoutes, type NoRoute, RouteTable } from './route-table.ts';

/** Other routes of the same host that are told of. */
const MOST_OTHERS = 100;
const MOST_SHOWN = 200;
const URL_FORM = /^(https?):\/\/[^/?#:[\]]*(?:\[[^\]]*\])?(?::(\d+))?(?=[/?#]|$)/i;
const DEFAULT_PORTS = { http: 80, https: 443 };
const NO_LIMITS = { headBytes: 16_384, fields: 100, targetBytes: 8192 };

/** What matters of a listener. */
export interface ExplainedListener extends Pick<ListenSettings, 'name' | 'address' | 'redirectToHttps' | 'tcp'> {
  /** Undefined: in clear text. */
  tls?: object | undefined;
}

type Found = RouteView | NoRoute;
type Answer = Pick<RouteExplanation, 'route' | 'refusal' | 'why' | 'then'>;

/**
 * Says where a request would go, and why nothing else takes it. Each step is done by the code that does it for requests.
 * No rate is counted, and no password checked.
 */
export function explainRoute(
  { method, url }: RouteQuestion,
  { routes, services }: RoutingTable,
  listeners: readonly ExplainedListener[],
  logger: Logger,
): RouteExplanation {
  const head = new RequestHead();
  // A fragment stays with the client (RFC 9110 §7.1).
  const sent = url.replace(/#.*$/s, '');
  const text = `${method} ${sent} HTTP/1.1\r\nHost: explained\r\n`;
  const form = URL_FORM.exec(sent);
  const listener = form === null ? undefined : listenerFor(form[1] as string, form[2], listeners);
  const asked = {
    method,
    host: '',
    path: '',
    listener: listener === undefined ? null : { name: listener.name ?? null, address: hostPort(listener.address) },
  };
  const none = { others: [], elsewhere: routes.length };
  const unread = { ...asked, path: printable(url, MOST_SHOWN) };
  if (form === null)
    return {
      ...unread,
      ...refused('BAD_REQUEST', 'the URL does not begin with http:// or https:// and a host'),
      ...none,
    };
  const refusal = head.parse(text, Buffer.from(text, 'latin1'), 0, NO_LIMITS);
  if (refusal !== undefined)
    return { ...unread, ...refused(refusal, head.fault ?? 'such a request is refused'), ...none };
  const path = head.target.slice(0, head.pathEnd);
  const read = { ...asked, host: head.host, path };
  if (listener === undefined) return { ...read, ...refused(null, `no listener takes ${form[1]}`), ...none };
  if (listener.redirectToHttps === true && listener.tls === undefined) {
    const why = `the listener ${hostPort(listener.address)} sends all requests to the same address by https (308)`;
    return { ...read, ...refused(null, why), ...none };
  }
  const tables = new ListenerRoutes<RouteView>(routes, (route) => route);
  const ofHost = tables.of(listener.name ?? '').host(head.host);
  const found: Found = ofHost === undefined ? 'NO_ROUTE' : RouteTable.lookup(ofHost, head.target, head.pathEnd);
  const hostOf = ofHost && hostInForce(ofHost);
  const considered = routes.filter((route) => {
    const isTied = route.on === undefined || route.on.includes(listener.name ?? '');
    return route !== found && isTied && new RouteTable([route], (each) => each).host(head.host) !== undefined;
  });
  const others = considered.slice(0, MOST_OTHERS).map((route) => {
    return { route: describeRoute(route), why: whyNot(route, head, hostOf, found) };
  });
  const elsewhere = routes.length - considered.length - Number(typeof found !== 'string');
  const answer =
    typeof found === 'string'
      ? unrouted(found, ofHost, tables, head, listener)
      : routed(
          found,
          head,
          services.find(({ name }) => name === found.service),
          logger,
        );
  return { ...read, ...answer, others, elsewhere };
}

function refused(refusal: string | null, why: string): Answer {
  return { route: null, refusal, why, then: [] };
}

/** Whoever names a port means the listener there; else the first one that speaks the scheme is taken. */
function listenerFor(
  scheme: string,
  port: string | undefined,
  listeners: readonly ExplainedListener[],
): ExplainedListener | undefined {
  const name = scheme.toLowerCase() as 'http' | 'https';
  const fitting = listeners.filter(({ tls, tcp }) => tcp === undefined && (tls !== undefined) === (name === 'https'));
  const wanted = port === undefined ? DEFAULT_PORTS[name] : Number(port);
  const there = fitting.find(({ address }) => address.port === wanted);
  // Ports are often translated on the way, and TLS ended.
  return there ?? fitting[0] ?? listeners.find(({ tcp }) => tcp === undefined);
}

function hostInForce({ root, prefixes }: HostRoutes<RouteView>): RouteView | undefined {
  return root ?? prefixes?.values().next().value;
}

/** Why a route that is for the host is not the one. @param inForce any route of the host that decides */
function whyNot(route: RouteView, head: RequestHead, inForce: RouteView | undefined, found: Found): string {
  if (inForce !== undefined && route.host !== inForce.host)
    return `${inForce.host ?? 'any host'} is more specific than ${route.host ?? 'any host'}, and decides alone`;
  const alone = new RouteTable([route], (each) => each).host(head.host) as HostRoutes<RouteView>;
  if (RouteTable.lookup(alone, head.target, head.pathEnd) === 'NO_ROUTE') return `the path is not under ${route.path}`;
  return typeof found === 'string' ? 'it is one of those that the path may lead to' : `${found.path} is longer`;
}

function unrouted(
  found: NoRoute,
  ofHost: HostRoutes<RouteView> | undefined,
  tables: ListenerRoutes<RouteView>,
  head: RequestHead,
  listener: ExplainedListener,
): Answer {
  const { host, target, pathEnd } = head;
  if (found === 'AMBIGUOUS_PATH') return refused(found, whyAmbiguous(ofHost as HostRoutes<RouteView>, head));
  const isElsewhere = tables.isElsewhere(listener.name ?? '', host, target, pathEnd);
  if (isElsewhere) {
    const why = `the route for it is tied to another listener than ${hostPort(listener.address)}`;
    return refused(listener.tls === undefined ? 'NO_ROUTE' : 'MISDIRECTED', why);
  }
  return refused(
    found,
    ofHost === undefined ? `no route is for the host ${host}` : `no route of the host has this path`,
  );
}

/** Two readings that lead to different routes. */
function whyAmbiguous(routes: HostRoutes<RouteView>, { target, pathEnd }: RequestHead): string {
  const { paths } = readingsOf(target.slice(0, pathEnd));
  if (paths === undefined) return 'there are too many ways to read the path';
  const [first, ...more] = paths.map((reading) => ({ reading, leads: RouteTable.targetOf(routes, reading) }));
  const other = more.find(({ leads }) => leads !== first?.leads);
  if (first === undefined || other === undefined)
    return 'the case of its letters, or a NUL, decides where the path leads';
  const name = (route: RouteView | undefined) => (route === undefined ? 'nowhere' : `to ${routeName(route)}`);
  const shown = printable(other.reading, MOST_SHOWN);
  return `the path leads ${name(first.leads)} as it is sent, and ${name(other.leads)} where it is read as ${shown}`;
}

function routed(found: RouteView, head: RequestHead, policy: ServicePolicy | undefined, logger: Logger): Answer {
  const route = describeRoute(found);
  const by = found.host === undefined ? 'any host' : `the host ${found.host}`;
  const why = `${by}, and the longest path of it: ${found.path}`;
  const rules = found.rules && new CompiledRules(found.rules, found, new PasswordVerifier(logger));
  const request = {
    address: '',
    requestId: '',
    client: { request: head, peer: { trusted: false } },
    onPasswordChecked: () => undefined,
  };
  const admission = rules?.admit(request) ?? 'granted';
  if (rules !== undefined && isRefusal(admission)) {
    const text = `the rules of ${routeName(found)} refuse such a request`;
    return { route, refusal: admission, why: text, then: [] };
  }
  const redirect = rules?.redirectOf(request);
  if (rules !== undefined && redirect !== undefined) {
    const to = rules.location(request, redirect);
    return { route, refusal: null, why, then: [...route.rules, `answered with ${redirect.status} to ${to}`] };
  }
  return { route, refusal: null, why, then: [...route.rules, `goes to ${found.service}`, ...wakes(policy, head)] };
}

/** What a request without credentials may be told does not count: those with them are let in. */
function isRefusal(admission: Admission): boolean {
  return !['granted', 'waiting', 'UNAUTHORIZED', 'AUTH_BUSY'].includes(admission);
}

function wakes(policy: ServicePolicy | undefined, head: RequestHead): string[] {
  if (policy === undefined || !policy.wakeable) return [];
  const rule = wakeRuleOf(compileWakeRules(policy.wake), head);
  if (rule === undefined || rule.then === 'wake') return ['wakes it where it sleeps'];
  const answered = rule.then === 'answer' ? `answered with ${rule.status}` : 'refused';
  return [`does not wake it: ${answered} where it sleeps`];
}
