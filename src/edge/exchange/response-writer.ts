import { Framing, type FramingKind } from '../http1/request.ts';
import type { ResponseHead } from '../http1/response.ts';
import type { Exchange } from './exchange.ts';

/** How the body goes to the client: none, as many bytes as announced, chunked, or until the connection closes. */
export function clientFraming(response: ResponseHead, oldClient: boolean): FramingKind {
  if (response.framing === Framing.NONE || response.framing === Framing.LENGTH) return response.framing;
  return oldClient ? Framing.CLOSE : Framing.CHUNKED;
}

/**
 * The head of a response as it goes to the client: the upstream's fields as they were sent, without hop-by-hop ones,
 * and our own version and framing (RFC 9110 §2.5, §7.6.1).
 */
export function clientHead(
  exchange: Exchange,
  response: ResponseHead,
  framing: FramingKind,
  keepAlive: boolean,
): string {
  const { head } = response;
  let out = lineAndKept(response);
  if (framing === Framing.CHUNKED) out += 'Transfer-Encoding: chunked\r\n';
  else if (response.lengthSent) out += `Content-Length: ${response.length}\r\n`;
  if (!keepAlive) out += 'Connection: close\r\n';
  else if (exchange.client.request.old) out += 'Connection: keep-alive\r\n';
  // Of when it came, where the service has no clock (RFC 9110 §6.6.1).
  if (!response.hasDate) out += `Date: ${exchange.date}\r\n`;
  if (!response.hasRequestId) out += `X-Request-Id: ${exchange.requestId}\r\n`;
  const { via } = exchange;
  if (via !== undefined) out += `Via: ${head.text.charCodeAt(7) === 48 ? '1.0' : '1.1'} ${via}\r\n`;
  return `${out}${exchange.ownFields()}\r\n`;
}

/** An interim response (1xx) as it goes on (RFC 9110 §15.2). */
export function interimHead(response: ResponseHead): string {
  return `${lineAndKept(response)}\r\n`;
}

/** The 101 that opens a tunnel. */
export function switchingHead(exchange: Exchange, response: ResponseHead, upgrade: string): string {
  const requestId = response.hasRequestId ? '' : `X-Request-Id: ${exchange.requestId}\r\n`;
  return (
    `${lineAndKept(response)}Connection: Upgrade\r\nUpgrade: ${upgrade}\r\n` + `${requestId}${exchange.ownFields()}\r\n`
  );
}

/**
 * Status line and fields. The line is written anew where it is of another version than ours, or lacks the space behind
 * the status that not every origin sends, and every server must (RFC 9112 §4).
 */
function lineAndKept({ head }: ResponseHead): string {
  const { text, lineEnd } = head;
  if (text.charCodeAt(7) === 49 && lineEnd > 12) return head.kept(true);
  return `HTTP/1.1${text.slice(8, lineEnd)}${lineEnd === 12 ? ' ' : ''}\r\n${head.kept()}`;
}
