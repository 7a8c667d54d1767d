import { ALLOW, type OwnAnswer, ownAnswer } from '../answer/own-answer.ts';
import type { ListenerRoutes } from '../route/listener-routes.ts';
import { Redirect } from '../route/redirect.ts';
import type { Route } from '../route/route-compiler.ts';
import { type NoRoute, RouteTable } from '../route/route-table.ts';
import type { Downstream } from './downstream.ts';
import { schemeOf } from './forwarding.ts';
import { redirectAnswer } from './own-answers.ts';

/** Why a request has no route; `MISDIRECTED`: its client should have come elsewhere (RFC 9110 §15.5.20). */
export type Unrouted = NoRoute | 'MISDIRECTED';

/** Looks up the route of a path, which is `target` up to `pathEnd`, at the listener that the client came to. */
export function routeOf(
  { request, peer }: Downstream,
  routes: ListenerRoutes<Route>,
  target: string,
  pathEnd: number,
): Route | Unrouted {
  if (peer.tls !== undefined && peer.isMisdirected(request.host)) return 'MISDIRECTED';
  const ofHost = routes.of(peer.listener).host(request.host);
  const found = ofHost === undefined ? 'NO_ROUTE' : RouteTable.lookup(ofHost, target, pathEnd);
  if (found !== 'NO_ROUTE' || peer.tls === undefined) return found;
  return routes.isElsewhere(peer.listener, request.host, target, pathEnd) ? 'MISDIRECTED' : found;
}

/** Whether a request's body is longer than its route lets it be. */
export function isTooLarge(route: Route | undefined, bytes: number): boolean {
  return route !== undefined && route.maxBody > 0 && bytes > route.maxBody;
}

/** What a request is answered whatever it asks for; undefined: it is to be routed. */
export function answerBeforeRouting(client: Downstream, requestId: string): OwnAnswer | 'BAD_HOST' | undefined {
  if (client.request.maxForwards === 0) return ownAnswer(200, ALLOW, '');
  const { acmeAnswers, httpsPort } = client.peer;
  const proof = acmeAnswers && acmeAnswer(client, acmeAnswers);
  if (proof !== undefined) return proof;
  return httpsPort === 0 ? undefined : httpsAnswer(client, requestId);
}

/** Where authorities look for the proof that a host is ours, in clear text (RFC 8555 §8.3). */
const ACME_PREFIX = '/.well-known/acme-challenge/';
const HTTPS_PORT = 443;

/** The proof that is asked for; undefined: the request is none for a proof of ours, and is served as any other. */
function acmeAnswer({ request }: Downstream, answers: Readonly<Record<string, string>>): OwnAnswer | undefined {
  const { target, method } = request;
  if (!target.startsWith(ACME_PREFIX) || (method !== 'GET' && method !== 'HEAD')) return undefined;
  const token = target.slice(ACME_PREFIX.length);
  if (!Object.hasOwn(answers, token)) return undefined;
  return ownAnswer(200, 'Content-Type: application/octet-stream\r\n', answers[token]);
}

/** By port: there are as many as there are listeners at most. */
const redirects = new Map<number, Redirect>();

/**
 * Sends a client to the same address by https, at the port of its listener's choice.
 * @returns undefined: the request is served as it came. It is a challenge of ACME, or it came to a trusted proxy by https
 */
function httpsAnswer(client: Downstream, requestId: string): OwnAnswer | 'BAD_HOST' | undefined {
  const { host, target, pathEnd } = client.request;
  if (target.startsWith(ACME_PREFIX)) return undefined;
  const scheme = schemeOf(client);
  if (scheme === 'https' || scheme === 'wss') return undefined;
  const redirect = redirectTo(client.peer.httpsPort);
  if (!redirect.accepts(host)) return 'BAD_HOST';
  const data = {
    client: '',
    host,
    path: target.slice(0, pathEnd),
    query: target.slice(pathEnd),
    'request-id': requestId,
  };
  return redirectAnswer(redirect, redirect.location(data));
}

function redirectTo(port: number): Redirect {
  let redirect = redirects.get(port);
  if (redirect === undefined) {
    const authority = port === HTTPS_PORT ? '{host}' : `{host}:${port}`;
    redirect = new Redirect({ to: `https://${authority}{path}{query}`, status: 308 });
    redirects.set(port, redirect);
  }
  return redirect;
}
