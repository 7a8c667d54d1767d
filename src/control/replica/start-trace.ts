import type { PilotlightError } from '../../model/errors.ts';
import type { SpanIdentity } from '../../model/traces.ts';
import { newSpanId, newTraceId } from '../../util/trace-context.ts';
import type { ControlContext } from '../context.ts';
import type { Replica, ReplicaTask } from './replica.ts';

type StartTask = Extract<ReplicaTask, { kind: 'start' }>;

/** The identity of a start that begins; undefined where nothing is traced. Every start has a trace of its own. */
export function startSpan({ traces }: Pick<ControlContext, 'traces'>): SpanIdentity | undefined {
  return traces === undefined ? undefined : { traceId: newTraceId(), spanId: newSpanId() };
}

/**
 * Traces a start that has just come to its end.
 * @param permitAt when the gate let it begin, the clock's ms
 * @param error why it came to nothing; undefined: it is ready
 */
export function traceStart(
  { traces, clock }: Pick<ControlContext, 'traces' | 'clock'>,
  replica: Pick<Replica, 'name' | 'spec' | 'isResumed'>,
  { span, cause, askedAt, startedAt }: StartTask,
  permitAt: number,
  error: PilotlightError | undefined,
): void {
  if (traces === undefined || span === undefined) return;
  const endedMs = clock.now() - askedAt;
  traces.start({
    span,
    service: replica.spec.service,
    replica: replica.name,
    cause,
    at: clock.wall() - endedMs,
    isResumed: replica.isResumed,
    permitMs: permitAt - askedAt,
    startedMs: startedAt === undefined ? -1 : startedAt - askedAt,
    endedMs,
    failure: error && { code: error.code, message: error.message },
  });
}
