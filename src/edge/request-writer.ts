import type { ClientConnection } from './client-connection.ts';
import type { Endpoint } from './endpoint.ts';
import { Framing } from './http1/request.ts';
import { allIn, TCHAR } from './http1/syntax.ts';
import type { Service } from './service.ts';

/** Longest request id that is taken from a trusted peer, characters. */
const MAX_REQUEST_ID = 128;

/**
 * The head of a request as it goes upstream: the client's fields as they were sent, without hop-by-hop ones, and ours
 * written last, so that nothing that a client names in Connection can take them away (CVE-2024-45410).
 */
export function upstreamHead(
  client: ClientConnection,
  service: Service,
  endpoint: Endpoint,
  requestId: string,
): string {
  const { request } = client;
  const hostValue = request.hostValue === '' ? endpoint.address : request.hostValue;
  let out = `${request.line}Host: ${service.policy.upstreamHost ?? hostValue}\r\n`;
  if (client.trusted) {
    out += request.head.kept() + trustedForwarding(client, hostValue);
  } else {
    if (request.hasForwarding) request.dropForwarding();
    out += request.head.kept() + client.forwardingFields(hostValue);
  }
  out += `X-Request-Id: ${requestId}\r\n`;
  if (service.policy.via !== undefined) out += `Via: ${request.old ? '1.0' : '1.1'} ${service.policy.via}\r\n`;
  if (request.upgrade !== undefined) out += `Connection: Upgrade\r\nUpgrade: ${request.upgrade}\r\n`;
  else if (request.trailers) out += 'Connection: TE\r\nTE: trailers\r\n';
  if (request.framing === Framing.LENGTH) out += `Content-Length: ${request.length}\r\n`;
  else if (request.framing === Framing.CHUNKED) out += 'Transfer-Encoding: chunked\r\n';
  if (request.maxForwards !== undefined) out += `Max-Forwards: ${request.maxForwards - 1}\r\n`;
  if (request.expectContinue) out += 'Expect: 100-continue\r\n';
  return `${out}\r\n`;
}

/** A trusted peer's fields are believed: For is appended to, the others are set where they are missing. */
function trustedForwarding(client: ClientConnection, hostValue: string): string {
  const { request, peer, localPort } = client;
  const { head } = request;
  const chain = request.forwardedFor === undefined ? peer : `${request.forwardedFor}, ${peer}`;
  let out = `X-Forwarded-For: ${chain}\r\n`;
  if (head.get('x-real-ip') === undefined) out += `X-Real-IP: ${client.clientAddress()}\r\n`;
  if (head.get('x-forwarded-proto') === undefined) out += 'X-Forwarded-Proto: http\r\n';
  if (head.get('x-forwarded-host') === undefined) out += `X-Forwarded-Host: ${hostValue}\r\n`;
  if (head.get('x-forwarded-port') === undefined) out += `X-Forwarded-Port: ${localPort}\r\n`;
  return out;
}

/** The id of this request: a trusted peer's where it is a token of bounded length, else a new one. */
export function requestIdOf(client: ClientConnection, fresh: () => string): string {
  const given = client.request.requestId;
  if (given === undefined || !client.trusted) return fresh();
  return given.length <= MAX_REQUEST_ID && allIn(TCHAR, given, 0, given.length) ? given : fresh();
}
