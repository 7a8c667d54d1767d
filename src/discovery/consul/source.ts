import type { CatalogFeed } from '../../model/catalog.ts';
import type { Denial, DiscoveryQuery, DiscoverySource, EndpointSet, UnusedEndpoint } from '../../model/discovery.ts';
import { type PilotlightError, toPilotlightError } from '../../model/errors.ts';
import type { Logger } from '../../model/observe.ts';
import type { SourceContact } from '../../model/sources.ts';
import { atMost } from '../../util/at-most.ts';
import type { Clock, Timer } from '../../util/clock.ts';
import { ConsulCatalog } from './catalog.ts';
import { createCatalogFeed } from './catalog-feed.ts';
import { type AskConsul, ConsulClient } from './client.ts';
import { consulConnection, type TokenOf } from './connection.ts';
import { ConsulContact } from './contact.ts';
import { FETCHES } from './fleet.ts';
import { ConsulFleets } from './fleets.ts';
import type { ConsulFollower, FollowerOptions } from './follower.ts';
import { ConsulKnowledge } from './knowledge.ts';
import { LONG_WAIT_MS } from './loop.ts';
import { ConsulPick } from './pick.ts';
import { type ConsulChoice, type ConsulService, type ConsulSettings, withDefaults } from './settings.ts';
import { type ConsulScope, keyOf, scopeKeyOf, targetsOf } from './target.ts';
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
  /**
   * All that Consul lists where services are looked for unless they say otherwise (of several datacenters the first),
   * for others than routed services; asked for only while somebody follows it.
   */
  readonly catalog: CatalogFeed;
}

/**
 * Follows services in Consul by blocking queries of its own: one for each service up to 100, beyond that one over
 * the state of all checks and one over the catalogue, for each datacenter that is named. The last good set stays until a better one is known. Sets
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
/** How often what hangs on time is looked at, ms. */
const LOOK_EVERY_MS = 1000;

/** How long a question waits for a change where there are several agents, or datacenters, ms. */
const LONG_WAIT_AMONG_MS = 30_000;
/** Most questions that are asked one by one. */
const WATCHES = 100;

class ConsulSource implements DiscoverySource, WithCatalog {
  readonly name = 'consul';
  readonly catalog: CatalogFeed;
  readonly title = 'Consul';
  readonly stalenessGauge = 'pilotlight_consul_staleness_seconds';
  readonly #defaults: ConsulChoice;
  readonly #logger: Logger;
  readonly #client: ConsulClient;
  readonly #followerOptions: FollowerOptions;
  readonly #catalogs = new Map<string, ConsulCatalog>();
  /** Of what is answered at once, few things at a time. */
  readonly #askOnce: AskConsul;
  /** By the names of the services. */
  #picks: ReadonlyMap<string, ConsulPick> = new Map();
  /** By what is asked for them. */
  #picksOf = new Map<string, ConsulPick[]>();
  readonly #knowledge = new Map<string, ConsulKnowledge>();
  #follower: ConsulFollower | undefined;
  #emit: ((set: EndpointSet) => void) | undefined;
  /** What was pushed last, by service, and what was asked for it. */
  readonly #pushed = new Map<string, { content: string; isEmpty: boolean; of: string | undefined }>();
  #outdated: Timer | undefined;
  #look: Timer | undefined;

  constructor({ settings, token, clock, logger, random = Math.random }: ConsulSourceOptions) {
    const connection = consulConnection(settings, token);
    this.#defaults = settings;
    this.#logger = logger;
    this.#client = new ConsulClient(connection, clock, logger);
    this.#followerOptions = {
      ask: this.#client.ask,
      clock,
      random,
      contact: new ConsulContact(connection.origins, logger),
      // One of several that falls silent is found out by the next question.
      longWaitMs: ({ datacenter }) =>
        connection.count > 1 || datacenter !== undefined ? LONG_WAIT_AMONG_MS : LONG_WAIT_MS,
      knowledge: (key) => this.#knowledge.get(key),
      onNews: (key) => this.#pushAll(this.#picksOf.get(key) ?? []),
    };
    const inTurn = atMost(FETCHES);
    this.#askOnce = (query, signal) => inTurn(() => this.#client.ask(query, signal));
    const { datacenters, namespace, partition } = settings;
    const scope = { datacenter: datacenters?.[0], namespace, partition };
    this.catalog = createCatalogFeed(scope, this.#catalogOf(scope), this.#askOnce, this.#client.accessIn(scope));
  }

  follow(queries: ConsulQuery[]): void {
    const now = this.#followerOptions.clock.now();
    const known = {
      knowledge: (key: string) => this.#knowledge.get(key),
      staleness: (key: string) => this.#follower?.staleness(key),
    };
    const picks = queries.map(({ service, sought }) => {
      const pick = new ConsulPick({ service, sought: withDefaults(sought, this.#defaults) }, known, now);
      const before = this.#picks.get(service);
      if (before !== undefined) pick.goOn(before);
      return [service, pick] as const;
    });
    this.#picks = new Map(picks);
    this.#picksOf = new Map();
    for (const [, pick] of picks) {
      for (const key of pick.keys) {
        const others = this.#picksOf.get(key);
        if (others === undefined) this.#picksOf.set(key, [pick]);
        else others.push(pick);
      }
    }
    if (this.#emit !== undefined) this.#apply();
  }

  run(emit: (set: EndpointSet) => void, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#emit = emit;
    signal.addEventListener('abort', () => this.#stop(), { once: true });
    this.#apply();
  }

  answered(): boolean {
    return [...this.#picks.values()].every((pick) => pick.isKnown);
  }

  staleness(service: string): number | undefined {
    const pick = this.#picks.get(service);
    return pick?.isKnown ? this.#follower?.staleness(pick.key) : undefined;
  }

  trouble(): PilotlightError | undefined {
    return this.#followerOptions.contact.trouble;
  }

  contact(): SourceContact {
    return this.#client.contact;
  }

  denial(service: string): Denial | undefined {
    const pick = this.#picks.get(service);
    return pick && this.#knowledge.get(pick.key)?.denial;
  }

  /** The catalogue of a part of Consul, always the same one. */
  #catalogOf(scope: ConsulScope): ConsulCatalog {
    const key = scopeKeyOf(scope);
    const catalog = this.#catalogs.get(key) ?? new ConsulCatalog({ ...this.#followerOptions, scope });
    this.#catalogs.set(key, catalog);
    return catalog;
  }

  #apply(): void {
    const { clock } = this.#followerOptions;
    const sought = [...this.#picks.values()].flatMap(({ query }) => targetsOf(query.sought));
    const targets = new Map(sought.map((target) => [keyOf(target), target]));
    for (const key of this.#knowledge.keys()) if (!targets.has(key)) this.#knowledge.delete(key);
    for (const [key, target] of targets) {
      if (this.#knowledge.has(key)) continue;
      this.#knowledge.set(key, new ConsulKnowledge(target, clock, this.#logger, this.#client.accessIn(target)));
    }
    this.#retract();
    this.#pushAll(this.#picks.values());

    const isFleet = targets.size > WATCHES;
    if (this.#follower === undefined || this.#follower instanceof ConsulFleets !== isFleet) {
      this.#follower?.stop();
      const options = this.#followerOptions;
      this.#follower = isFleet
        ? new ConsulFleets({ ...options, catalogOf: (scope) => this.#catalogOf(scope), askOnce: this.#askOnce })
        : new ConsulWatches(options);
    }
    this.#follower.follow(targets);
    this.#dropOutdated();
    this.#lookAgain();
  }

  /** Which datacenter serves hangs on how long others could. */
  #lookAgain(): void {
    this.#look?.cancel();
    this.#look = undefined;
    const timed = [...this.#picks.values()].filter(({ isTimed }) => isTimed);
    if (timed.length === 0 || this.#emit === undefined) return;
    this.#look = this.#followerOptions.clock.after(LOOK_EVERY_MS, () => {
      this.#pushAll(timed);
      this.#lookAgain();
    });
  }

  /**
   * What a service had of another Consul service than it names now stays until the new one is known, so that nothing is
   * refused meanwhile; but not for as long as Consul is away: requests would go to what nobody names any more.
   */
  #dropOutdated(): void {
    const outdated = () =>
      [...this.#picks.values()].filter(({ query, of }) => {
        const pushed = this.#pushed.get(query.service);
        return pushed !== undefined && pushed.of !== of && !pushed.isEmpty;
      });
    if (outdated().length === 0) return;
    this.#outdated ??= this.#followerOptions.clock.after(OUTDATED_MS, () => {
      this.#outdated = undefined;
      for (const { query, of } of outdated()) this.#push(query.service, NOTHING, of);
    });
  }

  #stop(): void {
    this.#emit = undefined;
    this.#outdated?.cancel();
    this.#look?.cancel();
    this.#follower?.stop();
    this.#client.close();
  }

  #retract(): void {
    for (const service of this.#pushed.keys()) {
      if (this.#picks.has(service)) continue;
      this.#push(service, NOTHING, undefined);
      this.#pushed.delete(service);
    }
  }

  #pushAll(picks: Iterable<ConsulPick>): void {
    for (const pick of picks) {
      const found = pick.look(this.#followerOptions.clock.now());
      if (found !== undefined) this.#push(pick.query.service, found, pick.of);
    }
  }

  #push(service: string, { endpoints, unused }: Found, of: string | undefined): void {
    const content = JSON.stringify([endpoints, unused]);
    const before = this.#pushed.get(service);
    this.#pushed.set(service, { content, isEmpty: endpoints.length === 0, of });
    if (before?.content === content) return;
    try {
      this.#emit?.({ service, source: this.name, endpoints, ...(unused.length > 0 && { unused }) });
    } catch (thrown) {
      // Whoever takes the set must not be able to end the watch.
      const { code, message } = toPilotlightError(thrown);
      this.#logger.error({ code, service }, `the endpoints of ${service} were not taken: ${message}`);
    }
  }
}

type Found = Pick<EndpointSet, 'endpoints'> & { unused: readonly UnusedEndpoint[] };

const NOTHING: Found = { endpoints: [], unused: [] };
