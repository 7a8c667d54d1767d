import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CertificateStatus } from '../model/certificates.ts';
import type { DecisionEntry, ServiceWhy } from '../model/decision.ts';
import type { DeclarationStatus } from '../model/declarations.ts';
import { type LogLevelPort, logLevels } from '../model/observe.ts';
import type { ReloadResult } from '../model/reload.ts';
import type { RouteBook } from '../model/routes.ts';
import type { ControlApi } from '../model/status.ts';
import type { Clock } from '../util/clock.ts';
import { parseSince } from '../util/since.ts';
import type { Dashboard } from './dashboard.ts';
import type { EventStreams } from './event-stream.ts';
import type { LiveStreams } from './live-stream.ts';
import { methodNotAllowed, notFound, type Problem, sendProblem } from './problem.ts';
import { badEndpointChange, readEndpointChange } from './read-endpoint-change.ts';
import { badFreeze, badUnfreeze, readFreeze, readUnfreeze } from './read-freeze.ts';
import { readMembers } from './read-members.ts';

/**
 * Answers one request.
 * @param name what stands in the path for `*`, as the service; empty where the path has none
 * @param body empty where there is none
 */
type Handler = (response: ServerResponse, name: string, query: URLSearchParams, body: string) => void | Promise<void>;

interface Route {
  /** Segments of the path; `*` stands for a name, two of them for names with `/` between them. */
  segments: string[];
  get?: Handler;
  post?: Handler;
}

/** What is asked of the proxy. */
export interface AskedParts {
  api: ControlApi;
  /** Reads the configuration again; absent where there is none to read. */
  reload?: (() => Promise<ReloadResult>) | undefined;
  /** The certificates of listeners; absent: there are none. */
  certificates?: (() => readonly CertificateStatus[]) | undefined;
  /** Services that declare themselves; absent: there are none. */
  declarations?: (() => readonly DeclarationStatus[]) | undefined;
  /** Shows and explains routes. */
  routes: RouteBook;
  /** The metrics in the Prometheus text format. */
  renderMetrics: () => string;
  logLevel: LogLevelPort;
}

interface RouteParts extends AskedParts {
  events: EventStreams;
  live: LiveStreams;
  dashboard: Dashboard;
  clock: Clock;
}

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** The whole API: every path with what answers it. */
export function createRoutes({
  api,
  reload,
  certificates,
  declarations,
  routes: routeBook,
  renderMetrics,
  logLevel,
  events,
  live,
  dashboard,
  clock,
}: RouteParts): Route[] {
  const freeze = async (response: ServerResponse, name: string | null, body: string) => {
    const asked = readFreeze(body);
    if (asked === undefined) return sendProblem(response, badFreeze);
    sendJson(response, await api.freeze(name, asked.forMs, asked.reason, asked.dryRun));
  };
  const unfreeze = async (response: ServerResponse, name: string | null, body: string) => {
    const asked = readUnfreeze(body);
    if (asked === undefined) return sendProblem(response, badUnfreeze);
    sendJson(response, await api.unfreeze(name, asked.dryRun));
  };
  const routes: Record<string, Omit<Route, 'segments'>> = {
    '/': { get: (response) => dashboard.page(response) },
    '/dashboard/*/*': { get: (response, name) => dashboard.asset(response, name) },
    '/healthz': { get: (response) => sendText(response, 200, 'ok\n') },
    '/readyz': {
      get: (response) => {
        if (api.ready()) return sendText(response, 200, 'ready\n');
        const awaited = api.awaited?.();
        sendText(response, 503, awaited === undefined ? 'not ready\n' : `not ready: waiting for ${awaited}\n`);
      },
    },
    '/metrics': {
      get: async (response) => {
        await api.collect();
        sendText(response, 200, renderMetrics(), METRICS_TYPE);
      },
    },
    '/v1/services': { get: async (response) => sendJson(response, await api.services()) },
    '/v1/services/*': { get: async (response, name) => sendJson(response, await api.service(name)) },
    '/v1/services/*/endpoints': { get: async (response, name) => sendJson(response, await api.endpoints(name)) },
    '/v1/services/*/endpoints/*': {
      post: async (response, name, _query, body) => {
        const change = readEndpointChange(body);
        if (change === undefined) return sendProblem(response, badEndpointChange);
        const at = name.indexOf('/');
        sendJson(response, await api.changeEndpoint(name.slice(0, at), name.slice(at + 1), change));
      },
    },
    '/v1/services/*/logs': {
      get: async (response, name, query) => {
        const lines = linesOf(query.get('lines'));
        if (lines === undefined) return sendProblem(response, badLines);
        sendJson(response, await api.output(name, lines));
      },
    },
    '/v1/services/*/why': {
      get: async (response, name, query) => sendWhy(response, await api.why(name), query.get('since'), clock.wall()),
    },
    '/v1/services/*/starts': { get: async (response, name) => sendJson(response, await api.starts(name)) },
    '/v1/costs': {
      get: async (response, _name, query) => {
        const since = parseSince(query.get('since') ?? '7d', clock.wall());
        if (since === undefined) return sendProblem(response, badSince);
        sendJson(response, await api.costs(since));
      },
    },
    '/v1/sources': { get: async (response) => sendJson(response, await api.sources()) },
    '/v1/budget': { get: (response) => sendJson(response, { memory: api.memory() }) },
    '/v1/cluster': { get: async (response) => sendJson(response, { cluster: (await api.cluster?.()) ?? null }) },
    '/v1/services/*/wake': { post: async (response, name) => sendJson(response, await api.wake(name)) },
    '/v1/services/*/sleep': { post: async (response, name) => sendJson(response, await api.sleep(name)) },
    '/v1/services/*/freeze': { post: (response, name, _query, body) => freeze(response, name, body) },
    '/v1/services/*/unfreeze': { post: (response, name, _query, body) => unfreeze(response, name, body) },
    '/v1/freeze': { post: (response, _name, _query, body) => freeze(response, null, body) },
    '/v1/unfreeze': { post: (response, _name, _query, body) => unfreeze(response, null, body) },
    '/v1/services/*/scale': {
      post: async (response, name, _query, body) => {
        const asked = scaleOf(body);
        if (asked === undefined) return sendProblem(response, badScale);
        sendJson(response, await api.scale(name, asked.replicas, asked.dryRun));
      },
    },
    ...(reload === undefined
      ? {}
      : { '/v1/reload': { post: async (response) => sendReload(response, await reload()) } }),
    '/v1/routes': {
      get: (response, _name, query) => sendJson(response, routeBook.list(query.get('host') ?? undefined)),
    },
    '/v1/routes/explain': { get: (response, _name, query) => explain(response, routeBook, query) },
    '/v1/declarations': { get: (response) => sendJson(response, declarations?.() ?? []) },
    '/v1/log-level': {
      get: (response) => sendJson(response, { level: logLevel.get() }),
      post: (response, _name, _query, body) => {
        const level = levelOf(body);
        if (level === undefined) return sendProblem(response, badLevel);
        logLevel.set(level);
        sendJson(response, { level });
      },
    },
    '/v1/certificates': { get: (response) => sendJson(response, certificates?.() ?? []) },
    '/v1/events': { get: (response) => events.serve(response) },
    '/v1/live': { get: (response) => live.serve(response) },
  };
  return Object.entries(routes).map(([path, handlers]) => ({ segments: path.split('/'), ...handlers }));
}

/** What answers a request: a handler with the service's name, or the problem to tell. */
export function findHandler(
  routes: readonly Route[],
  request: IncomingMessage,
  path: string,
): { handler: Handler; name: string } | Problem {
  const segments = path.split('/');
  const route = routes.find((candidate) => matches(candidate.segments, segments));
  if (route === undefined) return notFound;
  const name = decodeName(segments.filter((_, index) => route.segments[index] === '*').join('/'));
  if (name === undefined) return notFound;
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  const handler = isRead ? route.get : request.method === 'POST' ? route.post : undefined;
  if (handler !== undefined) return { handler, name };
  return methodNotAllowed([...(route.get ? ['GET', 'HEAD'] : []), ...(route.post ? ['POST'] : [])]);
}

function matches(pattern: string[], segments: string[]): boolean {
  return (
    pattern.length === segments.length &&
    pattern.every((part, index) => (part === '*' ? segments[index] !== '' : part === segments[index]))
  );
}

function decodeName(name: string): string | undefined {
  try {
    return decodeURIComponent(name);
  } catch {
    return undefined;
  }
}

function sendJson(response: ServerResponse, value: unknown): void {
  sendText(response, 200, JSON.stringify(value), 'application/json');
}

const badSince: Problem = {
  status: 400,
  title: 'Bad request',
  code: 'SINCE_INVALID',
  detail: 'since is a duration such as 10m, or a time such as 2026-11-29T12:00:00Z',
};

const badScale: Problem = {
  status: 400,
  title: 'Bad request',
  code: 'BODY_INVALID',
  detail: 'the body is JSON such as {"replicas": 3}: a whole number, and "dryRun": true to be told only',
};

const DEFAULT_LINES = 50;
const MOST_LINES = 1000;

const badLines: Problem = {
  status: 400,
  title: 'Bad request',
  code: 'QUERY_INVALID',
  detail: `lines is a number from 1 to ${MOST_LINES}`,
};

function linesOf(text: string | null): number | undefined {
  if (text === null) return DEFAULT_LINES;
  const lines = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  return lines >= 1 && lines <= MOST_LINES ? lines : undefined;
}

const badLevel: Problem = {
  status: 400,
  title: 'Bad request',
  code: 'BODY_INVALID',
  detail: `the body is {"level": …}, one of ${logLevels.join(', ')}`,
};

function levelOf(body: string): (typeof logLevels)[number] | undefined {
  try {
    const asked: unknown = JSON.parse(body);
    const { level } = (typeof asked === 'object' && asked !== null ? asked : {}) as Record<string, unknown>;
    return logLevels.find((known) => known === level);
  } catch {
    return undefined;
  }
}

const badQuestion: Problem = {
  status: 400,
  title: 'Bad request',
  code: 'QUERY_INVALID',
  detail: 'say what is asked for: ?url=https://shop.example.com/path and, where it is not GET, &method=POST',
};

function explain(response: ServerResponse, routeBook: RouteBook, query: URLSearchParams): void {
  const url = query.get('url');
  if (url === null) sendProblem(response, badQuestion);
  else sendJson(response, routeBook.explain({ method: query.get('method') ?? 'GET', url }));
}

/** What the body of a request to scale asks for; undefined where it does not say that. */
function scaleOf(body: string): { replicas: number; dryRun: boolean } | undefined {
  const asked = readMembers(body);
  if (asked === undefined) return undefined;
  const { replicas, dryRun = false } = asked;
  if (typeof replicas !== 'number' || !Number.isSafeInteger(replicas) || replicas < 0) return undefined;
  return typeof dryRun === 'boolean' ? { replicas, dryRun } : undefined;
}

/** @param since a time or a duration; null: all that is remembered */
function sendWhy(response: ServerResponse, why: ServiceWhy, since: string | null, now: number): void {
  const from = since === null ? Number.NEGATIVE_INFINITY : parseSince(since, now);
  if (from === undefined) {
    sendProblem(response, badSince);
    return;
  }
  sendJson(response, { ...why, decisions: why.decisions.filter((entry) => lastsSince(entry, from)) });
}

/** A refusal counts as long as it stood. */
function lastsSince(entry: DecisionEntry, from: number): boolean {
  if (Date.parse(entry.at) >= from) return true;
  return entry.action === 'none' && (entry.ended === null || Date.parse(entry.ended.at) >= from);
}

/** 422: the file is there and is no configuration that can be served. */
function sendReload(response: ServerResponse, result: ReloadResult): void {
  if (result.reloaded) {
    sendJson(response, result);
    return;
  }
  const { file, modified, problems } = result;
  const problem = { status: 422, title: 'Not reloaded, nothing changed', code: 'CONFIG_INVALID' };
  sendProblem(response, { ...problem, detail: problems[0] ?? '', more: { file, modified, problems } });
}

function sendText(response: ServerResponse, status: number, body: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(body);
}
