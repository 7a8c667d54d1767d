import {
  createTraceState,
  type Link,
  type SpanKind,
  type SpanStatus,
  SpanStatusCode,
  TraceFlags,
} from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import type { SpanIdentity } from '../../model/traces.ts';

type Attributes = ReadableSpan['attributes'];
type Event = ReadableSpan['events'][number];

/** A span as we know it; times are ms since the epoch. */
export interface Span extends SpanIdentity {
  readonly parentId?: string | undefined;
  /** What other tracers said of the trace; undefined: nothing. */
  readonly state?: string | undefined;
  readonly name: string;
  readonly kind: SpanKind;
  readonly began: number;
  readonly ended: number;
  /** Those that are undefined are left out. */
  readonly attributes: Record<string, string | number | boolean | undefined>;
  readonly link?: SpanIdentity | undefined;
  readonly events?: readonly { name: string; at: number }[];
  /** What makes it an error (`error.type`); undefined: nothing does. */
  readonly error?: string | undefined;
  /** More about the error, for people. */
  readonly message?: string | undefined;
}

const SCOPE = { name: 'pilotlight' };

/** A span as the exporter takes it. */
export function readable(span: Span, resource: Resource): ReadableSpan {
  const { traceId, spanId, parentId, state, name, kind, began, error, link } = span;
  const ended = Math.max(began, span.ended);
  const traceState = state === undefined ? {} : { traceState: createTraceState(state) };
  const context = (id: SpanIdentity) => ({ ...id, traceFlags: TraceFlags.SAMPLED });
  const own = { ...context({ traceId, spanId }), ...traceState };
  return {
    name,
    kind,
    spanContext: () => own,
    ...(parentId === undefined ? {} : { parentSpanContext: context({ traceId, spanId: parentId }) }),
    startTime: hrTime(began),
    endTime: hrTime(ended),
    duration: hrTime(ended - began),
    status: statusOf(span),
    attributes: given({ ...span.attributes, 'error.type': error }),
    links: link === undefined ? [] : [{ context: context(link) } satisfies Link],
    events: (span.events ?? []).map((event): Event => ({ name: event.name, time: hrTime(event.at) })),
    ended: true,
    resource,
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function statusOf({ error, message }: Span): SpanStatus {
  if (error === undefined) return { code: SpanStatusCode.UNSET };
  return { code: SpanStatusCode.ERROR, ...(message === undefined ? {} : { message }) };
}

function given(attributes: Span['attributes']): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined)) as Attributes;
}

/** Seconds and nanoseconds. */
function hrTime(ms: number): [number, number] {
  const seconds = Math.trunc(ms / 1000);
  return [seconds, Math.min(999_999_999, Math.max(0, Math.round((ms - seconds * 1000) * 1e6)))];
}
