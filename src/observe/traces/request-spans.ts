import { SpanKind } from '@opentelemetry/api';
import type { AccessRecord } from '../../model/access.ts';
import type { TracedAttempt, TracedHold, TracedRequest } from '../../model/traces.ts';
import { newSpanId } from '../../util/trace-context.ts';
import type { Span } from './spans.ts';

/** Methods that may stand in names and attributes (RFC 9110 §9, RFC 5789); any other is `_OTHER` there. */
const METHODS = new Set(['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'TRACE']);

/** What went wrong where the status of the answer does not tell. */
const BROKEN: ReadonlySet<AccessRecord['ending']> = new Set(['upstream-broke', 'silent', 'retired']);

/**
 * The spans of one request, named by the semantic conventions of OpenTelemetry for HTTP: the request itself, its waits,
 * and each attempt with the connection that was opened for it.
 * @param withQuery whether its query is told
 */
export function requestSpans(traced: TracedRequest, withQuery: boolean): Span[] {
  const { span, state, holds, attempts } = traced;
  const { traceId, spanId } = span;
  const inside = { traceId, state, parentId: spanId };
  return [
    requestSpan(traced, withQuery),
    ...holds.map((hold) => holdSpan(hold, traced, inside)),
    ...attempts.flatMap((attempt, index) => attemptSpans(attempt, index, traced, inside, withQuery)),
  ];
}

/** What the spans inside of a request have in common. */
type Inside = Pick<Span, 'traceId' | 'state' | 'parentId'>;

function requestSpan({ span, parentId, state, scheme, route, record }: TracedRequest, withQuery: boolean): Span {
  const { path, query } = partsOf(record.target);
  const { host, port } = hostOf(record.host);
  return {
    ...span,
    parentId,
    state,
    name: [METHODS.has(record.method) ? record.method : 'HTTP', ...(route === undefined ? [] : [route])].join(' '),
    kind: SpanKind.SERVER,
    began: record.at,
    ended: record.at + record.totalMs,
    attributes: {
      ...methodOf(record),
      'url.scheme': scheme,
      'url.path': path,
      'url.query': withQuery ? query : undefined,
      'server.address': host,
      'server.port': port,
      'http.route': route,
      'http.response.status_code': record.status,
      'http.request.body.size': record.bytesIn,
      'http.response.body.size': record.bytesOut - record.headOut,
      'network.protocol.name': 'http',
      'network.protocol.version': record.version === '2.0' ? '2' : record.version,
      'client.address': record.client,
      'user_agent.original': record.userAgent,
      'pilotlight.service': record.service,
      'pilotlight.request_id': record.requestId,
      'pilotlight.cold': record.cold,
      'pilotlight.ending': record.ending,
      'pilotlight.refusal': record.refusal,
    },
    error: errorOf(record),
  };
}

/** A 4xx is the client's doing, and no error of a server. */
function errorOf({ status, ending, refusal }: AccessRecord): string | undefined {
  if (status >= 500) return refusal ?? String(status);
  return BROKEN.has(ending) ? ending : undefined;
}

function holdSpan({ beganMs, endedMs, start }: TracedHold, { record }: TracedRequest, inside: Inside): Span {
  return {
    ...inside,
    spanId: newSpanId(),
    name: 'hold',
    kind: SpanKind.INTERNAL,
    began: record.at + beganMs,
    ended: record.at + (endedMs < 0 ? record.totalMs : endedMs),
    attributes: { 'pilotlight.service': record.service },
    link: start,
  };
}

function attemptSpans(
  attempt: TracedAttempt,
  index: number,
  { record }: TracedRequest,
  inside: Inside,
  withQuery: boolean,
): Span[] {
  const { spanId, endpoint, scheme, beganMs, connectingMs, connectedMs, firstByteMs, status, failure } = attempt;
  const at = (ms: number) => record.at + (ms < 0 ? record.totalMs : ms);
  const { host, port } = hostOf(endpoint);
  const { path, query } = partsOf(record.target);
  const service = { 'pilotlight.service': record.service, 'server.address': host, 'server.port': port };
  const isUnconnected = connectedMs < 0;
  const ended = at(attempt.endedMs);
  const upstream: Span = {
    ...inside,
    spanId,
    name: METHODS.has(record.method) ? record.method : 'HTTP',
    kind: SpanKind.CLIENT,
    began: at(beganMs),
    ended,
    attributes: {
      ...methodOf(record),
      ...service,
      'url.full': `${scheme}://${endpoint.startsWith('/') ? 'localhost' : endpoint}${path}${withQuery && query !== undefined ? `?${query}` : ''}`,
      'http.response.status_code': status === 0 ? undefined : status,
      'http.request.resend_count': index === 0 ? undefined : index,
    },
    events: firstByteMs < 0 ? [] : [{ name: 'first byte', at: at(firstByteMs) }],
    error: failure ?? (status >= 400 ? String(status) : undefined),
  };
  if (connectingMs < 0) return [upstream];
  const connect: Span = {
    ...inside,
    parentId: spanId,
    spanId: newSpanId(),
    name: 'connect',
    kind: SpanKind.INTERNAL,
    began: at(connectingMs),
    ended: isUnconnected ? ended : at(connectedMs),
    attributes: service,
    error: isUnconnected ? failure : undefined,
  };
  return [upstream, connect];
}

function methodOf({ method }: AccessRecord): Span['attributes'] {
  const isKnown = METHODS.has(method);
  return {
    'http.request.method': isKnown ? method : '_OTHER',
    'http.request.method_original': isKnown ? undefined : method,
  };
}

function partsOf(target: string): { path: string; query: string | undefined } {
  const mark = target.indexOf('?');
  return mark < 0 ? { path: target, query: undefined } : { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

/** Of `host:port`, the port of which may be missing; of a socket its path. */
function hostOf(authority: string): { host: string | undefined; port: number | undefined } {
  const [, host, port] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(authority) ?? [];
  if (host === undefined) return { host: authority, port: undefined };
  return { host: host === '' ? undefined : host, port: port === undefined ? undefined : Number(port) };
}
