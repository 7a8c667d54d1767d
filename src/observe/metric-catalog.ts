import type { MetricName } from '../model/observe.ts';

export interface MetricKind {
  type: 'counter' | 'gauge' | 'histogram';
  help: string;
}

/** Upper edges of every histogram's buckets, seconds: from a warm local answer to a start that nearly times out. */
export const BUCKETS_SECONDS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120,
];

/** Every metric with its type and what it says, in the order in which they are shown. */
export const metricCatalog: Record<MetricName, MetricKind> = {
  pilotlight_requests_total: { type: 'counter', help: 'Requests answered, by status code.' },
  pilotlight_request_seconds: { type: 'histogram', help: 'Whole requests as the client saw them, in seconds.' },
  pilotlight_upstream_ttfb_seconds: {
    type: 'histogram',
    help: 'Time from dispatch to the first byte of the upstream response, in seconds.',
  },
  pilotlight_in_flight: { type: 'gauge', help: 'Requests dispatched and not ended, tunnels included.' },
  pilotlight_held: { type: 'gauge', help: 'Requests waiting for a start.' },
  pilotlight_held_bytes: { type: 'gauge', help: 'Bytes of request bodies held.' },
  pilotlight_latency_threshold_seconds: {
    type: 'gauge',
    help: 'Time to the first byte over which the service counts as slow, as configured or learnt.',
  },
  pilotlight_hold_rejected_total: {
    type: 'counter',
    help: 'Requests refused or given up while the service was not ready, by reason.',
  },
  pilotlight_cold_starts_total: { type: 'counter', help: 'Starts from zero replicas.' },
  pilotlight_cold_start_seconds: { type: 'histogram', help: 'Phases of starts, in seconds.' },
  pilotlight_resumes_total: {
    type: 'counter',
    help: 'Frozen replicas that were had go on, by how that ended: ready or failed.',
  },
  pilotlight_resume_seconds: { type: 'histogram', help: 'From the permit until a frozen replica answers, in seconds.' },
  pilotlight_start_failures_total: { type: 'counter', help: 'Starts that failed, by cause.' },
  pilotlight_replicas: { type: 'gauge', help: 'Replicas, by state.' },
  pilotlight_scale_decisions_total: { type: 'counter', help: 'Changes of the replica count, by direction and reason.' },
  pilotlight_guard_blocks_total: { type: 'counter', help: 'Changes of the replica count that a guard refused.' },
  pilotlight_retries_total: { type: 'counter', help: 'Additional attempts at another connection or replica.' },
  pilotlight_memory_budget_bytes: { type: 'gauge', help: 'Memory that all replicas may take together.' },
  pilotlight_memory_used_bytes: { type: 'gauge', help: 'Memory that replicas take, or are expected to take.' },
  pilotlight_memory_available_bytes: { type: 'gauge', help: 'Memory of the host that can be had without swapping.' },
  pilotlight_memory_overruns_total: { type: 'counter', help: 'Starts for which there was no room in the memory.' },
  pilotlight_memory_retires_total: {
    type: 'counter',
    help: 'Idle and paused replicas that were told to go to make room.',
  },
  pilotlight_replica_seconds_total: { type: 'counter', help: 'Seconds that replicas were running.' },
  pilotlight_memory_byte_seconds_total: {
    type: 'counter',
    help: 'Memory of replicas times the seconds that they had it, in bytes x seconds.',
  },
  pilotlight_cpu_seconds_total: { type: 'counter', help: 'Seconds of CPU that replicas took.' },
  pilotlight_waited_seconds_total: { type: 'counter', help: 'Seconds that requests together waited for starts.' },
  pilotlight_cluster_leader: { type: 'gauge', help: 'Whether this proxy leads its cluster: 1 or 0.' },
  pilotlight_cluster_members: {
    type: 'gauge',
    help: 'Proxies of the cluster that the leader has contact with, itself included; 0 where it is another.',
  },
  pilotlight_consul_staleness_seconds: {
    type: 'gauge',
    help: 'Age of what is known from Consul, in seconds; 0 while in touch, the time since the start before that.',
  },
  pilotlight_connections: { type: 'gauge', help: 'Open client connections.' },
  pilotlight_tcp_sessions_total: { type: 'counter', help: 'TCP sessions that ended, by how.' },
  pilotlight_tcp_bytes_total: {
    type: 'counter',
    help: 'Bytes of TCP sessions, from clients (in) and to them (out).',
  },
  pilotlight_compressed_answers_total: { type: 'counter', help: 'Answers that were compressed, by encoding.' },
  pilotlight_compressed_bytes_total: {
    type: 'counter',
    help: 'Content of those answers, before it was compressed (in) and after (out), by encoding.',
  },
  pilotlight_compression_refused_total: {
    type: 'counter',
    help: 'Answers that were sent as they are because budget.compressions others were being compressed.',
  },
  pilotlight_tls_handshakes_total: {
    type: 'counter',
    help: 'TLS handshakes with clients, by outcome: full, resumed, or why they failed.',
  },
  pilotlight_http2_cut_total: {
    type: 'counter',
    help: 'Connections of HTTP/2 that were ended for what their clients did, by reason.',
  },
  pilotlight_certificate_days_left: { type: 'gauge', help: 'Days until a certificate in use expires, by its file.' },
  pilotlight_access_log_lost_total: {
    type: 'counter',
    help: 'Lines of the access log that were lost: the disk was full, or did not keep up.',
  },
  pilotlight_traces_lost_total: {
    type: 'counter',
    help: 'Traced requests and starts that were lost: the collector did not take them, or did not keep up.',
  },
};
