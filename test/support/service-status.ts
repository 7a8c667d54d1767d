import type { ServiceStatus } from '../../src/model/status.ts';

/** A service that sleeps, as the admin API tells of it, with what is given. */
export function serviceStatus(changes: Partial<ServiceStatus> & { name: string }): ServiceStatus {
  return {
    state: 'asleep',
    replicas: [],
    inFlight: 0,
    held: 0,
    heldForMs: 0,
    perSecond: { arrivals: 0, good: 0, shed: 0, errors: 0 },
    latencyMs: { p50: null, p95: null, p99: null },
    threshold: null,
    lastActivity: null,
    lastDecision: null,
    heldBack: null,
    frozen: null,
    schedule: null,
    startFailure: null,
    troubles: [],
    ...changes,
  };
}
