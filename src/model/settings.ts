import type { BalancingSettings } from './balancing.ts';
import type { ClusterSettings } from './cluster-settings.ts';
import type { CompressSettings } from './compress-settings.ts';
import type { PriceSettings } from './costs.ts';
import type { DeclareSettings } from './declarations.ts';
import type { GuardSettings } from './guard-settings.ts';
import type { RouteRules } from './route-rules.ts';
import type { TlsSettings } from './tls-settings.ts';
import type { TraceSettings } from './traces.ts';
import type { UpstreamSettings } from './upstream.ts';

export type { Balance } from './balancing.ts';
export type { GuardSettings } from './guard-settings.ts';

/**
 * A whole, validated configuration with every default filled in: what `config/` produces and all other parts read.
 * Durations are milliseconds, sizes bytes. Frozen: a reload makes a new one.
 */
export interface Settings {
  /** Files with more of its services, by patterns with absolute folders; absent: there are none. */
  include?: readonly string[] | undefined;
  listen: ListenSettings[];
  /** CIDRs (or single addresses) of peers whose forwarding headers are believed. */
  trustedProxies: string[];
  /** Undefined: none is written. */
  accessLog: AccessLogSettings | undefined;
  /** Absent: nothing is traced. */
  traces?: TraceSettings | undefined;
  admin: AdminSettings;
  /** Processes that serve requests, 1 or more; 1 = the process of the control plane. */
  workers: number;
  /** Absent: this proxy acts alone. */
  cluster?: ClusterSettings | undefined;
  /** Directory for records that outlive the process; locked by one Pilotlight at a time. */
  state: string;
  /** Settings of runtimes and sources that are in use and have any, by name; their types lie in their folders. */
  parts: Readonly<Record<string, object>>;
  budget: BudgetSettings;
  prices: PriceSettings;
  /** Who may declare services, and what; absent: nobody. */
  declare?: DeclareSettings | undefined;
  services: ServiceSettings[];
}

export interface HostPort {
  /** An IP address, or a name to resolve at connect. IPv6 without brackets. Of an endpoint also a socket's absolute path. */
  host: string;
  /** 1 to 65535; 0 in a listen address takes a free port, and stands behind the path of a socket. */
  port: number;
}

export interface ListenSettings {
  /** Routes may be tied to it by this name; absent: none can. */
  name?: string | undefined;
  address: HostPort;
  /** How it ends TLS; absent: it does not. */
  tls?: TlsSettings | undefined;
  /** Whether requests are sent to the same address by https. */
  redirectToHttps?: boolean;
  timeouts: {
    /** From accept to the end of the TLS handshake, ms. */
    handshakeMs: number;
    /** From the first byte of a request (or accept) to the end of its head, ms. */
    headMs: number;
    /** Longest pause while a request body arrives, ms. */
    bodyMs: number;
    /** How long an idle client connection is kept, ms. */
    keepAliveMs: number;
    /** Longest time that a client takes nothing of what is written to it, ms. Nothing to write is no such time. */
    sendMs: number;
  };
  limits: ListenLimits;
  /** Whether every connection begins with a PROXY protocol header; only those of trusted proxies are accepted then. */
  proxyProtocol: boolean;
  /**
   * Whether HTTP/2 is spoken: by ALPN with TLS, else where a client begins with it (prior knowledge). Undefined: with
   * TLS only.
   */
  http2: boolean | undefined;
  /** Its connections are passed on as they are, to these services; absent: they speak HTTP. */
  tcp?: TcpSettings | undefined;
}

/** Where the connections of a TCP listener lead. */
export interface TcpSettings {
  /** The service of all of them; undefined: the name in their ClientHello decides. */
  service: string | undefined;
  /** Services by name: exact, `*.suffix`, or `*` for any name and for none; lower case. */
  sni: readonly { readonly name: string; readonly service: string }[];
}

/** What clients of one listener may use. */
export interface ListenLimits {
  /** Most bytes of a request head. */
  head: number;
  /** Most fields of a request head. */
  fields: number;
  /** Most bytes of a request target. */
  target: number;
  /** Most bytes of chunk extensions in one request body. */
  chunkExtensions: number;
  /** Most bytes of the trailer section of one request. */
  trailers: number;
  /** Requests per connection, the last of which is answered with Connection: close; 0 = no limit. */
  requests: number;
  /** Most client connections. */
  connections: number;
  /** Most connections of one client address that is not a trusted proxy's; 0 = no limit. */
  connectionsPerClient: number;
  /** Most connections whose TLS handshake is under way. */
  handshakes: number;
  http2: Http2Limits;
}

/** What one connection of HTTP/2 may use. */
export interface Http2Limits {
  /** Most requests at once. */
  streams: number;
  /** Most points of odd behaviour; a tenth of them is forgotten each second. */
  oddities: number;
}

/** What answers of a service may use. */
export interface AnswerLimits {
  /** Most bytes of a response head. */
  head: number;
  /** Most fields of a response head. */
  fields: number;
  /** Most bytes of chunk extensions in one response body. */
  chunkExtensions: number;
  /** Most bytes of the trailer section of one response. */
  trailers: number;
}

export interface AccessLogSettings {
  /** Absolute path, or `stdout`. */
  file: string;
  format: 'json' | 'common' | 'combined' | 'httplog';
}

export interface AdminSettings {
  address: HostPort;
  /** Bearer token; undefined only on loopback. */
  token: string | undefined;
}

/** A part of the host's memory, above 0 and at most 1, or so many bytes. */
export type MemoryBound = { share: number } | { bytes: number };

export interface BudgetSettings {
  /** Most replicas of all services together, stopping ones included. */
  replicas: number;
  /** Starts under way at once, shared fairly between services. */
  concurrentStarts: number;
  /** Scale-ups and retries per minute over all services; wakes are not counted. */
  startsPerMinute: number;
  /** Most bytes of request bodies held for all services, bytes. */
  heldBytes: number;
  /** Most memory that all replicas take together, paused ones included. Absent: no limit. */
  memory?: MemoryBound;
  /** Most answers that go through an encoder at once; further ones are sent as they are. Absent: no limit. */
  compressions?: number;
}

export interface ServiceSettings extends Required<BalancingSettings> {
  /** Unique; [a-z0-9][a-z0-9-]*, at most 63 characters. */
  name: string;
  routes: RouteSettings[];
  /** What each source of endpoints is to look for, by the source's name; the type of it lies in the source's folder. */
  endpoints: Readonly<Record<string, object | undefined>>;
  /** How to start a replica; undefined: Pilotlight only routes. */
  run: RunSettings | undefined;
  ready: ReadySettings;
  hold: HoldSettings;
  scale: ScaleSettings;
  timeouts: ServiceTimeouts;
  limits: AnswerLimits;
  retries: RetrySettings;
  wake: WakeRule[];
  /** Host header sent upstream; undefined: the client's, unchanged. */
  upstreamHost: string | undefined;
  engine: Engine;
  /** Name of this proxy in Via of requests and answers (RFC 9110 §7.6.3); absent: none is written. */
  via?: string | undefined;
  /** How long browsers are to come by https alone, ms (RFC 6797); absent: they are not told. */
  hstsMs?: number | undefined;
  /** How answers are compressed where a route does not say otherwise; absent or false: they are not. */
  compress?: CompressSettings | false | undefined;
  /** Whether a client may half-close its side before the response begins. */
  allowHalfOpen: boolean;
  onExit: 'keep' | 'stop';
  /** Whether it is listed in a service catalogue, where anything is; absent: one that Pilotlight starts is. */
  register?: boolean | undefined;
  upstream?: UpstreamSettings;
  /** Services of one group start and sleep together; absent: it is in none. */
  group?: string | undefined;
  /** Services of its group that have to be ready before it is started. */
  after?: string[] | undefined;
  /** TCP listeners lead to it, or its group alone, and no routes. */
  isTcp?: boolean;
}

export interface RouteSettings {
  /** Lower case, no port: exact, `*.suffix`, or undefined for any host. */
  host: string | undefined;
  /** Names of the listeners that it holds for; absent: all. */
  on?: string[];
  /** Prefix at segment borders; starts with `/`, no trailing slash except `/` itself. */
  path: string;
  /** A path of its host whose letters' case decides where it leads is refused. */
  caseInsensitive?: boolean;
  /** `forward`: it gets a request too whose path has a reading that leads to another such route; absent: refused. */
  ambiguousPaths?: 'forward' | undefined;
  /** Most bytes of a request body; 0 or absent: no limit. */
  maxBody?: number;
  /** How answers are compressed; false: they are not; absent: as the service says. */
  compress?: CompressSettings | false | undefined;
  /** What is asked of and done to its requests; absent: they are only sent on. */
  rules?: RouteRules | undefined;
}

/**
 * How replicas are started: what all runtimes have in common. The rest is the runtime's own, and its type lies in the
 * runtime's folder.
 */
export interface RunSettings {
  /** Name of the runtime that starts them. */
  runtime: string;
  /** Which of the runtime's ways it is: tells what else is in it. */
  kind: string;
  /** Variables that a replica is given; what they hold may be secret. */
  env?: Readonly<Record<string, string>>;
  stop: StopSettings;
  /** How its replicas stand by while the service sleeps; absent: there is nothing of them then. */
  standby?: Standby | undefined;
  /** Most memory that a replica may take, bytes; absent: no limit. */
  memory?: number | undefined;
}

/**
 * What is left of a replica while its service sleeps. `paused`: it is frozen, and keeps its memory. `created`: it is
 * pre-positioned. `auto`: paused for as long as that pays, then as with `created`, where there is such a thing.
 */
export type Standby = 'auto' | 'paused' | 'created' | 'none';

/** How requests go upstream: our own sockets, or the http-proxy package (services without `run` only). */
export type Engine = 'native' | 'http-proxy';

export interface StopSettings {
  /** Signal name, such as SIGTERM. */
  signal: string;
  /** From the signal to the kill, ms. */
  graceMs: number;
}

export type ReadySettings =
  | { kind: 'http'; path: string; host?: string | undefined; statusMin: number; statusMax: number; timeoutMs: number }
  /** The health check that a replica brings along, which its runtime knows. */
  | { kind: 'own-check'; timeoutMs: number }
  /** It accepts; and, where `expect` is given, it answers `send` with bytes that begin so. A character is a byte. */
  | { kind: 'tcp'; send?: string | undefined; expect?: string | undefined; timeoutMs: number };

export interface HoldSettings {
  /** Most requests held at once. */
  max: number;
  /** Most body bytes held at once, bytes. */
  maxBytes: number;
  /** Most requests held per client address; 0 = no limit. */
  perClient: number;
  /** Longest hold, ms; auto = clamp(3.5 × p95 of the service's start times, 10 s, 120 s), 30 s before any is known. */
  timeoutMs: number | 'auto';
  /** Whether browsers that navigate get a waiting page. */
  page: 'auto' | 'off';
}

/** A window of time in which a service has more replicas than `min`. */
export interface ScheduleWindow {
  /** When it opens: a cron expression of five fields … */
  from: string;
  /** … in the local time of this zone. */
  timeZone: string;
  /** How long it is open, ms. */
  forMs: number;
  /** Fewest replicas while it is. */
  min: number;
}

export interface ScaleSettings {
  min: number;
  /** In windows of time it is another one. */
  schedule: ScheduleWindow[];
  max: number;
  /** Replicas of a start from zero. */
  initial: number;
  /** Idle time before the replicas above `min` retire, ms; auto = what costs least by the gaps that were seen. */
  idleMs: number | 'never' | 'auto';
  /** Seconds of an idle replica that one second of a waiting user is worth. */
  weight: number;
  /** What a second of a paused replica costs, as a part of one that is ready; from 0 to 1. */
  pausedCost: number;
  /** What counts as activity in a WebSocket: any byte, or data frames alone. */
  activity: 'bytes' | 'data';
  /** How long a scale-down waits for what is in flight, ms. */
  patienceMs: number;
  /** Most requests in flight per replica; 0 = no limit. */
  concurrency: number;
  latency: {
    /** Threshold on the quantile of the time to first byte, ms; auto = learnt from the service's own at low load. */
    aboveMs: number | 'auto';
    /** 0 to 1, exclusive. */
    quantile: number;
    /** Observation window, ms. */
    windowMs: number;
  };
  /** Statuses by which the service says that it has too much to do. */
  shed: readonly number[];
  guards: GuardSettings;
  /** Decide and journal, but change nothing. Wakes still happen. */
  dryRun: boolean;
}

export interface ServiceTimeouts {
  connectMs: number;
  firstByteMs: number;
  /** Longest pause of a response in progress or an open tunnel before it counts as quiet, ms. */
  streamMs: number;
  /** Longest silence of a tunnel before it is closed, ms. */
  tunnelMs: number;
  /** How long a retiring replica may finish what it has, ms. */
  drainMs: number;
}

export interface RetrySettings {
  /** Additional attempts per request. */
  max: number;
  /** Share of requests over 10 s that may be retries, 0 to 1. */
  budget: number;
  /** Also PUT, DELETE and requests with an Idempotency-Key. */
  idempotent: boolean;
}

/** First match decides what a request for a sleeping service does. Both conditions, when given, must match. */
export interface WakeRule {
  /** Path prefix at a segment border. */
  path: string | undefined;
  /** Glob on the User-Agent, `*` only, case-insensitive. */
  userAgent: string | undefined;
  then: 'wake' | 'answer' | 'deny';
  /** For `answer`: the status sent while asleep. */
  status: number;
}
