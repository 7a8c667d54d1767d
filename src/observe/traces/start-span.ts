import { SpanKind } from '@opentelemetry/api';
import type { TracedStart } from '../../model/traces.ts';
import type { Span } from './spans.ts';

/** The span of one start, with the boundaries of its phases as events. */
export function startSpan(start: TracedStart): Span {
  const { span, service, replica, cause, at, isResumed, permitMs, startedMs, endedMs, failure } = start;
  const events = [{ name: 'permit', at: at + permitMs }];
  if (startedMs >= 0) events.push({ name: 'started', at: at + startedMs });
  if (failure === undefined) events.push({ name: 'ready', at: at + endedMs });
  return {
    ...span,
    name: isResumed ? 'resume' : 'start',
    kind: SpanKind.INTERNAL,
    began: at,
    ended: at + endedMs,
    attributes: { 'pilotlight.service': service, 'pilotlight.replica': replica, 'pilotlight.cause': cause },
    events,
    error: failure?.code,
    message: failure?.message,
  };
}
