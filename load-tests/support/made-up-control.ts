import type { Costs } from '../../src/model/costs.ts';
import type { ServiceWhy } from '../../src/model/decision.ts';
import type { ControlApi, EndpointStatus, ReplicaOutput, ServiceStatus, StartRecord } from '../../src/model/status.ts';

const STATES = ['asleep', 'ready', 'ready', 'waking', 'failing'] as const;

/** A control plane of so many services, each of which is another one at every look. */
export class MadeUpControl implements ControlApi {
  readonly #count: number;
  #looks = 0;

  constructor(count: number) {
    this.#count = count;
  }

  async services(): Promise<ServiceStatus[]> {
    this.#looks++;
    return Array.from({ length: this.#count }, (_, index) => this.#service(index));
  }

  async service(name: string): Promise<ServiceStatus> {
    return this.#service(Number(name.replace(/\D/g, '')));
  }

  async endpoints(): Promise<EndpointStatus[]> {
    return [];
  }

  async output(): Promise<ReplicaOutput[]> {
    return [];
  }

  async starts(): Promise<StartRecord[]> {
    return [];
  }

  async why(service: string): Promise<ServiceWhy> {
    return { service, decisions: [], heldBack: null, threshold: null, idle: null, schedule: null };
  }

  async costs(): Promise<Costs> {
    const at = new Date().toISOString();
    return { since: at, until: at, currency: 'EUR', services: [] };
  }

  wake = (name: string) => this.service(name);
  sleep = (name: string) => this.service(name);
  freeze = async () => [];
  unfreeze = async () => [];

  async scale(service: string, to: number, dryRun: boolean) {
    return { service, from: 0, to, min: 0, max: 4, limits: [], cooldownMs: 0, dryRun };
  }

  ready(): boolean {
    return true;
  }

  async collect(): Promise<void> {}

  subscribe(): () => void {
    return () => undefined;
  }

  #service(index: number): ServiceStatus {
    const seed = (index * 7919 + this.#looks * 104_729) % 1000;
    const state = STATES[(index + Math.floor(this.#looks / 5)) % STATES.length] ?? 'ready';
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
        id: `${index}-${this.#looks >> 3}`,
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
}
