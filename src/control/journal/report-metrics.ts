import type { CompressionReport, CountedOfEdge, CountedOfService, SessionsReport } from '../../model/link.ts';
import type { MetricName, Metrics } from '../../model/observe.ts';
import { bucketMiddle, type SparseCounts } from '../../util/histogram.ts';

/** The `service` label of requests that no route matched; no service can be called so. */
const UNROUTED = '-';

/** Adds one service's part of an edge's report to the metrics. */
export function countReport(metrics: Metrics, report: CountedOfService): void {
  const { service } = report;
  countCodes(metrics, service, report.codes);
  observe(metrics, 'pilotlight_request_seconds', service, report.total);
  observe(metrics, 'pilotlight_upstream_ttfb_seconds', service, report.ttfb);
  if (report.sessions !== undefined) countSessions(metrics, service, report.sessions);
  if (report.compression !== undefined) countCompression(metrics, service, report.compression);
  if (report.retries > 0) metrics.count('pilotlight_retries_total', { service }, report.retries);
  for (const [reason, count] of Object.entries(report.holdRejected)) {
    if (count > 0) metrics.count('pilotlight_hold_rejected_total', { service, reason }, count);
  }
}

/** Adds what an edge tells of no service in particular: answers without a route, lost lines of its access log and lost traces. */
export function countEdge(
  metrics: Metrics,
  { unrouted, sessions, accessLost, tracesLost = 0, handshakes = {}, http2Cut = {} }: CountedOfEdge,
): void {
  if (sessions !== undefined) countSessions(metrics, UNROUTED, sessions);
  metrics.count('pilotlight_access_log_lost_total', {}, accessLost);
  metrics.count('pilotlight_traces_lost_total', {}, tracesLost);
  countCodes(metrics, UNROUTED, unrouted);
  for (const [outcome, count] of Object.entries(handshakes)) {
    metrics.count('pilotlight_tls_handshakes_total', { outcome }, count);
  }
  for (const [reason, count] of Object.entries(http2Cut)) {
    metrics.count('pilotlight_http2_cut_total', { reason }, count);
  }
}

function countSessions(metrics: Metrics, service: string, { ended, bytesIn, bytesOut }: SessionsReport): void {
  for (const [outcome, count] of Object.entries(ended)) {
    metrics.count('pilotlight_tcp_sessions_total', { service, outcome }, count);
  }
  if (bytesIn > 0) metrics.count('pilotlight_tcp_bytes_total', { service, direction: 'in' }, bytesIn);
  if (bytesOut > 0) metrics.count('pilotlight_tcp_bytes_total', { service, direction: 'out' }, bytesOut);
}

function countCompression(metrics: Metrics, service: string, { coded, refused }: CompressionReport): void {
  for (const [encoding, { answers, bytesIn, bytesOut }] of Object.entries(coded)) {
    metrics.count('pilotlight_compressed_answers_total', { service, encoding }, answers);
    metrics.count('pilotlight_compressed_bytes_total', { service, encoding, direction: 'in' }, bytesIn);
    metrics.count('pilotlight_compressed_bytes_total', { service, encoding, direction: 'out' }, bytesOut);
  }
  if (refused > 0) metrics.count('pilotlight_compression_refused_total', { service }, refused);
}

function countCodes(metrics: Metrics, service: string, codes: SparseCounts): void {
  for (let i = 0; i + 1 < codes.length; i += 2) {
    metrics.count('pilotlight_requests_total', { service, code: String(codes[i]) }, codes[i + 1] as number);
  }
}

function observe(metrics: Metrics, name: MetricName, service: string, counts: SparseCounts): void {
  for (let i = 0; i + 1 < counts.length; i += 2) {
    metrics.observe(name, { service }, bucketMiddle(counts[i] as number) / 1000, counts[i + 1] as number);
  }
}
