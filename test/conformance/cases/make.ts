import type { Got, LineId, RequestCase, ResponseCase, Seen } from '../harness/case.ts';

/** A request's head with the start line and Host that most cases share. */
export function get(...fields: string[]): string {
  return head('GET /c HTTP/1.1', 'Host: a', ...fields);
}

/** The same with a body behind it. */
export function post(body: string, ...fields: string[]): string {
  return head('POST /c HTTP/1.1', 'Host: a', ...fields) + body;
}

/** A chunked POST whose chunks are as given. */
export function chunked(body: string): string {
  return post(body, 'Transfer-Encoding: chunked');
}

/** Lines, each ended by CRLF, and the empty one. */
export function head(...lines: string[]): string {
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** What the origin sees of {@link get}. */
export const GET_SEEN: Seen = { method: 'GET', target: '/c', host: 'a' };
/** What the origin sees of a {@link post} of `hello`. */
export const POST_SEEN: Seen = { method: 'POST', target: '/c', host: 'a', body: 'hello' };
/** A second request behind another. */
export const NEXT = 'GET /next HTTP/1.1\r\nHost: a\r\n\r\n';
export const NEXT_SEEN: Seen = { method: 'GET', target: '/next', host: 'a' };

type More = Partial<Pick<RequestCase, 'then' | 'ours'>>;

/** Must not reach the origin. */
export function refuse(name: string, lines: LineId[], send: string, status = 400): RequestCase {
  return { kind: 'request', rule: 'refuse', name, lines, send, refused: status };
}

/** Must reach it, as `seen`. */
export function accept(name: string, lines: LineId[], send: string, seen: Seen | Seen[], more: More = {}): RequestCase {
  return { kind: 'request', rule: 'accept', name, lines, send, seen: [seen].flat(), ...more };
}

/** May be let through as `seen`; we refuse it. */
export function stricter(name: string, lines: LineId[], send: string, seen: Seen | Seen[], status = 400): RequestCase {
  return { kind: 'request', rule: 'either', name, lines, send, seen: [seen].flat(), refused: status };
}

/** May be refused; we let it through as `seen`. */
export function lenient(
  name: string,
  lines: LineId[],
  send: string,
  seen: Seen | Seen[],
  more: More = {},
): RequestCase {
  return { kind: 'request', rule: 'either', name, lines, send, seen: [seen].flat(), ...more };
}

type ResponseMore = Partial<Pick<ResponseCase, 'send' | 'after' | 'then' | 'upstream'>>;

/** A response that the client must get. */
export function relay(name: string, lines: LineId[], respond: string, got: Got, more: ResponseMore = {}): ResponseCase {
  return { kind: 'response', rule: 'accept', name, lines, respond, got, ...more };
}

/** A response that must not be passed on: 502. */
export function reject(name: string, lines: LineId[], respond: string, more: ResponseMore = {}): ResponseCase {
  return { kind: 'response', rule: 'refuse', name, lines, respond, refused: true, ...more };
}

/** May be passed on as `got`; we answer 502. */
export function rejectMay(
  name: string,
  lines: LineId[],
  respond: string,
  got: Got,
  more: ResponseMore = {},
): ResponseCase {
  return { kind: 'response', rule: 'either', name, lines, respond, got, refused: true, ...more };
}

/** May be refused; we pass it on as `got`. */
export function relayMay(
  name: string,
  lines: LineId[],
  respond: string,
  got: Got,
  more: ResponseMore = {},
): ResponseCase {
  return { kind: 'response', rule: 'either', name, lines, respond, got, ...more };
}

/** A response that breaks off: the client must see that. */
export function truncate(
  name: string,
  lines: LineId[],
  respond: string,
  got: Got,
  more: ResponseMore = {},
): ResponseCase {
  const ending = 'truncated';
  return {
    kind: 'response',
    rule: 'truncate',
    name,
    lines,
    respond,
    got: { ...got, ending },
    then: 'closed',
    upstream: 'discarded',
    ...more,
  };
}

/** A byte for the name of a case. */
export function byteName(code: number): string {
  return `0x${code.toString(16).padStart(2, '0')}`;
}
