import type { MemoryUse } from '../../model/host-memory.ts';
import type { Metrics } from '../../model/observe.ts';
import type { ReplicaState } from '../../model/replica.ts';
import type { LatencyThreshold } from '../../model/threshold.ts';
import type { Telemetry } from '../link/telemetry.ts';
import type { Replica } from '../replica/replica.ts';

const states: readonly ReplicaState[] = [
  'created',
  'starting',
  'ready',
  'cordoned',
  'draining',
  'pausing',
  'paused',
  'resuming',
  'stopping',
  'stopped',
  'failed',
];

/** Sets a service's gauges to what is known now. */
export function gaugeService(
  metrics: Metrics,
  service: string,
  { inFlight, held, heldBytes }: Telemetry,
  replicas: readonly Replica[],
  threshold: LatencyThreshold | null,
): void {
  metrics.gauge('pilotlight_in_flight', { service }, inFlight);
  metrics.gauge('pilotlight_held', { service }, held);
  metrics.gauge('pilotlight_held_bytes', { service }, heldBytes);
  if (threshold !== null) gaugeThreshold(metrics, service, threshold);
  for (const state of states) {
    const count = replicas.filter((replica) => replica.state === state).length;
    metrics.gauge('pilotlight_replicas', { service, state }, count);
  }
}

/** Sets the gauge of the threshold on latency. */
function gaugeThreshold(metrics: Metrics, service: string, { aboveMs }: LatencyThreshold): void {
  metrics.gauge('pilotlight_latency_threshold_seconds', { service }, aboveMs / 1000);
}

/** Sets the gauges of the memory of all services. */
export function gaugeMemory(metrics: Metrics, use: MemoryUse | undefined): void {
  if (use === undefined) return;
  metrics.gauge('pilotlight_memory_budget_bytes', {}, use.budgetBytes);
  metrics.gauge('pilotlight_memory_used_bytes', {}, use.usedBytes);
  if (use.availableBytes !== null) metrics.gauge('pilotlight_memory_available_bytes', {}, use.availableBytes);
}
