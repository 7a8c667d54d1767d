import type { ControlApi, ServiceStatus } from '../../src/model/status.ts';

const STATES = ['asleep', 'ready', 'ready', 'waking', 'failing'] as const;

/** What the table of services asks of a control plane: so many services, each of which is another one at every look. */
export function madeUpControl(count: number): ControlApi {
  let looks = 0;
  const asked: Pick<ControlApi, 'services' | 'subscribe'> = {
    async services() {
      looks++;
      return Array.from({ length: count }, (_, index) => madeUpService(index, looks));
    },
    subscribe: () => () => undefined,
  };
  return asked as ControlApi;
}

function madeUpService(index: number, looks: number): ServiceStatus {
  const seed = (index * 7919 + looks * 104_729) % 1000;
  const state = STATES[(index + Math.floor(looks / 5)) % STATES.length] ?? 'ready';
  const at = new Date(Date.now() - seed * 1000).toISOString();
  const name = `service-${String(index).padStart(4, '0')}`;
  const replicas = Array.from({ length: state === 'ready' ? 1 + (index % 3) : 0 }, (_, ordinal) => ({
    id: `${name}-${ordinal + 1}`,
    address: `127.0.0.1:${10_000 + index}`,
    state: 'ready' as const,
    inFlight: seed % 7,
    p95Ms: seed / 3,
    memoryMiB: 40 + (seed % 30),
    startedAt: at,
  }));
  return {
    name,
    state,
    replicas,
    inFlight: seed % 20,
    held: state === 'waking' ? seed % 9 : 0,
    heldForMs: state === 'waking' ? seed : 0,
    perSecond: { arrivals: seed / 4, good: seed / 4, shed: 0, errors: seed % 3 },
    latencyMs: { p50: seed / 10, p95: seed / 3, p99: seed },
    threshold: { aboveMs: 300, quantile: 0.95, source: 'configured', lowLoadMs: null, missing: null },
    lastActivity: { at, what: 'GET /orders' },
    lastDecision: {
      id: `${index}-${looks >> 3}`,
      at,
      service: name,
      kind: 'latency',
      action: 'scale-up',
      from: 1,
      to: 2,
      reason: `p95 ${seed} ms > 300 ms for 3 ticks`,
      inputs: {},
      verdicts: [],
      dryRun: false,
      outcome: null,
    },
    heldBack: null,
    frozen: null,
    schedule: null,
    startFailure: null,
    troubles: [],
  };
}
