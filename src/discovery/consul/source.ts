import type { Denial, DiscoveryQuery, DiscoverySource, EndpointSet } from '../../model/discovery.ts';
import { type PilotlightError, toPilotlightError } from '../../model/errors.ts';
import type { Logger } from '../../model/observe.ts';
import type { ConsulSettings } from '../../model/settings.ts';
import type { Clock, Timer } from '../../util/clock.ts';
import { ConsulClient } from './client.ts';
import { consulConnection, type TokenOf } from './connection.ts';
import { ConsulContact } from './contact.ts';
import { ConsulFleet } from './fleet.ts';
import type { ConsulFollower, FollowerOptions } from './follower.ts';
import { ConsulKnowledge } from './knowledge.ts';
import { ConsulWatches } from './watches.ts';

export interface ConsulSourceOptions {
  settings: ConsulSettings;
  /** The token, asked for each request; the one of the settings unless told. */
  token?: TokenOf;
  clock: Clock;
  logger: Logger;
  /** This Pilotlight's identity. */
  instance: string;
  /** In [0, 1), for jitter. */
  random?: () => number;
}

/**
 * Follows services in Consul by blocking queries of its own: one for each service up to 100 services, beyond that one
 * over the state of all checks and one over the catalog. The last good set stays until a better one is known. Sets
 * are pushed only when they differ from the set pushed before; what is known already is pushed within `follow`, as is
 * an empty set for a service that had endpoints and is followed no more.
 * @throws DISCOVERY_FAILED when the address is no URL
 */
export function createConsulSource(options: ConsulSourceOptions): DiscoverySource {
  return new ConsulSource(options);
}

/** How long endpoints of a Consul service that is named no more may stay in use, ms. */
const OUTDATED_MS = 5000;
const NOTHING = '[]';

/** Most services that are watched one by one. */
const WATCHES = 100;

class ConsulSource implements DiscoverySource {
  readonly kind = 'consul';
  readonly #logger: Logger;
  readonly #client: ConsulClient;
  readonly #followerOptions: FollowerOptions;
  #queries: DiscoveryQuery[] = [];
  readonly #knowledge = new Map<string, ConsulKnowledge>();
  #follower: ConsulFollower | undefined;
  #emit: ((set: EndpointSet) => void) | undefined;
  /** What was pushed last, by service, and which Consul service it is of. */
  readonly #pushed = new Map<string, { content: string; of: string | undefined }>();
  #outdated: Timer | undefined;

  constructor({ settings, token, clock, logger, random = Math.random }: ConsulSourceOptions) {
    const connection = consulConnection(settings, token);
    this.#logger = logger;
    this.#client = new ConsulClient(connection, clock);
    this.#followerOptions = {
      ask: this.#client.ask,
      clock,
      random,
      contact: new ConsulContact(connection.origin, logger),
      knowledge: (service) => this.#knowledge.get(service),
      onNews: (service) => this.#pushAll((query) => query.consul?.service === service),
    };
  }

  follow(queries: DiscoveryQuery[]): void {
    this.#queries = queries.filter((query) => query.consul !== undefined);
    if (this.#emit !== undefined) this.#apply();
  }

  run(emit: (set: EndpointSet) => void, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#emit = emit;
    signal.addEventListener('abort', () => this.#stop(), { once: true });
    this.#apply();
  }

  answered(): boolean {
    return this.#queries.every(({ consul }) => consul && this.#knowledge.get(consul.service)?.known);
  }

  staleness(service: string): number | undefined {
    const consul = this.#queries.find((query) => query.service === service)?.consul;
    if (consul === undefined || !this.#knowledge.get(consul.service)?.known) return undefined;
    return this.#follower?.staleness(consul.service);
  }

  trouble(): PilotlightError | undefined {
    return this.#followerOptions.contact.trouble;
  }

  denial(service: string): Denial | undefined {
    const consul = this.#queries.find((query) => query.service === service)?.consul;
    return consul && this.#knowledge.get(consul.service)?.denial;
  }

  #apply(): void {
    const { clock } = this.#followerOptions;
    const services = new Set(this.#queries.map(({ consul }) => consul?.service as string));
    for (const service of this.#knowledge.keys()) if (!services.has(service)) this.#knowledge.delete(service);
    for (const service of services) {
      if (!this.#knowledge.has(service)) {
        this.#knowledge.set(service, new ConsulKnowledge(service, clock, this.#logger, this.#client.askAccess));
      }
    }
    this.#retract();
    this.#pushAll(() => true);

    const Follower = services.size > WATCHES ? ConsulFleet : ConsulWatches;
    if (!(this.#follower instanceof Follower)) {
      this.#follower?.stop();
      this.#follower = new Follower(this.#followerOptions);
    }
    this.#follower.follow(services);
    this.#dropOutdated();
  }

  /**
   * What a service had of another Consul service than it names now stays until the new one is known, so that nothing is
   * refused meanwhile; but not for as long as Consul is away: requests would go to what nobody names any more.
   */
  #dropOutdated(): void {
    const outdated = () =>
      this.#queries.filter(({ service, consul }) => {
        const pushed = this.#pushed.get(service);
        return pushed !== undefined && pushed.of !== consul?.service && pushed.content !== NOTHING;
      });
    if (outdated().length === 0) return;
    this.#outdated ??= this.#followerOptions.clock.after(OUTDATED_MS, () => {
      this.#outdated = undefined;
      for (const { service, consul } of outdated()) this.#push({ service, source: 'consul', endpoints: [] }, consul);
    });
  }

  #stop(): void {
    this.#emit = undefined;
    this.#outdated?.cancel();
    this.#follower?.stop();
    this.#client.close();
  }

  #retract(): void {
    const followed = new Set(this.#queries.map((query) => query.service));
    for (const service of this.#pushed.keys()) {
      if (followed.has(service)) continue;
      this.#push({ service, source: 'consul', endpoints: [] }, undefined);
      this.#pushed.delete(service);
    }
  }

  #pushAll(which: (query: DiscoveryQuery) => boolean): void {
    for (const { service, consul } of this.#queries.filter(which)) {
      const knowledge = consul && this.#knowledge.get(consul.service);
      if (!knowledge?.known) continue;
      this.#push({ service, source: 'consul', endpoints: knowledge.endpoints(consul?.tag) }, consul);
    }
  }

  #push(set: EndpointSet, consul: DiscoveryQuery['consul']): void {
    const content = JSON.stringify(set.endpoints);
    const before = this.#pushed.get(set.service);
    this.#pushed.set(set.service, { content, of: consul?.service });
    if (before?.content === content) return;
    try {
      this.#emit?.(set);
    } catch (thrown) {
      // Whoever takes the set must not be able to end the watch.
      const { code, message } = toPilotlightError(thrown);
      this.#logger.error({ code, service: set.service }, `the endpoints of ${set.service} were not taken: ${message}`);
    }
  }
}
