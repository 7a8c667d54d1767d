import type { DiscoveredEndpoint, DiscoveryQuery, UnusedEndpoint } from '../../model/discovery.ts';
import { hostPort } from '../../util/host-port.ts';
import { chooseDatacenter, type Serving } from './datacenters.ts';
import type { ConsulKnowledge } from './knowledge.ts';
import type { ConsulService } from './settings.ts';
import { keyOf, targetsOf } from './target.ts';

/** What is asked of Consul, as far as a service needs it. */
interface Known {
  knowledge(key: string): ConsulKnowledge | undefined;
  /** ms since Consul told of it; undefined: it never did. */
  staleness(key: string): number | undefined;
}

/** Out of touch for longer, another datacenter stands by, ms. */
const LOST_MS = 2000;

/** What one service has in Consul: the instances of the datacenter that serves. */
export class ConsulPick {
  readonly query: DiscoveryQuery<ConsulService>;
  /** What is asked for it: one key for each of its datacenters, in their order. */
  readonly keys: readonly string[];
  /** The same for the same question, to tell what another configuration found. */
  readonly of: string;
  readonly #known: Known;
  #serving: Serving;

  constructor(query: DiscoveryQuery<ConsulService>, known: Known, now: number) {
    this.query = query;
    this.keys = targetsOf(query.sought).map(keyOf);
    this.of = this.keys.join(' ');
    this.#known = known;
    this.#serving = { state: 'waiting', since: now };
  }

  /** Of the datacenter that serves, or is waited for. */
  get key(): string {
    return this.keys[this.#serving.state === 'serving' ? this.#serving.at : 0] as string;
  }

  /** Whether it hangs on time, too, and not on answers alone. */
  get isTimed(): boolean {
    return this.keys.length > 1;
  }

  /** Whether it is known where the service is. */
  get isKnown(): boolean {
    return this.#known.knowledge(this.key)?.known === true;
  }

  /** Takes on what followed the same questions before. */
  goOn(before: ConsulPick): void {
    if (before.of === this.of) this.#serving = before.#serving;
  }

  /** Where the service may be reached, and where it may not; undefined while that is not known. */
  look(now: number): { endpoints: DiscoveredEndpoint[]; unused: UnusedEndpoint[] } | undefined {
    const chosen = this.keys.map((key) => {
      const knowledge = this.#known.knowledge(key);
      return knowledge?.known ? knowledge.choose(this.query.sought) : undefined;
    });
    const views = chosen.map((each) => ({ isKnown: each !== undefined, isUsable: (each?.endpoints.length ?? 0) > 0 }));
    this.#serving = chooseDatacenter(this.#serving, views, now);
    if (this.#serving.state === 'waiting') return undefined;
    const { at } = this.#serving;
    const serving = chosen[at];
    if (serving === undefined || !this.isTimed || (this.#known.staleness(this.key) ?? 0) <= LOST_MS) return serving;
    // What serves may be gone with its datacenter, and nobody could say so: the next one stands by.
    const next = chosen.find((each, place) => place !== at && (each?.endpoints.length ?? 0) > 0)?.endpoints ?? [];
    const there = new Set(serving.endpoints.map(hostPort));
    const standby = next.filter((endpoint) => !there.has(hostPort(endpoint)));
    return { ...serving, endpoints: [...serving.endpoints, ...standby.map((each) => ({ ...each, backup: true }))] };
  }
}
