import type { ConsulService } from '../../../src/discovery/consul/settings.ts';
import type {
  Denial,
  DiscoveryQuery,
  DiscoverySource,
  EndpointSet,
  Registrar,
  Registration,
  UnusedEndpoint,
} from '../../../src/model/discovery.ts';
import { PilotlightError } from '../../../src/model/errors.ts';
import type { ServiceSettings } from '../../../src/model/settings.ts';

/** A source that says what a test has it say. */
export class FakeSource implements DiscoverySource {
  readonly name: string;
  readonly title = 'Consul';
  readonly stalenessGauge = 'pilotlight_consul_staleness_seconds';
  queries: DiscoveryQuery[] = [];
  isAnswered = true;
  /** Of every service, ms. */
  age: number | undefined = 1500;
  /** What it may not see of every service. */
  blind: Denial | undefined;
  #emit: (set: EndpointSet) => void = () => {};

  constructor(name = 'consul') {
    this.name = name;
  }

  follow(queries: DiscoveryQuery[]): void {
    this.queries = queries;
  }

  run(emit: (set: EndpointSet) => void): void {
    this.#emit = emit;
  }

  answered(): boolean {
    return this.isAnswered;
  }

  staleness(): number | undefined {
    return this.age;
  }

  denial(): Denial | undefined {
    return this.blind;
  }

  say(service: string, ...ports: number[]): void {
    this.sayAt('127.0.0.1', service, ...ports);
  }

  sayAt(host: string, service: string, ...ports: number[]): void {
    const endpoints = ports.map((port) => ({ host, port, weight: 1 }));
    this.#emit({ service, source: this.name, endpoints });
  }

  /** Says that these ports of the loopback are usable, and that other addresses are not. */
  sayUnused(service: string, ports: number[], ...unused: UnusedEndpoint[]): void {
    const endpoints = ports.map((port) => ({ host: '127.0.0.1', port, weight: 1 }));
    this.#emit({ service, source: this.name, endpoints, unused });
  }
}

/** A catalogue in memory. */
export class FakeRegistrar implements Registrar {
  readonly title = 'Consul';
  readonly lists: Registrar['lists'];
  readonly advertise: string | undefined;
  readonly entries = new Map<string, Registration>();
  readonly calls: string[] = [];
  unreachable = false;

  constructor(lists: Registrar['lists'], advertise: string | undefined) {
    this.lists = lists;
    this.advertise = advertise;
  }

  listingOf({ name, endpoints }: ServiceSettings): { name: string; tags: string[] } {
    const { service = name, tags = [] } = (endpoints['consul'] ?? {}) as Partial<ConsulService>;
    return { name: service, tags: [...tags] };
  }

  async register(entry: Registration): Promise<void> {
    this.#call(`register ${entry.id}`);
    this.entries.set(entry.id, entry);
  }

  async deregister(id: string): Promise<void> {
    this.#call(`deregister ${id}`);
    this.entries.delete(id);
  }

  async registered(): Promise<string[]> {
    this.#call('list');
    return [...this.entries.keys()];
  }

  #call(call: string): void {
    this.calls.push(call);
    if (this.unreachable) throw new PilotlightError('DISCOVERY_UNREACHABLE', 'Consul does not answer');
  }
}
