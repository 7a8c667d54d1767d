import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { AdminSettings, HostPort } from '../model/settings.ts';
import { withoutMapping } from '../util/ip-address.ts';
import type { Problem } from './problem.ts';

/** Paths that anyone who reaches the address may read: they reveal nothing. */
const OPEN_PATHS = new Set(['/healthz', '/readyz']);
/** The same of what the dashboard loads, which asks for the token. */
const OPEN_FOLDER = '/dashboard/';
const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];
const WILDCARDS = new Set(['0.0.0.0', '::']);

/** Says why a request may not be answered; undefined when it may. */
export type AccessCheck = (request: IncomingMessage, path: string) => Problem | undefined;

/**
 * @param bound the address that is listened on, with the real port
 * @param onWrongToken called with the peer's address when a token was offered and is not the configured one
 */
export function createAccessCheck(
  settings: AdminSettings,
  bound: HostPort,
  onWrongToken: (address: string) => void,
): AccessCheck {
  const tokenDigest = settings.token === undefined ? undefined : digest(settings.token);
  return (request, path) => {
    if (!isOwnHost(onlyHost(request), request, settings.address.host)) return wrongHost;
    if (request.method === 'POST' && isForeign(request, settings.address.host, bound.port)) return foreignOrigin;
    if (tokenDigest === undefined || isOpen(path) || bears(request, tokenDigest)) return undefined;
    if (request.headers.authorization !== undefined) onWrongToken(request.socket.remoteAddress ?? 'unknown');
    return unauthorized;
  };
}

const wrongHost: Problem = {
  status: 421,
  title: 'Misdirected request',
  code: 'HOST_REFUSED',
  detail: 'the Host field must be the configured admin address or localhost',
};
const foreignOrigin: Problem = {
  status: 403,
  title: 'Forbidden',
  code: 'ORIGIN_REFUSED',
  detail: 'requests that change something are refused from other sites',
};
/** Who has no token, or a wrong one. */
export const unauthorized: Problem = {
  status: 401,
  title: 'Unauthorized',
  code: 'UNAUTHORIZED',
  detail: 'a bearer token is required',
  headers: { 'WWW-Authenticate': 'Bearer realm="pilotlight"' },
};

function isOpen(path: string): boolean {
  return OPEN_PATHS.has(path) || path.startsWith(OPEN_FOLDER);
}

/** Its one Host: of two, whoever stands in between might have gone by the other. */
function onlyHost(request: IncomingMessage): string {
  const [host = '', ...others] = request.headersDistinct['host'] ?? [];
  return others.length === 0 ? host.toLowerCase() : '';
}

/**
 * A page of another site whose name was made to resolve to this machine sends that name as Host: only names that
 * nobody else can own are accepted. Where all addresses are listened on, that is also the address connected to. The
 * port says nothing of who owns the name, and is another one where it is forwarded.
 */
function isOwnHost(host: string, request: IncomingMessage, configured: string): boolean {
  const names = ownNames(configured);
  const arrivedAt = request.socket.localAddress;
  if (WILDCARDS.has(configured) && arrivedAt !== undefined) names.push(bracket(withoutMapping(arrivedAt)));
  return names.includes(host.replace(/:\d{1,5}$/, ''));
}

function isForeign(request: IncomingMessage, configured: string, port: number): boolean {
  if (request.headers['sec-fetch-site'] === 'cross-site') return true;
  const { origin } = request.headers;
  if (origin === undefined) return false;
  const host = request.headers.host?.toLowerCase();
  const allowed = [...ownNames(configured).map((name) => `${name}:${port}`), host];
  return !allowed.some((name) => origin.toLowerCase() === `http://${name}`);
}

function ownNames(configured: string): string[] {
  return [bracket(configured.toLowerCase()), ...LOOPBACK_NAMES];
}

function bracket(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host;
}

/** Digests have one length and say nothing of their text, so that the time taken tells nothing of the token. */
function bears(request: IncomingMessage, tokenDigest: Buffer): boolean {
  const match = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '');
  return timingSafeEqual(digest(match?.[1] ?? ''), tokenDigest);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
