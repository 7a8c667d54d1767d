import type { Logger } from '../../model/observe.ts';
import type { RouteBook, RouteExplanation, RouteQuestion, RouteStatus } from '../../model/routes.ts';
import type { RoutingTable } from '../../model/snapshot.ts';
import { hostPort } from '../../util/host-port.ts';
import { describeRoute } from './describe-route.ts';
import { type ExplainedListener, explainRoute } from './explain-route.ts';
import { RouteTable } from './route-table.ts';

/** What the routes in force are read from, anew at each question. */
interface RouteBookParts {
  table: () => RoutingTable;
  listeners: () => readonly ExplainedListener[];
  logger: Logger;
}

/** Shows the routes in force, and explains with the code that requests go through where one would go. */
export function createRouteBook({ table, listeners, logger }: RouteBookParts): RouteBook {
  return {
    list(host) {
      const { routes } = table();
      const wanted = host?.toLowerCase();
      const isWanted = (name: string | undefined) => wanted === undefined || isFor(name, wanted);
      const http = routes.filter((route) => isWanted(route.host)).map(describeRoute);
      const tcp = listeners()
        .flatMap(tcpRoutes)
        .filter((route) => isWanted(route.host ?? undefined));
      return [...http, ...tcp].sort(byPrecedence);
    },
    explain: (question: RouteQuestion): RouteExplanation => explainRoute(question, table(), listeners(), logger),
  };
}

/** Whether a route of this host is for a request to another one. */
function isFor(host: string | undefined, wanted: string): boolean {
  return new RouteTable([{ host, path: '/', service: '' }], (route) => route).host(wanted) !== undefined;
}

function tcpRoutes({ address, tcp }: ExplainedListener): RouteStatus[] {
  if (tcp === undefined) return [];
  const one = (host: string | null, service: string): RouteStatus => {
    return { host: host === '*' ? null : host, path: null, service, listeners: [hostPort(address)], rules: [] };
  };
  const all = tcp.service === undefined ? [] : [one(null, tcp.service)];
  return [...all, ...tcp.sni.map(({ name, service }) => one(name, service))];
}

/** Hosts together: exact ones by name, then suffixes, the longest first, then any; their paths from long to short. */
function byPrecedence(a: RouteStatus, b: RouteStatus): number {
  return (
    rank(a) - rank(b) || ofSameKind(a, b) || (b.path ?? '').length - (a.path ?? '').length || order(a.path, b.path)
  );
}

function ofSameKind(a: RouteStatus, b: RouteStatus): number {
  const longer = rank(a) === 1 ? (b.host ?? '').length - (a.host ?? '').length : 0;
  return longer || order(a.host, b.host);
}

function rank({ host }: RouteStatus): number {
  return host === null ? 2 : host.startsWith('*.') ? 1 : 0;
}

function order(a: string | null, b: string | null): number {
  const [left, right] = [a ?? '', b ?? ''];
  return left < right ? -1 : Number(left > right);
}
