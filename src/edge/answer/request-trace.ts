import type { SpanIdentity, TracedAttempt, TracedHold } from '../../model/traces.ts';
import { isSampledAt, newSpanId, newTraceId, readTraceParent, traceParent } from '../../util/trace-context.ts';
import type { Head } from '../http1/head.ts';
import type { Endpoint } from '../upstream/endpoint.ts';

/** Whose request is traced. */
interface Traceable {
  readonly request: { readonly head: Head };
  readonly peer: { readonly trusted: boolean };
}

/**
 * What is traced of one request, while it is on its way: identities for all of them, spans for those that are sampled.
 * It is there only where traces are wanted. `now` is the clock's ms.
 */
export class RequestTrace {
  readonly span: SpanIdentity;
  readonly parentId: string | undefined;
  readonly state: string | undefined;
  readonly isSampled: boolean;
  readonly holds: TracedHold[] = [];
  readonly attempts: TracedAttempt[] = [];
  readonly #began: number;

  /**
   * Takes the context of the trace out of the request. A trusted peer's is gone on with, sampled or not; anybody else
   * could make us record what he likes, so there a new trace begins.
   * @param share of the traces that begin here that are sampled, 0 to 1
   * @param began the clock's ms
   */
  constructor({ request, peer }: Traceable, share: number, began: number) {
    const parent = takeParent(request.head);
    const state = takeState(request.head);
    const followed = peer.trusted ? parent : undefined;
    const traceId = followed?.traceId ?? newTraceId();
    this.span = { traceId, spanId: newSpanId() };
    this.parentId = followed?.spanId;
    this.state = followed === undefined ? undefined : state;
    this.isSampled = followed?.isSampled ?? isSampledAt(share, traceId);
    this.#began = began;
  }

  /** The fields that tell the service of the trace; the span of the present attempt is its parent. */
  get fields(): string {
    const { traceId } = this.span;
    const spanId = this.attempts.at(-1)?.spanId ?? this.span.spanId;
    const own = `traceparent: ${traceParent({ traceId, spanId, isSampled: this.isSampled })}\r\n`;
    return this.state === undefined ? own : `${own}tracestate: ${this.state}\r\n`;
  }

  hold(now: number): void {
    if (this.isSampled) this.holds.push({ beganMs: now - this.#began, endedMs: -1, start: undefined });
  }

  /** @param start the one that it waited for */
  endHold(now: number, start: SpanIdentity | undefined): void {
    const hold = this.holds.at(-1);
    if (hold === undefined || hold.endedMs >= 0) return;
    hold.endedMs = now - this.#began;
    hold.start = start;
  }

  attempt({ address, transport }: Endpoint, now: number): void {
    if (!this.isSampled) return;
    const scheme = transport?.tls === undefined ? 'http' : 'https';
    const beganMs = now - this.#began;
    const notYet = { connectingMs: -1, connectedMs: -1, firstByteMs: -1, endedMs: -1, status: 0, failure: undefined };
    this.attempts.push({ spanId: newSpanId(), endpoint: address, scheme, beganMs, ...notYet });
  }

  connecting(now: number): void {
    const attempt = this.attempts.at(-1);
    if (attempt !== undefined) attempt.connectingMs = now - this.#began;
  }

  connected(now: number): void {
    const attempt = this.attempts.at(-1);
    if (attempt !== undefined) attempt.connectedMs = now - this.#began;
  }

  answered(status: number, now: number): void {
    const attempt = this.attempts.at(-1);
    if (attempt === undefined) return;
    attempt.firstByteMs = now - this.#began;
    attempt.status = status;
  }

  failed(failure: string): void {
    const attempt = this.attempts.at(-1);
    if (attempt !== undefined) attempt.failure = failure;
  }

  endAttempt(now: number): void {
    const attempt = this.attempts.at(-1);
    if (attempt !== undefined && attempt.endedMs < 0) attempt.endedMs = now - this.#began;
  }
}

/** More than one is none (W3C Trace Context §3.2.1). */
function takeParent(head: Head): ReturnType<typeof readTraceParent> {
  const first = drop(head, 'traceparent');
  return first.length === 1 ? readTraceParent(first[0] as string) : undefined;
}

/** Several are one list (§3.3.1.1). */
function takeState(head: Head): string | undefined {
  const lists = drop(head, 'tracestate').filter((list) => list !== '');
  return lists.length === 0 ? undefined : lists.join(',');
}

/** Leaves out all fields of a name. @returns their values */
function drop(head: Head, name: string): string[] {
  const values: string[] = [];
  for (let index = head.find(name); index >= 0; index = head.find(name, index + 1)) {
    values.push(head.value(index));
    head.drop(index);
  }
  return values;
}
