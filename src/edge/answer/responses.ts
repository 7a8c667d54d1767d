import { STATUS_CODES } from 'node:http';
import { type RefusalCode, type RefusalKind, refusals } from '../../model/refusals.ts';

/** What an answer of our own depends on, beside its code. */
export interface RefusalContext {
  requestId: string;
  date: string;
  /** Seconds to wait before trying again is derived from this, ms; undefined: no Retry-After. */
  retryAfterMs: number | undefined;
  /** More field lines, each ending with CRLF. */
  fields?: string | undefined;
  /** What stands for the short page, for whom HTML is meant anyway. */
  page?: string | undefined;
  /** Whether the client's Accept prefers HTML. */
  html: boolean;
  /** HEAD: the fields of the answer without its body. */
  head: boolean;
  /** Whether the connection is closed after it. */
  close: boolean;
  /** Whether the client speaks HTTP/1.0 and the connection is kept. */
  oldKeepAlive: boolean;
}

/** The methods that the proxy itself knows of; what an origin allows is the origin's to say. */
export const ALLOW = 'Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n';

/** Whole seconds, rounded up, at least 1 (RFC 9110 §10.2.3). */
export function retryAfterSeconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000));
}

/** Whether an Accept value asks for HTML rather than JSON: a browser, or somebody reading with one. */
export function prefersHtml(accept: string | undefined): boolean {
  if (accept === undefined || !accept.includes('text/html')) return false;
  const ranges = accept.split(',');
  const html = ranges.find((range) => range.includes('text/html')) ?? '';
  const json = ranges.find((range) => range.includes('json'));
  if (weightOf(html) === 0 || json === undefined) return weightOf(html) > 0;
  const more = weightOf(html) - weightOf(json);
  return more > 0 || (more === 0 && ranges.indexOf(html) < ranges.indexOf(json));
}

/** RFC 9110 §12.4.2: 0 is "not acceptable", none is 1. */
function weightOf(range: string): number {
  const weight = /;\s*q=([\d.]+)/i.exec(range)?.[1];
  return weight === undefined ? 1 : Number(weight);
}

/**
 * A whole answer of the proxy's own: status, Proxy-Status (RFC 9209), and a problem (RFC 9457) or a short page. It tells
 * what the client can act on and nothing of what is behind: no address, no path, no text of a log.
 */
export function refusalMessage(code: RefusalCode, context: RefusalContext): string {
  const kind: RefusalKind = refusals[code];
  const title = STATUS_CODES[kind.status] ?? 'Error';
  const html = context.html || context.page !== undefined;
  const body = html
    ? (context.page ?? page(kind, title, context.requestId))
    : problem(code, kind, title, context.requestId);
  let fields = `Content-Type: ${html ? 'text/html; charset=utf-8' : 'application/problem+json'}\r\n`;
  if (kind.proxyError !== undefined) fields += `Proxy-Status: pilotlight; error=${kind.proxyError}\r\n`;
  if (context.retryAfterMs !== undefined) fields += `Retry-After: ${retryAfterSeconds(context.retryAfterMs)}\r\n`;
  if (context.fields !== undefined) fields += context.fields;
  if (kind.status === 405) fields += ALLOW;
  return wholeMessage(kind.status, fields, body, context);
}

/** What has no body, whatever stands for one (RFC 9110 §8.6, §15): a length or bytes would be taken for the next answer. */
const BODILESS = new Set([204, 304]);

/** Status line, `fields` (each ending with CRLF), ours, and a body of ASCII characters, where the status may have one. */
export function wholeMessage(
  status: number,
  fields: string,
  body: string,
  context: Pick<RefusalContext, 'requestId' | 'date' | 'head' | 'close' | 'oldKeepAlive'>,
): string {
  const content = BODILESS.has(status) || status === 205 ? '' : body;
  const length = BODILESS.has(status) ? '' : `Content-Length: ${content.length}\r\n`;
  const connection = context.close ? 'Connection: close\r\n' : context.oldKeepAlive ? 'Connection: keep-alive\r\n' : '';
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nDate: ${context.date}\r\n${fields}` +
    `${length}Cache-Control: no-store\r\nX-Request-Id: ${context.requestId}\r\n${connection}\r\n` +
    (context.head ? '' : content)
  );
}

/** Bytes of a whole answer of our own up to its body. */
export function headLength(message: string): number {
  return message.indexOf('\r\n\r\n') + 4;
}

function problem(code: string, kind: RefusalKind, title: string, requestId: string): string {
  return `${JSON.stringify({
    type: 'about:blank',
    title,
    status: kind.status,
    detail: kind.detail,
    code,
    source: kind.source,
    retrySafe: kind.retrySafe,
    requestId,
  })}\n`;
}

function page(kind: RefusalKind, title: string, requestId: string): string {
  return (
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${kind.status} ${title}</title></head>` +
    `<body><h1>${kind.status} ${title}</h1><p>${kind.detail}</p><p>Request ${escapeHtml(requestId)}</p></body></html>\n`
  );
}

/** Text as HTML; everything that is not printable ASCII becomes a reference, so that a body's length is its bytes. */
export function escapeHtml(text: string): string {
  return text.replace(/[^ -~]|[&<>"']/gu, (char) => `&#${char.codePointAt(0)};`);
}
