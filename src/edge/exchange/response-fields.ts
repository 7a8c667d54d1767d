import type { ExchangeFacts } from '../answer/access-record.ts';
import { coldStartFields } from '../hold/cold-start.ts';
import type { ResponseHead } from '../http1/response.ts';
import type { CompiledRules, RuledRequest } from '../route/compiled-rules.ts';
import type { Service } from '../service/service.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { Downstream } from './downstream.ts';
import { schemeOf } from './forwarding.ts';

/** The request that a service answers. */
interface Answered extends RuledRequest {
  readonly client: Downstream;
  readonly rules: CompiledRules | undefined;
  readonly facts: ExchangeFacts;
}

/** Removes from an interim head what must not go to the client. */
export function prepareInterim({ rules }: Answered, { head }: ResponseHead): void {
  rules?.dropResponseFields(head);
}

/**
 * Removes from the head of an answer what must not go to the client.
 * @returns field lines of ours to add, each ending with CRLF
 */
export function prepareHead(
  to: Answered,
  service: Service,
  endpoint: Endpoint,
  response: ResponseHead,
  date: () => string,
): string {
  const added = addedFields(to, service, endpoint, response, date);
  if (to.rules === undefined) return added;
  to.rules.dropResponseFields(response.head);
  return to.rules.responseFields(added, to);
}

/**
 * Returns field lines of ours for an answer of a service.
 * @param date returns the value of a Date field, for a service that has no clock (RFC 9110 §6.6.1)
 */
function addedFields(
  to: Answered,
  service: Service,
  endpoint: Endpoint,
  response: ResponseHead,
  date: () => string,
): string {
  const isSwitch = response.status === 101;
  let out = response.hasDate || isSwitch ? '' : `Date: ${date()}\r\n`;
  if (!response.hasRequestId) out += `X-Request-Id: ${to.requestId}\r\n`;
  const { via, hstsMs } = service.policy;
  if (via !== undefined && !isSwitch) out += `Via: ${response.isHttp2 ? '2' : response.old ? '1.0' : '1.1'} ${via}\r\n`;
  if (hstsMs !== undefined && !isSwitch) out += strictTransport(hstsMs, to, response);
  if (to.facts.cold) out += coldStartFields(service.lastStart, to.facts.heldAt, to.facts.releasedAt);
  const { sticky } = service;
  if (sticky !== undefined) out += sticky.field(to.client.request.head, endpoint, schemeOf(to.client) === 'https');
  return out;
}

/** Tells browsers to come by https alone: only by https (RFC 6797 §7.2), and where the service does not say it itself. */
function strictTransport(ms: number, { client }: Answered, { head }: ResponseHead): string {
  if (schemeOf(client) !== 'https' || head.get('strict-transport-security') !== undefined) return '';
  return `Strict-Transport-Security: max-age=${ms / 1000}\r\n`;
}
