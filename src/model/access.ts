import type { ContentCoding } from './compress-settings.ts';
import type { RefusalCode } from './refusals.ts';

/** One request as the access log tells it. Times are ms; −1 where the request did not get that far. */
export interface AccessRecord {
  /** When the request's head was complete (or was given up), ms since the epoch. */
  at: number;
  client: string;
  clientPort: number;
  /** Address that the client connected to, host:port. */
  listener: string;
  service: string | undefined;
  /** Address of the endpoint that it went to last, host:port. */
  endpoint: string | undefined;
  /** Empty, as target and host are, of bytes that made no request. */
  method: string;
  target: string;
  version: '1.0' | '1.1' | '2.0';
  host: string;
  referer: string | undefined;
  userAgent: string | undefined;
  requestId: string;
  status: number;
  /** Bytes of the answer, head included. */
  bytesOut: number;
  /** How many of them are heads. */
  headOut: number;
  /** Body bytes of the request that were read. */
  bytesIn: number;
  queueMs: number;
  connectMs: number;
  firstByteMs: number;
  totalMs: number;
  retries: number;
  /** It waited for a start. */
  cold: boolean;
  /**
   * `client-stalled`: the client took nothing for the listener's `timeouts.send`. `retired`: its replica (or the proxy)
   * was stopped, as the request was quiet or the drain was over. `silent`: nothing passed for `timeouts.tunnel`.
   */
  ending: 'complete' | 'client-left' | 'client-stalled' | 'upstream-broke' | 'refused' | 'retired' | 'silent';
  /** Code of the proxy's own answer; undefined: it made none. */
  refusal: RefusalCode | undefined;
  /** By what the answer was compressed here; absent: it was sent as it came. */
  encoding?: ContentCoding | undefined;
  /** How TLS was spoken; absent: it was not ended here. */
  tls?: TlsRecord | undefined;
  /** The rule that the request, or the answer of the endpoint, breaks: one of a bounded number of ASCII texts of ours. */
  reason: string | undefined;
}

/** How TLS was spoken with a client. */
interface TlsRecord {
  readonly version: string;
  readonly cipher: string;
  /** Of its verified certificate; undefined: it has shown none. */
  readonly client: { readonly subject: string } | undefined;
}

/** One TCP session as the access log tells it. Times are ms; −1 where it did not get that far. */
export interface SessionRecord {
  /** When it was accepted, ms since the epoch. */
  at: number;
  id: string;
  client: string;
  clientPort: number;
  /** Address that the client connected to, host:port. */
  listener: string;
  service: string | undefined;
  /** The name that its ClientHello asks for, in lower case; undefined where none was read. */
  serverName: string | undefined;
  /** Address of the endpoint that it went to last, host:port. */
  endpoint: string | undefined;
  /** Bytes from the client, and to it; a PROXY header is none of them. */
  bytesIn: number;
  bytesOut: number;
  /** How long it waited for a start or a slot, ms; 0 where it did not. */
  heldMs: number;
  connectMs: number;
  firstByteMs: number;
  totalMs: number;
  retries: number;
  /** It waited for a start. */
  cold: boolean;
  /** `complete`: both sides ended theirs. `client-left`: reset by the client, or it left before it came to a service. */
  ending: SessionEnding;
  /** Why it came to no service; undefined: it did. */
  refusal: RefusalCode | undefined;
  /** What it broke: one of a bounded number of ASCII texts of ours. */
  reason: string | undefined;
}

/** How a session ended; the words are those of requests. */
export type SessionEnding = Exclude<AccessRecord['ending'], 'client-stalled'>;

/** Takes records; must not throw, must not block, keeps none of the strings longer than it needs. */
export interface AccessLog {
  write(record: AccessRecord): void;
  writeSession(record: SessionRecord): void;
  /** How many records were lost since this was last asked: the disk was full, or did not keep up. */
  takeLost(): number;
}
