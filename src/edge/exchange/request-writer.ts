import type { ExchangeFacts } from '../answer/access-record.ts';
import { Framing } from '../http1/framing.ts';
import { allIn, TCHAR } from '../io/http-syntax.ts';
import type { CompiledRules, RuledRequest } from '../route/compiled-rules.ts';
import type { Service } from '../service/service.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { Downstream } from './downstream.ts';
import { trustedForwarding } from './forwarding.ts';

/** Longest request id that is taken from a trusted peer, characters. */
const MAX_REQUEST_ID = 128;

/** The request that is sent. */
interface Sent extends RuledRequest {
  readonly client: Downstream;
  readonly facts: Pick<ExchangeFacts, 'trace'>;
  readonly rules: CompiledRules | undefined;
}

/** The head of a request as it goes upstream. */
export function upstreamHead(sent: Sent, service: Service, endpoint: Endpoint): string {
  const head = plainHead(sent, service, endpoint);
  return sent.rules === undefined ? head : sent.rules.requestHead(head, sent);
}

/**
 * The client's fields as they were sent, without hop-by-hop ones, and ours written last, so that nothing that a client
 * names in Connection can take them away (CVE-2024-45410).
 */
function plainHead({ client, facts, requestId }: Sent, service: Service, endpoint: Endpoint): string {
  const { request, peer } = client;
  const hostValue = request.hostValue === '' ? endpoint.authority : request.hostValue;
  let out = `${request.line}Host: ${service.policy.upstreamHost ?? hostValue}\r\n`;
  let forwarding: string;
  if (peer.trusted) {
    forwarding = trustedForwarding(client, hostValue);
  } else {
    if (request.isForwarded) peer.onUntrustedForwarding();
    if (request.hasForwarding) request.dropForwarding();
    forwarding = peer.forwardingFields(hostValue);
  }
  out += request.head.kept() + forwarding;
  out += `X-Request-Id: ${requestId}\r\n`;
  if (facts.trace !== undefined) out += facts.trace.fields;
  if (service.policy.via !== undefined) out += `Via: ${client.version} ${service.policy.via}\r\n`;
  if (request.upgrade !== undefined) out += `Connection: Upgrade\r\nUpgrade: ${request.upgrade}\r\n`;
  else if (request.trailers) out += 'Connection: TE\r\nTE: trailers\r\n';
  if (request.framing === Framing.LENGTH) out += `Content-Length: ${request.length}\r\n`;
  else if (request.framing === Framing.CHUNKED) out += 'Transfer-Encoding: chunked\r\n';
  if (request.maxForwards !== undefined) out += `Max-Forwards: ${request.maxForwards - 1}\r\n`;
  if (request.expectContinue) out += 'Expect: 100-continue\r\n';
  return `${out}\r\n`;
}

/** The trailers of a request as they go upstream. */
export function upstreamTrailers({ client, rules }: Sent): string {
  const { trailers } = client.body;
  return rules === undefined ? trailers : rules.requestTrailers(trailers);
}

/** The id of this request: a trusted peer's where it is a token of bounded length, else a new one. */
export function requestIdOf(client: Downstream, fresh: () => string): string {
  const given = client.request.requestId;
  if (given === undefined || !client.peer.trusted) return fresh();
  return given.length <= MAX_REQUEST_ID && allIn(TCHAR, given, 0, given.length) ? given : fresh();
}
