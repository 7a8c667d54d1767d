import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { CertificateStatus } from '../model/certificates.ts';
import type { ClusterStatus } from '../model/cluster.ts';
import type { Costs } from '../model/costs.ts';
import type { ServiceWhy } from '../model/decision.ts';
import type { DeclarationStatus } from '../model/declarations.ts';
import type { PilotEvent } from '../model/events.ts';
import type { MemoryUse } from '../model/host-memory.ts';
import type { LogLevel } from '../model/observe.ts';
import type { RouteExplanation, RouteQuestion, RouteStatus } from '../model/routes.ts';
import type { EndpointByHand, EndpointStatus, ReplicaOutput, ScaleByHand, ServiceStatus } from '../model/status.ts';
import type { AdminTarget } from './admin-target.ts';
import { refusal, unreachable } from './admin-troubles.ts';

/** What commands ask of a running proxy. All throw ADMIN_UNREACHABLE, ADMIN_REFUSED, SERVICE_UNKNOWN and so on. */
export interface AdminClient {
  services(signal?: AbortSignal): Promise<ServiceStatus[]>;
  certificates(): Promise<CertificateStatus[]>;
  declarations(signal?: AbortSignal): Promise<DeclarationStatus[]>;
  service(name: string, signal?: AbortSignal): Promise<ServiceStatus>;
  /** Where a service is, in use or not. */
  endpoints(name: string): Promise<EndpointStatus[]>;
  /** Sets what holds for one of its endpoints. @returns all of them */
  changeEndpoint(name: string, address: string, change: Partial<EndpointByHand>): Promise<EndpointStatus[]>;
  /** What its replicas wrote last. @param lines 1 to 1000 of each */
  logs(name: string, lines: number): Promise<ReplicaOutput[]>;
  /** @param level sets it; undefined: only asks */
  logLevel(level: LogLevel | undefined): Promise<{ level: LogLevel }>;
  /** What happens from now on, until the signal or the proxy's end. */
  events(signal: AbortSignal): AsyncIterable<PilotEvent>;
  /** @param host only those that are for it */
  routes(host?: string): Promise<RouteStatus[]>;
  explainRoute(question: RouteQuestion): Promise<RouteExplanation>;
  /** @param since a time (ISO 8601) or a duration (`10m`); default: all that is remembered */
  why(name: string, since?: string, signal?: AbortSignal): Promise<ServiceWhy>;
  /** @param since as of `why` */
  costs(since: string): Promise<Costs>;
  /** How the budgets are used; nothing of a proxy of an earlier version. */
  budget(signal?: AbortSignal): Promise<{ memory: MemoryUse | null }>;
  /** Null of a proxy that acts alone, or of an earlier version. */
  cluster(signal?: AbortSignal): Promise<ClusterStatus | null>;
  wake(name: string, signal?: AbortSignal): Promise<ServiceStatus>;
  sleep(name: string, signal?: AbortSignal): Promise<ServiceStatus>;
  /** @param name undefined: all */
  freeze(name: string | undefined, how: { for?: string; reason?: string; dryRun: boolean }): Promise<ServiceStatus[]>;
  unfreeze(name: string | undefined, how: { dryRun: boolean }): Promise<ServiceStatus[]>;
  scale(name: string, replicas: number, dryRun: boolean): Promise<ScaleByHand>;
}

/** Longest wait for an answer, ms; over the proxy's own limit for one. */
const ANSWER_MS = 15_000;

/** A client of the admin API at the target. */
export function createAdminClient(target: AdminTarget): AdminClient {
  const one = (name: string) => `/v1/services/${encodeURIComponent(name)}`;
  const act = (name: string, what: string) => `${one(name)}/${what}`;
  const some = (name: string | undefined, what: string) => (name === undefined ? `/v1/${what}` : act(name, what));
  return {
    services: async (signal) => (await ask(target, 'GET', '/v1/services', signal)) as ServiceStatus[],
    declarations: async (signal) => (await ask(target, 'GET', '/v1/declarations', signal)) as DeclarationStatus[],
    certificates: async () => (await ask(target, 'GET', '/v1/certificates')) as CertificateStatus[],
    service: async (name, signal) => (await ask(target, 'GET', one(name), signal)) as ServiceStatus,
    endpoints: async (name) => (await ask(target, 'GET', act(name, 'endpoints'))) as EndpointStatus[],
    changeEndpoint: async (name, address, change) => {
      const path = act(name, `endpoints/${encodeURIComponent(address)}`);
      return (await ask(target, 'POST', path, undefined, change)) as EndpointStatus[];
    },
    logs: async (name, lines) => (await ask(target, 'GET', act(name, `logs?lines=${lines}`))) as ReplicaOutput[],
    logLevel: async (level) =>
      (await ask(target, level ? 'POST' : 'GET', '/v1/log-level', undefined, level && { level })) as {
        level: LogLevel;
      },
    events: (signal) => readEvents(target, signal),
    routes: async (host) => {
      const query = host === undefined ? '' : `?host=${encodeURIComponent(host)}`;
      return (await ask(target, 'GET', `/v1/routes${query}`)) as RouteStatus[];
    },
    explainRoute: async ({ method, url }) => {
      const query = `method=${encodeURIComponent(method)}&url=${encodeURIComponent(url)}`;
      return (await ask(target, 'GET', `/v1/routes/explain?${query}`)) as RouteExplanation;
    },
    why: async (name, since, signal) => {
      const query = since === undefined ? '' : `?since=${encodeURIComponent(since)}`;
      return (await ask(target, 'GET', `${one(name)}/why${query}`, signal)) as ServiceWhy;
    },
    costs: async (since) => (await ask(target, 'GET', `/v1/costs?since=${encodeURIComponent(since)}`)) as Costs,
    budget: async (signal) =>
      ask(target, 'GET', '/v1/budget', signal).then(
        (body) => ({ memory: null, ...(body as { memory?: MemoryUse | null }) }),
        () => ({ memory: null }),
      ),
    cluster: async (signal) =>
      ask(target, 'GET', '/v1/cluster', signal).then(
        (body) => (body as { cluster?: ClusterStatus | null }).cluster ?? null,
        () => null,
      ),
    wake: async (name, signal) => (await ask(target, 'POST', act(name, 'wake'), signal)) as ServiceStatus,
    sleep: async (name, signal) => (await ask(target, 'POST', act(name, 'sleep'), signal)) as ServiceStatus,
    freeze: async (name, how) => (await ask(target, 'POST', some(name, 'freeze'), undefined, how)) as ServiceStatus[],
    unfreeze: async (name, how) =>
      (await ask(target, 'POST', some(name, 'unfreeze'), undefined, how)) as ServiceStatus[],
    scale: async (name, replicas, dryRun) =>
      (await ask(target, 'POST', act(name, 'scale'), undefined, { replicas, dryRun })) as ScaleByHand,
  };
}

async function ask(
  target: AdminTarget,
  method: string,
  path: string,
  stop?: AbortSignal,
  content?: object,
): Promise<unknown> {
  const { url } = target;
  const headers = headersOf(target);
  const limit = AbortSignal.timeout(ANSWER_MS);
  const signal = stop === undefined ? limit : AbortSignal.any([limit, stop]);
  let status: number;
  let text: string;
  try {
    ({ status, text } = await exchange(url + path, { method, headers, signal }, content && JSON.stringify(content)));
  } catch (error) {
    throw unreachable(url, error, limit.aborted ? 'no answer in time' : undefined);
  }
  const body = parse(text);
  if (status >= 200 && status <= 299 && typeof body === 'object' && body !== null) return body;
  throw refusal(target, status, body);
}

function headersOf({ token }: AdminTarget): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

/** Server-sent events, one `data` line each, as the admin API sends them. */
async function* readEvents(target: AdminTarget, signal: AbortSignal): AsyncIterable<PilotEvent> {
  const { url } = target;
  let answer: IncomingMessage;
  try {
    answer = await openAnswer(`${url}/v1/events`, { headers: headersOf(target), signal });
  } catch (error) {
    throw unreachable(url, error);
  }
  if (answer.statusCode !== 200) {
    let text = '';
    for await (const piece of answer.setEncoding('utf8')) text += piece;
    throw refusal(target, answer.statusCode ?? 0, parse(text));
  }
  let rest = '';
  try {
    for await (const piece of answer.setEncoding('utf8')) {
      const lines = (rest + piece).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const event = line.startsWith('data: ') ? parse(line.slice(6)) : undefined;
        if (typeof event === 'object' && event !== null) yield event as PilotEvent;
      }
    }
  } catch (error) {
    if (!signal.aborted) throw unreachable(url, error, 'the connection broke off');
  }
}

/**
 * The head of the answer, as soon as it is there. By node:http: `fetch` refuses ports that browsers do, 6000 and 10080
 * among them.
 */
export function openAnswer(url: string, options: RequestOptions, body?: string): Promise<IncomingMessage> {
  const request = (url.startsWith('https:') ? httpsRequest : httpRequest)(url, { ...options, agent: false });
  return new Promise((resolve, reject) => {
    request.on('response', resolve).on('error', reject).end(body);
  });
}

async function exchange(
  url: string,
  options: RequestOptions,
  content?: string,
): Promise<{ status: number; text: string }> {
  const response = await openAnswer(url, options, content);
  let text = '';
  for await (const piece of response.setEncoding('utf8')) text += piece;
  return { status: response.statusCode ?? 0, text };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
