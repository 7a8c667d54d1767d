import type { Costs } from '../../src/model/costs.ts';
import type { DecisionEntry, ServiceWhy } from '../../src/model/decision.ts';
import { PilotlightError } from '../../src/model/errors.ts';
import type { EventSink, PilotEvent } from '../../src/model/events.ts';
import type { MemoryUse } from '../../src/model/host-memory.ts';
import type { SourceStatus } from '../../src/model/sources.ts';
import type {
  ControlApi,
  EndpointByHand,
  EndpointStatus,
  ReplicaOutput,
  ScaleByHand,
  ServiceStatus,
  StartRecord,
} from '../../src/model/status.ts';
import { serviceStatus } from '../support/service-status.ts';

/** A control plane that knows `shop` (which can be started) and `wiki` (which cannot), and remembers what it was asked. */
export class FakeControl implements ControlApi {
  readonly asked: string[] = [];
  readonly sinks = new Set<EventSink>();
  isReady = true;
  awaits: string | undefined;
  /** What `why` tells of each service. */
  decisions: DecisionEntry[] = [];
  /** What `starts` tells of each service. */
  startRecords: StartRecord[] = [];
  /** Thrown by `collect`. */
  failure: unknown;
  /** What `services` tells. */
  known: ServiceStatus[] = [serviceStatus({ name: 'shop' }), serviceStatus({ name: 'wiki' })];
  /** What `memory` tells. */
  memoryUse: MemoryUse | null = null;
  /** Awaited by `services`. */
  pause: Promise<void> = Promise.resolve();

  memory(): MemoryUse | null {
    return this.memoryUse;
  }

  async services(): Promise<ServiceStatus[]> {
    await this.pause;
    return this.known;
  }

  async service(name: string): Promise<ServiceStatus> {
    if (name !== 'shop' && name !== 'wiki') throw new PilotlightError('SERVICE_UNKNOWN', `no service "${name}"`);
    return serviceStatus({ name });
  }

  async endpoints(name: string): Promise<EndpointStatus[]> {
    await this.service(name);
    return [
      {
        address: '127.0.0.1:3000',
        source: 'static',
        alsoListedBy: [],
        replica: null,
        state: 'out-of-use',
        reason: 'ejected',
        weight: 1,
        backup: false,
        byHand: null,
        maxConnections: 0,
        inFlight: 0,
      },
    ];
  }

  async changeEndpoint(name: string, address: string, change: Partial<EndpointByHand>): Promise<EndpointStatus[]> {
    this.asked.push(`change ${name} ${address} ${JSON.stringify(change)}`);
    return this.endpoints(name);
  }

  async output(name: string, lines: number): Promise<ReplicaOutput[]> {
    await this.service(name);
    this.asked.push(`output ${name} ${lines}`);
    return [{ replica: `${name}-1`, state: 'ready', lines: ['listening'] }];
  }

  async why(name: string): Promise<ServiceWhy> {
    await this.service(name);
    return { service: name, decisions: this.decisions, heldBack: null, threshold: null, idle: null, schedule: null };
  }

  async starts(name: string): Promise<StartRecord[]> {
    await this.service(name);
    return this.startRecords;
  }

  async sources(): Promise<SourceStatus[]> {
    return [];
  }

  async costs(since: number): Promise<Costs> {
    const at = new Date(since).toISOString();
    return { since: at, until: at, currency: 'EUR', services: [] };
  }

  async wake(name: string): Promise<ServiceStatus> {
    return this.#act('wake', name);
  }

  async sleep(name: string): Promise<ServiceStatus> {
    return this.#act('sleep', name);
  }

  async scale(name: string, to: number, dryRun: boolean): Promise<ScaleByHand> {
    await this.#act(`scale${dryRun ? ' dry' : ''} ${to}`, name);
    return { service: name, from: 0, to, min: 0, max: 4, limits: [], cooldownMs: 60_000, dryRun };
  }

  async freeze(name: string | null, forMs: number, reason: string | null, dryRun: boolean): Promise<ServiceStatus[]> {
    return [await this.#act(`freeze${dryRun ? ' dry' : ''} ${forMs} ${reason}`, name ?? 'shop')];
  }

  async unfreeze(name: string | null, dryRun: boolean): Promise<ServiceStatus[]> {
    return [await this.#act(`unfreeze${dryRun ? ' dry' : ''}`, name ?? 'shop')];
  }

  ready(): boolean {
    return this.isReady;
  }

  awaited(): string | undefined {
    return this.awaits;
  }

  async collect(): Promise<void> {
    this.asked.push('collect');
    if (this.failure !== undefined) throw this.failure;
  }

  subscribe(sink: EventSink): () => void {
    this.sinks.add(sink);
    return () => this.sinks.delete(sink);
  }

  emit(event: PilotEvent): void {
    for (const sink of this.sinks) sink(event);
  }

  async #act(what: string, name: string): Promise<ServiceStatus> {
    await this.service(name);
    if (name === 'wiki') throw new PilotlightError('SERVICE_NOT_RUNNABLE', 'wiki has no "run"');
    this.asked.push(`${what} ${name}`);
    return serviceStatus({ name });
  }
}
