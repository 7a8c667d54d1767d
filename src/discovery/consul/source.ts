import type { CatalogFeed } from '../../model/catalog.ts';
import type {
  Denial,
  DiscoveredEndpoint,
  DiscoveryQuery,
  DiscoverySource,
  EndpointSet,
} from '../../model/discovery.ts';
import { type PilotlightError, toPilotlightError } from '../../model/errors.ts';
import type { Logger } from '../../model/observe.ts';
import { atMost } from '../../util/at-most.ts';
import type { Clock, Timer } from '../../util/clock.ts';
import { ConsulCatalog } from './catalog.ts';
import { createCatalogFeed } from './catalog-feed.ts';
import { type AskConsul, ConsulClient } from './client.ts';
import { consulConnection, type TokenOf } from './connection.ts';
import { ConsulContact } from './contact.ts';
import { ConsulFleet, FETCHES } from './fleet.ts';
import type { ConsulFollower, FollowerOptions } from './follower.ts';
import { ConsulKnowledge } from './knowledge.ts';
import type { ConsulService, ConsulSettings } from './settings.ts';
import { ConsulWatches } from './watches.ts';

interface ConsulSourceOptions {
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

interface WithCatalog {
  /** All that Consul lists, for others than routed services; asked for only while somebody follows it. */
  readonly catalog: CatalogFeed;
}

/**
 * Follows services in Consul by blocking queries of its own: one for each service up to 100 services, beyond that one
 * over the state of all checks and one over the catalog. The last good set stays until a better one is known. Sets
 * are pushed only when they differ from the set pushed before; what is known already is pushed within `follow`, as is
 * an empty set for a service that had endpoints and is followed no more.
 * @throws DISCOVERY_FAILED when the address is no URL
 */
export function createConsulSource(options: ConsulSourceOptions): DiscoverySource & WithCatalog {
  return new ConsulSource(options);
}

type ConsulQuery = DiscoveryQuery<ConsulService>;

/** How long endpoints of a Consul service that is named no more may stay in use, ms. */
const OUTDATED_MS = 5000;
const NOTHING = '[]';

/** Most services that are watched one by one. */
const WATCHES = 100;

class ConsulSource implements DiscoverySource, WithCatalog {
  readonly name = 'consul';
  readonly catalog: CatalogFeed;
  readonly title = 'Consul';
  readonly stalenessGauge = 'pilotlight_consul_staleness_seconds';
  readonly #logger: Logger;
  readonly #client: ConsulClient;
  readonly #followerOptions: FollowerOptions;
  readonly #catalog: ConsulCatalog;
  /** Of what is answered at once, few things at a time. */
  readonly #askOnce: AskConsul;
  #queries: ConsulQuery[] = [];
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
      onNews: (service) => this.#pushAll(({ sought }) => sought.service === service),
    };
    const inTurn = atMost(FETCHES);
    this.#askOnce = (query, signal) => inTurn(() => this.#client.ask(query, signal));
    this.#catalog = new ConsulCatalog(this.#followerOptions);
    this.catalog = createCatalogFeed(this.#catalog, this.#askOnce);
  }

  follow(queries: ConsulQuery[]): void {
    this.#queries = queries;
    if (this.#emit !== undefined) this.#apply();
  }

  run(emit: (set: EndpointSet) => void, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#emit = emit;
    signal.addEventListener('abort', () => this.#stop(), { once: true });
    this.#apply();
  }

  answered(): boolean {
    return this.#queries.every(({ sought }) => this.#knowledge.get(sought.service)?.known);
  }

  staleness(service: string): number | undefined {
    const sought = this.#soughtFor(service);
    if (sought === undefined || !this.#knowledge.get(sought.service)?.known) return undefined;
    return this.#follower?.staleness(sought.service);
  }

  trouble(): PilotlightError | undefined {
    return this.#followerOptions.contact.trouble;
  }

  denial(service: string): Denial | undefined {
    const sought = this.#soughtFor(service);
    return sought && this.#knowledge.get(sought.service)?.denial;
  }

  #soughtFor(service: string): ConsulService | undefined {
    return this.#queries.find((query) => query.service === service)?.sought;
  }

  #apply(): void {
    const { clock } = this.#followerOptions;
    const services = new Set(this.#queries.map(({ sought }) => sought.service));
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
      this.#follower = new Follower({
        ...this.#followerOptions,
        catalog: this.#catalog,
        askOnce: this.#askOnce,
      });
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
      this.#queries.filter(({ service, sought }) => {
        const pushed = this.#pushed.get(service);
        return pushed !== undefined && pushed.of !== sought.service && pushed.content !== NOTHING;
      });
    if (outdated().length === 0) return;
    this.#outdated ??= this.#followerOptions.clock.after(OUTDATED_MS, () => {
      this.#outdated = undefined;
      for (const { service, sought } of outdated()) this.#push(service, [], sought);
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
      this.#push(service, [], undefined);
      this.#pushed.delete(service);
    }
  }

  #pushAll(which: (query: ConsulQuery) => boolean): void {
    for (const { service, sought } of this.#queries.filter(which)) {
      const knowledge = this.#knowledge.get(sought.service);
      if (knowledge?.known) this.#push(service, knowledge.endpoints(sought.tag), sought);
    }
  }

  #push(service: string, endpoints: DiscoveredEndpoint[], of: ConsulService | undefined): void {
    const content = JSON.stringify(endpoints);
    const before = this.#pushed.get(service);
    this.#pushed.set(service, { content, of: of?.service });
    if (before?.content === content) return;
    try {
      this.#emit?.({ service, source: this.name, endpoints });
    } catch (thrown) {
      // Whoever takes the set must not be able to end the watch.
      const { code, message } = toPilotlightError(thrown);
      this.#logger.error({ code, service }, `the endpoints of ${service} were not taken: ${message}`);
    }
  }
}
