import { STATUS_CODES } from 'node:http';
import { type RefusalCode, type RefusalKind, refusals } from '../../model/refusals.ts';

/** An answer of the proxy's own, before a protocol frames it. */
export interface OwnAnswer {
  status: number;
  /** Its own field lines, each ending with CRLF. {@link fieldsOf} adds those that every answer of ours has. */
  fields: string;
  /** ASCII characters; undefined: a stream follows the head. */
  body: string | undefined;
  /**
   * Its request was not understood or not read to its end, so nothing behind it on a connection can be (CVE-2025-4366).
   */
  severs: boolean;
  /** The refusal that it is; undefined: it is none. */
  refusal: RefusalCode | undefined;
}

/** What a refusal depends on, beside its code. */
interface RefusalContext {
  requestId: string;
  /** When the client may try again, ms; undefined: no Retry-After. */
  retryAfterMs: number | undefined;
  /** The value of the request's Accept: it decides between HTML and JSON. */
  accept: string | undefined;
  /** More field lines, each ending with CRLF. */
  fields?: string | undefined;
  /** A page that takes the place of the short one; then the answer is HTML in any case. */
  page?: string | undefined;
}

/** The methods that the proxy itself lets through. An origin may allow fewer. */
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

/** Refusals of requests that were not understood, or not read to their end. */
const SEVERING = new Set<RefusalCode>(['BAD_REQUEST', 'AMBIGUOUS_PATH', 'BODY_TIMEOUT', 'BODY_TOO_LARGE']);

/**
 * Makes a refusal: status, Proxy-Status (RFC 9209), and a problem (RFC 9457) or a short page. It tells what the client
 * can act on, and nothing internal: no address, no path, no text of a log.
 */
export function refusalAnswer(code: RefusalCode, context: RefusalContext): OwnAnswer {
  const kind: RefusalKind = refusals[code];
  const title = STATUS_CODES[kind.status] ?? 'Error';
  const html = context.page !== undefined || prefersHtml(context.accept);
  const body = html
    ? (context.page ?? page(kind, title, context.requestId))
    : problem(code, kind, title, context.requestId);
  let fields = `Content-Type: ${html ? 'text/html; charset=utf-8' : 'application/problem+json'}\r\n`;
  if (kind.proxyError !== undefined) fields += `Proxy-Status: pilotlight; error=${kind.proxyError}\r\n`;
  if (context.retryAfterMs !== undefined) fields += `Retry-After: ${retryAfterSeconds(context.retryAfterMs)}\r\n`;
  if (context.fields !== undefined) fields += context.fields;
  if (kind.status === 405) fields += ALLOW;
  return { status: kind.status, fields, body, severs: SEVERING.has(code), refusal: code };
}

/** Makes an answer that is no refusal. */
export function ownAnswer(status: number, fields: string, body: string | undefined): OwnAnswer {
  return { status, fields, body, severs: false, refusal: undefined };
}

/** Answers that never have a body (RFC 9110 §8.6, §15): a length or bytes would be taken for the next answer. */
const BODILESS = new Set([204, 304]);

/** Returns the body, which is empty where the status allows none. */
export function contentOf({ status, body = '' }: OwnAnswer): string {
  return BODILESS.has(status) || status === 205 ? '' : body;
}

/** Returns all field lines of an answer of ours but those that a protocol adds. */
export function fieldsOf(answer: OwnAnswer, requestId: string, date: string): string {
  const { status, fields, body } = answer;
  const id = `X-Request-Id: ${requestId}\r\n`;
  if (body === undefined) return `Date: ${date}\r\n${id}${fields}`;
  const length = BODILESS.has(status) ? '' : `Content-Length: ${contentOf(answer).length}\r\n`;
  return `Date: ${date}\r\n${fields}${length}Cache-Control: no-store\r\n${id}`;
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

/** Escapes text for HTML. Only printable ASCII is left as it is, so that a body has as many bytes as characters. */
export function escapeHtml(text: string): string {
  return text.replace(/[^ -~]|[&<>"']/gu, (char) => `&#${char.codePointAt(0)};`);
}
