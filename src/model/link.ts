import type { SparseCounts } from '../util/histogram.ts';
import type { SessionEnding } from './access.ts';
import type { EndpointCondition } from './balancing.ts';
import type { ContentCoding } from './compress-settings.ts';
import type { RoutingTable, ServiceState } from './snapshot.ts';

/**
 * The one port between the control plane and an edge. All messages are plain data (what JSON can carry) and ordered.
 * Versions of one control plane only grow; where several proxies act as one, the next leader has its own.
 */

/** Control → edge. */
export type ControlMessage =
  | { type: 'table'; version: number; table: RoutingTable; states: ServiceState[] }
  | { type: 'service'; version: number; state: ServiceState }
  | SlotGrant
  /** Another edge is in doubt about the endpoint. */
  | { type: 'doubt'; service: string; endpoint: string }
  /** A look at the endpoint that began after this doubt of the edge found the run that it was. */
  | { type: 'trust'; service: string; endpoint: string; doubt: number }
  | ProbeRequest
  | { type: 'cancel-probe'; probe: string }
  | { type: 'collect'; collect: number }
  /**
   * Another control plane speaks from here on; its whole table follows. Probes of the one before are void, slots until the
   * new one grants others, and the edge tells its whole state anew. `aloneMs` after its last `contact` it dispatches
   * nothing to replicas of ours: they may be stopped by then.
   */
  | { type: 'led'; term: number; aloneMs: number }
  /** Who leads was heard a moment ago. Only an edge that was `led` gets it. */
  | { type: 'contact' }
  /** So many proxies act as one: each lets clients have its part of their rates. One unless told. */
  | { type: 'members'; count: number };

/**
 * Slots of an endpoint that several edges share: so many more requests may be in flight there from this edge, or so many
 * fewer as soon as they are free. Slots of another `epoch` than the last are void.
 */
export interface SlotGrant {
  type: 'slots';
  service: string;
  endpoint: string;
  epoch: number;
  grant: number;
  recall: number;
}

/**
 * Asks the edge to find out when an address answers. The edge keeps trying (with a growing time-out per try) until it
 * succeeds, is cancelled or `timeoutMs` passed. On success it keeps an open, unused connection to the address for the
 * endpoint's first request.
 */
export interface ProbeRequest {
  type: 'probe';
  probe: string;
  service: string;
  /** Identity under which the connection is kept. */
  endpoint: string;
  host: string;
  /** Tried as well, where nothing listens at `host`. */
  otherHost?: string | undefined;
  port: number;
  /** Name that `host` was looked up from; absent: none was. */
  serverName?: string | undefined;
  /**
   * An HTTP GET whose status must lie in the range; or just an established connection; or one on which bytes come that
   * begin so, after these were sent (a character is a byte).
   */
  check:
    | { kind: 'http'; path: string; hostHeader: string; statusMin: number; statusMax: number }
    | { kind: 'connect' }
    | { kind: 'bytes'; send: string; expect: string };
  timeoutMs: number;
}

/** Edge → control. */
export type EdgeMessage =
  /** What follows is meant for the control plane of this term, and for no earlier one. */
  | { type: 'led'; term: number }
  /**
   * Requests that may wake the service wait for it, or their number grew or fell; so many of them are in flight. Sent at
   * once for the first.
   */
  | { type: 'demand'; service: string; held: number; inFlight: number }
  /** The edge stopped dispatching to a cordoned or closing endpoint, until a later snapshot says ready. */
  | {
      type: 'ack';
      version: number;
      service: string;
      endpoint: string;
      inFlight: number;
      quiet: number;
      /** Of those that are not quiet, requests that may not keep the service awake. */
      passive: number;
      idleForMs: number;
    }
  /** Nothing (or nothing but quiet streams: `quiet`) is in flight any more on a cordoned endpoint. */
  | { type: 'drained'; version: number; service: string; endpoint: string; quiet: number }
  | SlotClaim
  /**
   * A connect to the endpoint failed; or (`closed`) its last connection closed unasked, so that another program may have
   * the address by now: nothing is dialled there until control says `trust`, or a second has passed; or (`unproven`) a
   * connection was opened after that: nothing is written to it until the same. `doubt` counts up.
   */
  | {
      type: 'suspect';
      service: string;
      endpoint: string;
      cause: 'refused' | 'timeout' | 'closed' | 'unproven';
      doubt: number;
    }
  /** Answers that are not valid: what they break, and how many there were since this was last said. */
  | { type: 'bad-answer'; service: string; address: string; fault: string; count: number }
  /** An endpoint cannot be connected to for a reason that somebody has to mend, and how often since this was last said. */
  | { type: 'unreachable'; service: string; address: string; reason: string; count: number }
  /** An endpoint gets no requests for a while: so many failures in a row, and what the last one was. */
  | { type: 'ejected'; service: string; address: string; forMs: number; failures: number; why: string }
  /** What the last try of a probe came to; sent when it is another answer than the one before. */
  | { type: 'probing'; probe: string; host: string; result: string }
  | { type: 'probed'; probe: string; ok: true; host: string }
  | { type: 'probed'; probe: string; ok: false; reason: 'timeout' | 'tls'; detail: string }
  | EdgeReport
  | LateTotals;

/**
 * So many requests wait for a slot of the service here; and these slots, which were recalled, are free. `kept`: those of
 * an earlier control plane that are in use on, until this one grants as many.
 */
export interface SlotClaim {
  type: 'slots';
  service: string;
  want: number;
  back: { endpoint: string; epoch: number; count: number }[];
  kept?: { endpoint: string; count: number }[];
}

/** Statistics since the report before: once a second, and in answer to `collect`. A report of zero is data. */
export interface EdgeReport {
  type: 'report';
  /** The `collect` it answers; null for the regular one. */
  collect: number | null;
  /** Length of the time it covers, ms. */
  spanMs: number;
  services: ServiceReport[];
  /** Open client connections. */
  connections: number;
  /** Requests that no route matched, by status. */
  unrouted: SparseCounts;
  /** TCP sessions that came to no service; absent where there are none. */
  sessions?: SessionsReport | undefined;
  /** Lines that the access log lost. */
  accessLost: number;
  /** Traced requests and starts that the collector did not take; absent: it took all. */
  tracesLost?: number;
  /** TLS handshakes that ended, by outcome; absent: none did. */
  handshakes?: Record<string, number>;
  /** Connections of HTTP/2 that were ended for what their clients did, by what that was; absent: none were. */
  http2Cut?: Record<string, number>;
}

/**
 * One service, over the report's span. Left out are services of which nothing happened, is in flight, is held or is in a
 * condition: all of it is zero then. Those that can be started are left out only while they have no endpoint.
 */
export interface ServiceReport {
  service: string;
  /** Requests that came for it, whatever became of them, and TCP sessions. */
  requests: number;
  /** Those that count as its load (held ones too; upgrades, and what may not wake it, not). */
  arrivals: number;
  /** Responses that ended, by status code: code, count, … (sent by an upstream or made here). */
  codes: SparseCounts;
  /** Upstream responses begun: successes and errors of the service itself. */
  completions: number;
  /** Of these, those that are neither 5xx, nor 429, nor a status by which the service sheds load. */
  good: number;
  /** 5xx of the upstream that shed no load. */
  errors: number;
  /**
   * Connections reset or closed by the upstream before a whole response; not where that was the race on a kept one, nor
   * where its client had kept it waiting for long.
   */
  resets: number;
  /**
   * Load that was turned away: answers of the upstream with a status of `scale.shed` (503), our own time-outs, and
   * refusals to wait (full, too many bytes, deadline passed).
   */
  shed: number;
  retries: number;
  /** Now: requests dispatched and not ended, tunnels included. */
  inFlight: number;
  /**
   * Of these, those that may not wake the service: neither activity nor load. Nowhere else are such counted but in
   * `codes` and `total`.
   */
  passive: number;
  /**
   * Requests in flight, and waiting for a slot of a warm service, integrated over the span, in request × ms: divided by
   * the span it is how many there were on average. Tunnels and requests that may not wake the service do not count.
   */
  loadMs: number;
  /** Now: ages (ms) of requests that wait for a slot of a warm service. */
  queued: SparseCounts;
  /** Now: requests held. */
  held: number;
  heldBytes: number;
  holdRejected: { full: number; bytes: number; client: number; deadline: number; failed: number; denied: number };
  /** How long since the last activity ended, ms; 0 while there is any. */
  idleForMs: number;
  /** Method and path of the request that this goes by, bounded, without query; absent before the first. */
  lastRequest?: string | undefined;
  /**
   * Time to first byte of endpoints past no particular age: from when the request was whole and dispatched, plus the wait
   * for a slot, without that for a start. An answer before the end of its request has none.
   */
  ttfb: SparseCounts;
  /** Whole requests, as the client saw them. */
  total: SparseCounts;
  /** TCP sessions; absent where there was nothing of any. */
  sessions?: SessionsReport | undefined;
  /** What was compressed; absent where nothing ever was. */
  compression?: CompressionReport | undefined;
  endpoints: EndpointReport[];
}

/** What is counted of a service, and added up over all time. */
export type CountedOfService = Pick<
  ServiceReport,
  'service' | 'codes' | 'total' | 'ttfb' | 'retries' | 'holdRejected' | 'sessions' | 'compression'
>;

/** What is counted of no service in particular. */
export type CountedOfEdge = Pick<
  EdgeReport,
  'unrouted' | 'sessions' | 'accessLost' | 'tracesLost' | 'handshakes' | 'http2Cut'
>;

/** What happened while nobody led the edge: it is counted, and nothing is decided by it, as it is of no particular time. */
export interface LateTotals extends CountedOfEdge {
  type: 'late';
  services: CountedOfService[];
}

/** Compression over the report's span. */
export interface CompressionReport {
  /** Answers that ended, and their content before and after it was compressed, bytes. */
  coded: Partial<Record<ContentCoding, { answers: number; bytesIn: number; bytesOut: number }>>;
  /** Answers that were sent as they are, as too many were being compressed. */
  refused: number;
}

/** TCP sessions over the report's span: those that ended, by how, and bytes that passed from clients and to them. */
export interface SessionsReport {
  ended: Partial<Record<SessionEnding, number>>;
  bytesIn: number;
  bytesOut: number;
}

export interface EndpointReport {
  endpoint: string;
  /** Absent where nothing keeps requests away from it. */
  condition?: EndpointCondition | undefined;
  /** For how long it has been in that condition, ms; absent where it is in none. */
  conditionMs?: number | undefined;
  inFlight: number;
  /** Age of the oldest of them that is activity, ms; absent without one. */
  oldestMs?: number | undefined;
  /** Answers begun, whenever their requests arrived. */
  answers: number;
  /**
   * Time to first byte, per endpoint, so that young replicas can be left out. Only of requests that arrived since an
   * endpoint was last added to the service: those before it waited in older queues, and say nothing of how it is now.
   */
  ttfb: SparseCounts;
  /** Of these, those that were dispatched while nothing else that counts in `loadMs` was in flight on it from this edge. */
  calm: SparseCounts;
  /** Ages of requests in flight that have no first byte yet, with the same bounds as `ttfb`. */
  waiting: SparseCounts;
}
