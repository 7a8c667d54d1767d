/** Structured log: fields first, then one line. Never pass a token, a header value or a body. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;

/** Least severe level that is written. */
export type LogLevel = (typeof logLevels)[number];

/** `json`: an object per line; `pretty`: a line for people. */
export type LogFormat = 'json' | 'pretty';

/** The level of the log, which may change while the program runs. */
export interface LogLevelPort {
  get(): LogLevel;
  set(level: LogLevel): void;
}

/** Does nothing: for tests. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Writes metrics. Names and labels are those of the documentation; label values must be of bounded number. */
export interface Metrics {
  /** Adds to a counter (`by` ≥ 0). */
  count(name: MetricName, labels: Labels, by: number): void;
  /** Sets a gauge. */
  gauge(name: MetricName, labels: Labels, value: number): void;
  /** Observes into a histogram, in seconds, `count` times. */
  observe(name: MetricName, labels: Labels, seconds: number, count?: number): void;
  /** Drops every series whose `service` is this one, or those of one name: the configuration has it no more. */
  forget(service: string, name?: MetricName): void;
}

export type Labels = Record<string, string>;

export type MetricName =
  | 'pilotlight_requests_total'
  | 'pilotlight_request_seconds'
  | 'pilotlight_upstream_ttfb_seconds'
  | 'pilotlight_in_flight'
  | 'pilotlight_held'
  | 'pilotlight_held_bytes'
  | 'pilotlight_latency_threshold_seconds'
  | 'pilotlight_hold_rejected_total'
  | 'pilotlight_cold_starts_total'
  | 'pilotlight_cold_start_seconds'
  | 'pilotlight_resumes_total'
  | 'pilotlight_resume_seconds'
  | 'pilotlight_start_failures_total'
  | 'pilotlight_replicas'
  | 'pilotlight_scale_decisions_total'
  | 'pilotlight_guard_blocks_total'
  | 'pilotlight_retries_total'
  | 'pilotlight_memory_budget_bytes'
  | 'pilotlight_memory_used_bytes'
  | 'pilotlight_memory_available_bytes'
  | 'pilotlight_memory_overruns_total'
  | 'pilotlight_memory_retires_total'
  | 'pilotlight_replica_seconds_total'
  | 'pilotlight_memory_byte_seconds_total'
  | 'pilotlight_cpu_seconds_total'
  | 'pilotlight_waited_seconds_total'
  | 'pilotlight_consul_staleness_seconds'
  | 'pilotlight_cluster_leader'
  | 'pilotlight_cluster_members'
  | 'pilotlight_connections'
  | 'pilotlight_tcp_sessions_total'
  | 'pilotlight_tcp_bytes_total'
  | 'pilotlight_compressed_answers_total'
  | 'pilotlight_compressed_bytes_total'
  | 'pilotlight_compression_refused_total'
  | 'pilotlight_tls_handshakes_total'
  | 'pilotlight_http2_cut_total'
  | 'pilotlight_certificate_days_left'
  | 'pilotlight_access_log_lost_total'
  | 'pilotlight_traces_lost_total';
