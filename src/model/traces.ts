import type { AccessRecord } from './access.ts';
import type { StartCause } from './replica.ts';

/** Where traces go, and of which requests. */
export interface TraceSettings {
  /** URL that spans are posted to (OTLP/HTTP). */
  endpoint: string;
  /** Share of requests that are traced where nobody in front has decided, 0 to 1. */
  sample: number;
  /** Fields that go with every post, such as credentials. */
  headers: Record<string, string>;
  /** Under which name the spans are filed (`service.name`). */
  service: string;
  /** Whether queries of requests are told. */
  query: boolean;
}

/** Identity of a span: lower-case hexadecimal, 32 and 16 digits (W3C Trace Context §3.2.2). */
export interface SpanIdentity {
  readonly traceId: string;
  readonly spanId: string;
}

/** One wait of a request. Times are ms since the request came. */
export interface TracedHold {
  beganMs: number;
  endedMs: number;
  /** The start that it waited for; undefined: it waited for a slot, or for a start that others made. */
  start: SpanIdentity | undefined;
}

/** One attempt to have a request answered. Times are ms since the request came; −1 where it did not get that far. */
export interface TracedAttempt {
  readonly spanId: string;
  /** host:port, or the path of a socket. */
  readonly endpoint: string;
  readonly scheme: 'http' | 'https';
  beganMs: number;
  /** When it began to open a connection; −1: it used a kept one. */
  connectingMs: number;
  connectedMs: number;
  firstByteMs: number;
  endedMs: number;
  /** Status of the answer; 0: none came. */
  status: number;
  /** What ended it before it was over; undefined: nothing did. */
  failure: string | undefined;
}

/** One sampled request that has ended. Plain data. */
export interface TracedRequest {
  readonly span: SpanIdentity;
  /** The span in front of it; undefined: the trace begins here. */
  readonly parentId: string | undefined;
  /** What other tracers said in `tracestate`; undefined: nothing. */
  readonly state: string | undefined;
  readonly scheme: 'http' | 'https';
  /** Path of its route; undefined: none was found. */
  readonly route: string | undefined;
  /** What the access log tells of it. */
  readonly record: AccessRecord;
  readonly holds: readonly TracedHold[];
  readonly attempts: readonly TracedAttempt[];
}

/** One start that has come to an end, whatever its end. Plain data; times are ms since it was asked for. */
export interface TracedStart {
  readonly span: SpanIdentity;
  readonly service: string;
  readonly replica: string;
  readonly cause: StartCause;
  /** When it was asked for, ms since the epoch. */
  readonly at: number;
  /** It was paused, and went on. */
  readonly isResumed: boolean;
  /** When the gate let it begin. */
  readonly permitMs: number;
  /** When the runtime had started it; −1: it did not get that far. */
  readonly startedMs: number;
  /** When it was ready, or failed. */
  readonly endedMs: number;
  /** Why it came to nothing; undefined: it is ready. */
  readonly failure: { readonly code: string; readonly message: string } | undefined;
}

/** Takes what is traced; must not throw, must not block. */
export interface Traces {
  /** See `TraceSettings`. */
  readonly sample: number;
  request(traced: TracedRequest): void;
  start(traced: TracedStart): void;
  /** How many requests and starts were lost since this was last asked: the collector did not take them. */
  takeLost(): number;
}
