import type { BalancingSettings, EndpointShare } from './balancing.ts';
import type { CompressSettings } from './compress-settings.ts';
import type {
  AnswerLimits,
  Engine,
  HoldSettings,
  RetrySettings,
  RouteSettings,
  ServiceTimeouts,
  WakeRule,
} from './settings.ts';
import type { SpanIdentity } from './traces.ts';
import type { UpstreamPolicy } from './upstream.ts';

/** What the edge needs to know of the configuration: swapped whole at a reload. Plain data. */
export interface RoutingTable {
  routes: RouteView[];
  services: ServicePolicy[];
  trustedProxies: string[];
  /** Bytes of request bodies held over all services. */
  heldBytes: number;
  /** Answers that go through an encoder at once; absent: no limit. */
  compressions?: number | undefined;
}

/** Where a host and path prefix lead. */
export interface RouteView extends RouteSettings {
  service: string;
}

/** How the edge treats requests of one service. */
export interface ServicePolicy extends BalancingSettings {
  name: string;
  /** Whether Pilotlight can start replicas of it: such a service is waited for, others answer 503 at once. */
  wakeable: boolean;
  hold: HoldSettings;
  /** Most requests in flight per replica; 0 = no limit. */
  concurrency: number;
  /** Statuses by which the service says that it has too much to do. */
  shed: readonly number[];
  /** What passes in a WebSocket as activity. Absent: any byte. */
  activity?: 'bytes' | 'data';
  /** Other edges use the endpoints too: what bounds requests in flight holds for all, and slots are granted by control. */
  sharesSlots?: boolean;
  /** Host header of health checks; absent: the endpoint's address. */
  healthHost?: string | undefined;
  /** Secret under which the values of sticky cookies are made, the same on every edge; absent: no such cookies. */
  stickyKey?: string | undefined;
  timeouts: ServiceTimeouts;
  limits: AnswerLimits;
  retries: RetrySettings;
  wake: WakeRule[];
  upstreamHost: string | undefined;
  engine: Engine;
  /** Received-by of Via (RFC 9110 §7.6.3); absent: none is written. */
  via?: string | undefined;
  /** How long browsers are to come by https alone, ms (RFC 6797); absent: they are not told. */
  hstsMs?: number | undefined;
  /** How answers are compressed where the route does not say otherwise; absent or false: they are not. */
  compress?: CompressSettings | false | undefined;
  allowHalfOpen: boolean;
  /** Absent: as the defaults are. */
  upstream?: UpstreamPolicy;
  /** It has TCP sessions, and no requests. Absent: it has not. */
  isTcp?: boolean;
}

/**
 * `ready`: may be dispatched to. `cordoned`: nothing new, what is in flight goes on. `closing`: nothing new, and what
 * is still in flight is closed now (a drain deadline passed).
 */
export type EndpointState = 'ready' | 'cordoned' | 'closing';

export interface EndpointView extends EndpointShare {
  /** Identity across snapshots; another start of the same replica is another identity. */
  id: string;
  host: string;
  port: number;
  /** Name that `host` was looked up from: what its certificate is for; absent: there is none. */
  serverName?: string | undefined;
  state: EndpointState;
  /** Relative share of requests, 1 = normal; 0 = only while no other is usable. */
  weight: number;
  /** Its replica is one of ours: control can tell whether it still is there. */
  ours?: boolean;
  /** Of a replica that Pilotlight started: the boundaries of its start, in ms before the message was sent. */
  start: StartPhases | null;
}

/** Ages (ms, each smaller than the one before it) of the boundaries of one start: asked, permit, runtime done, ready. */
export interface StartPhases {
  askedAgo: number;
  permitAgo: number;
  startedAgo: number;
  readyAgo: number;
  /** Absent where it is not traced. */
  span?: SpanIdentity | undefined;
}

/** What changes while the configuration does not: one service's endpoints and start state. Swapped whole per service. */
export interface ServiceState {
  service: string;
  endpoints: EndpointView[];
  /** Longest hold, ms, with `auto` resolved. */
  holdTimeoutMs: number;
  /** Whether a start is under way. */
  starting: boolean;
  /** What a start of this service usually takes, ms; null while unknown. */
  expectedStartMs: number | null;
  /**
   * While a further replica is being started for an overloaded service: most requests in flight per replica on each
   * edge. Who exceeds it waits in the hold's bounds, so that it can go to the new one. Null: no such bound.
   */
  inFlightLimit: number | null;
  /** Starts are blocked (back-off or circuit): requests that would wait are answered at once. */
  blocked: { retryAfterMs: number } | null;
  /** Grows with every failed start that requests may have waited for: what is held then is answered. */
  failures: number;
  /** Of the start that began last, whatever came of it; absent where none is traced. */
  startSpan?: SpanIdentity | undefined;
}
