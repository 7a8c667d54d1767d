import type { DiscoveredEndpoint, EndpointSet, UnusedEndpoint } from '../../model/discovery.ts';
import type { KnownEndpoints } from '../../model/hand-over.ts';
import type { ProbeRequest } from '../../model/link.ts';
import type { HostPort } from '../../model/settings.ts';
import type { EndpointState, EndpointView, ServiceState, StartPhases } from '../../model/snapshot.ts';
import type { EndpointByHand } from '../../model/status.ts';
import type { SpanIdentity } from '../../model/traces.ts';
import type { Timer } from '../../util/clock.ts';
import { type ControlContext, guarded } from '../context.ts';
import type { LinkHub, Told } from '../link/hub.ts';
import { type EndpointsByHand, type KeptEndpoints, ServicesByHand, UNTOUCHED } from './by-hand.ts';
import { addressKey, EndpointVerifier } from './verifier.ts';

/** Changes of a service that can wait are sent together after this long, ms. */
const COALESCE_MS = 50;

/** Shared: most of many services have no replica. */
const NONE: ReadonlySet<string> = new Set();

/** Boundaries of one start, the clock's ms. */
export interface StartBoundaries {
  asked: number;
  permit: number;
  /** The runtime has started it. */
  started: number;
  ready: number;
  /** Absent where it is not traced. */
  span?: SpanIdentity | undefined;
}

/** An endpoint that a replica of ours serves. */
export interface OwnedEndpoint extends HostPort {
  id: string;
  state: EndpointState;
  /** Undefined for an adopted one. */
  start: StartBoundaries | undefined;
}

/** Where a replica of ours lives. */
export interface OwnedAddress extends HostPort {
  /** It is being started: not what an earlier control plane knew at that address. */
  isNew: boolean;
}

/** What the registry asks of a service when it describes it to the edges; times are the clock's ms. */
export interface ServiceFacts {
  owned: OwnedEndpoint[];
  /** Where replicas of it live, those included that do not serve yet or no more. */
  addresses: OwnedAddress[];
  holdTimeoutMs: number;
  starting: boolean;
  expectedStartMs: number | null;
  blockedUntil: number | undefined;
  failures: number;
  inFlightLimit: number | null;
  /** Of the start that began last. */
  startSpan: SpanIdentity | undefined;
}

interface RegisteredService {
  /** Whether Pilotlight can start it: then what others list has to be proved first. */
  wakeable: () => boolean;
  check: () => ProbeRequest['check'];
  facts: () => ServiceFacts;
}

/** An address that sources list for a service. */
interface ListedEndpoint {
  /** Of several sources, as the first one says. */
  endpoint: DiscoveredEndpoint;
  /** Names, the one that decides first. */
  sources: string[];
  /** Why it is not in use; undefined: it is. */
  outOfUse: UnusedEndpoint['reason'] | 'unverified' | 'taken' | 'drained' | undefined;
}

interface Entry extends RegisteredService {
  /** What each source said last. */
  sets: Map<string, DiscoveredEndpoint[]>;
  /** What each source lists and has out of use. */
  unused: Map<string, readonly UnusedEndpoint[]>;
  /** What is usable of them; undefined where that has to be found out anew. */
  usable: DiscoveredEndpoint[] | undefined;
  byHand: EndpointsByHand;
  /** Keys of `addresses` at the last look. */
  owned: ReadonlySet<string>;
  /** When changes of it that had waited were told last, the clock's ms. */
  flushedAt: number;
}

/**
 * The one place that knows every endpoint: merges what the sources say with the replicas of our own, by address, and
 * tells the edges of every change. Sources that fall silent leave what they said last.
 */
export class Registry {
  readonly #context: ControlContext;
  readonly #hub: LinkHub;
  readonly #verifier: EndpointVerifier;
  readonly #sources: readonly string[];
  readonly #isAdmin: (endpoint: HostPort) => boolean;
  readonly #services = new Map<string, Entry>();
  readonly #byHand: ServicesByHand;
  /** Services with a live replica at an address, by its key. */
  readonly #owners = new Map<string, string>();
  readonly #dirty = new Set<string>();
  #flushing: { timer: Timer; at: number } | undefined;

  /**
   * @param sources names of them: of several that list an address the first one decides what else is said of it
   * @param isAdmin whether an endpoint is our own admin API, which no source may list
   * @param byHand keeps what operators set; absent: nothing does
   */
  constructor(
    context: ControlContext,
    hub: LinkHub,
    sources: readonly string[],
    isAdmin: (endpoint: HostPort) => boolean = () => false,
    byHand?: KeptEndpoints,
  ) {
    this.#byHand = new ServicesByHand(byHand?.endpoints, (all) => byHand?.putEndpoints(all));
    this.#context = context;
    this.#hub = hub;
    this.#sources = sources;
    this.#isAdmin = isAdmin;
    this.#verifier = new EndpointVerifier(context, hub, (service) => this.soon(service));
  }

  add(service: string, registered: RegisteredService): void {
    this.#services.set(service, {
      wakeable: registered.wakeable,
      check: registered.check,
      facts: registered.facts,
      sets: new Map(),
      unused: new Map(),
      usable: undefined,
      byHand: this.#byHand.of(service),
      owned: NONE,
      flushedAt: Number.NEGATIVE_INFINITY,
    });
  }

  remove(service: string): void {
    const entry = this.#services.get(service);
    if (entry === undefined) return;
    this.#verifier.follow(service, entry.check(), []);
    const freed = [...entry.owned].filter((key) => this.#owners.get(key) === service);
    for (const key of freed) this.#owners.delete(key);
    this.#services.delete(service);
    this.#byHand.leave(service);
    this.#dirty.delete(service);
    this.#touchListing(freed, service);
  }

  /** Takes over what a source says of a service; of one that is not configured nothing is kept. */
  apply({ service, source, endpoints, unused = [] }: EndpointSet): void {
    const entry = this.#services.get(service);
    if (entry === undefined) return;
    const allowed = endpoints.filter((endpoint) => !this.#isAdmin(endpoint));
    entry.sets.set(source, allowed);
    if (unused.length > 0) entry.unused.set(source, unused);
    else entry.unused.delete(source);
    if (allowed.length < endpoints.length)
      this.#context.logger.warn({ service, source }, `an endpoint of ${service} is the admin API: it is not used`);
    this.soon(service);
  }

  /** What each source said last, but for what it said itself is not to be used, and what operators set. */
  known(): KnownEndpoints {
    const endpoints = [...this.#services].flatMap(([service, { sets }]) =>
      [...sets].map(([source, found]) => ({ service, source, endpoints: found })),
    );
    return { endpoints, byHand: this.#byHand.all };
  }

  /** A source is asked for the service no more. */
  forget(service: string, source: string): void {
    const entry = this.#services.get(service);
    entry?.unused.delete(source);
    if (entry?.sets.delete(source)) this.soon(service);
  }

  /** A connect to an endpoint that is none of our replicas failed. */
  doubt(service: string, endpoint: string): void {
    this.#verifier.doubt(service, endpoint);
  }

  /** Endpoints in use that others run. */
  external(service: string): DiscoveredEndpoint[] {
    const entry = this.#services.get(service);
    if (entry === undefined) return [];
    const usable = this.#usable(service, entry);
    return entry.byHand.content === undefined ? usable : usable.filter((endpoint) => !isDrained(entry, endpoint));
  }

  /** What an operator set of an address; undefined: nothing. */
  byHand(service: string, address: HostPort): EndpointByHand | undefined {
    return this.#services.get(service)?.byHand.of(addressKey(address));
  }

  /** Whether an operator set anything of the address. @param key of it */
  isByHand(service: string, key: string): boolean {
    return this.#services.get(service)?.byHand.of(key) !== undefined;
  }

  /** What an operator set of the address. @param key of it */
  setOf(service: string, key: string): EndpointByHand {
    return this.#services.get(service)?.byHand.of(key) ?? UNTOUCHED;
  }

  /** An operator sets what holds for an address from now on. @param key of the address */
  setByHand(service: string, key: string, change: Partial<EndpointByHand>): void {
    this.#services.get(service)?.byHand.set(key, change);
    this.publish(service);
  }

  /** All that sources list for a service but for where its own replicas live, in use or not. */
  listed(service: string): ListedEndpoint[] {
    const entry = this.#services.get(service);
    if (entry === undefined) return [];
    const found = new Map<string, ListedEndpoint>();
    const list = (endpoint: DiscoveredEndpoint, source: string, reason?: UnusedEndpoint['reason']): void => {
      const key = addressKey(endpoint);
      const known = found.get(key);
      if (known !== undefined) {
        if (!known.sources.includes(source)) known.sources.push(source);
      } else if (this.#owners.get(key) !== service) {
        const outOfUse = reason ?? this.#outOfUse(service, entry, endpoint);
        found.set(key, { endpoint, sources: [source], outOfUse });
      }
    };
    for (const source of this.#sources) for (const endpoint of entry.sets.get(source) ?? []) list(endpoint, source);
    // Whoever lists an address as usable is believed before one that does not.
    for (const source of this.#sources) {
      for (const { host, port, reason } of entry.unused.get(source) ?? [])
        list({ host, port, weight: 1 }, source, reason);
    }
    return [...found.values()];
  }

  #outOfUse(service: string, entry: Entry, endpoint: DiscoveredEndpoint): ListedEndpoint['outOfUse'] {
    if (this.#owners.has(addressKey(endpoint))) return 'taken';
    if (isDrained(entry, endpoint)) return 'drained';
    return entry.wakeable() && !this.#verifier.isVerified(service, endpoint) ? 'unverified' : undefined;
  }

  /**
   * Tells the edges of a change: of a service's first at once, of those that follow within 50 ms together. No service
   * waits for another one: in a fleet there always is one that has just changed.
   */
  soon(service: string): void {
    const entry = this.#services.get(service);
    if (entry === undefined) return;
    entry.usable = undefined;
    this.#dirty.add(service);
    const { clock } = this.#context;
    const now = clock.now();
    const at = Math.max(now, entry.flushedAt + COALESCE_MS);
    if (this.#flushing !== undefined && this.#flushing.at <= at) return;
    this.#flushing?.timer.cancel();
    this.#flushing = { timer: clock.after(at - now, () => this.flush()), at };
  }

  /** Tells the edges now of every change that still waits to be sent. */
  flush(): void {
    this.#flushing?.timer.cancel();
    this.#flushing = undefined;
    const { clock, logger } = this.#context;
    for (const name of [...this.#dirty]) {
      const entry = this.#services.get(name);
      if (entry !== undefined) entry.flushedAt = clock.now();
      guarded(logger, 'publish', () => this.publish(name));
    }
  }

  /** Tells the edges now, if anything changed. @returns the version under which they know the present state */
  publish(service: string): number {
    const entry = this.#services.get(service);
    if (entry === undefined) return 0;
    this.#dirty.delete(service);
    try {
      return this.#hub.publish(this.#describe(service, entry));
    } catch (cause) {
      // What could not be told is not forgotten: it goes out with the next change.
      this.#dirty.add(service);
      throw cause;
    }
  }

  /** The present state of every service. @param told what may be taken for it where nothing has changed since */
  states(told: (service: string) => Told | undefined = () => undefined): Told[] {
    return [...this.#services].map(
      ([service, entry]) => (this.#dirty.has(service) ? undefined : told(service)) ?? this.#describe(service, entry),
    );
  }

  #describe(service: string, entry: Entry): Told {
    const facts = entry.facts();
    this.#updateOwners(service, entry, facts);
    const external = this.#usable(service, entry);
    const { addresses: _, ...told } = facts;
    return {
      state: this.#state(service, entry, facts, external),
      content: JSON.stringify([told, external, entry.byHand.content]),
    };
  }

  close(): void {
    this.#flushing?.timer.cancel();
  }

  #state(service: string, { byHand }: Entry, facts: ServiceFacts, external: DiscoveredEndpoint[]): ServiceState {
    const now = this.#context.clock.now();
    const ours = facts.owned.map(({ id, host, port, state, start }): EndpointView => {
      const weight = byHand.of(addressKey({ host, port }))?.weight ?? 1;
      return { id, host, port, state, weight, ours: true, start: start === undefined ? null : phases(start, now) };
    });
    const others = external.map((endpoint): EndpointView => {
      const id = addressKey(endpoint);
      const { drain = false, weight } = byHand.of(id) ?? {};
      const state = drain ? 'cordoned' : 'ready';
      return { id, ...endpoint, weight: weight ?? endpoint.weight, state, start: null };
    });
    return {
      service,
      endpoints: [...ours, ...others],
      holdTimeoutMs: facts.holdTimeoutMs,
      starting: facts.starting,
      expectedStartMs: facts.expectedStartMs,
      blocked: facts.blockedUntil === undefined ? null : { retryAfterMs: Math.max(0, facts.blockedUntil - now) },
      failures: facts.failures,
      inFlightLimit: facts.inFlightLimit,
      ...(facts.startSpan === undefined ? {} : { startSpan: facts.startSpan }),
    };
  }

  /** Listed by a source, not where a replica of ours lives, and proved if the service is one that we can start. */
  #usable(service: string, entry: Entry): DiscoveredEndpoint[] {
    entry.usable ??= this.#listed(entry).filter(
      (endpoint) => !entry.wakeable() || this.#verifier.isVerified(service, endpoint),
    );
    return entry.usable;
  }

  #listed({ sets }: Entry): DiscoveredEndpoint[] {
    const byKey = new Map<string, DiscoveredEndpoint>();
    for (const source of this.#sources) {
      for (const endpoint of sets.get(source) ?? []) {
        const key = addressKey(endpoint);
        if (!byKey.has(key) && !this.#owners.has(key)) byKey.set(key, endpoint);
      }
    }
    return [...byKey.values()];
  }

  /** Follows where replicas of the service live; other services that list such an address must not use it. */
  #updateOwners(service: string, entry: Entry, { addresses }: ServiceFacts): void {
    const owned = addresses.length === 0 ? NONE : new Set(addresses.map(addressKey));
    const changed = [...owned].filter((key) => !entry.owned.has(key));
    for (const key of entry.owned) {
      if (owned.has(key)) continue;
      if (this.#owners.get(key) === service) this.#owners.delete(key);
      // Another replica at that address is another one.
      entry.byHand.set(key, UNTOUCHED);
      changed.push(key);
    }
    for (const address of addresses) {
      const key = addressKey(address);
      if (address.isNew && !entry.owned.has(key)) entry.byHand.set(key, UNTOUCHED);
    }
    for (const key of owned) this.#owners.set(key, service);
    entry.owned = owned;
    entry.usable = undefined;
    if (changed.length > 0) this.#touchListing(changed, service);
    this.#verifier.follow(service, entry.check(), entry.wakeable() ? this.#listed(entry) : []);
  }

  #touchListing(keys: string[], except: string): void {
    for (const [service, { sets }] of this.#services) {
      const lists = [...sets.values()].some((endpoints) =>
        endpoints.some((endpoint) => keys.includes(addressKey(endpoint))),
      );
      if (lists && service !== except) this.soon(service);
    }
  }
}

function isDrained({ byHand }: Entry, endpoint: HostPort): boolean {
  return byHand.of(addressKey(endpoint))?.drain === true;
}

function phases({ asked, permit, started, ready, span }: StartBoundaries, now: number): StartPhases {
  const ages = { askedAgo: now - asked, permitAgo: now - permit, startedAgo: now - started, readyAgo: now - ready };
  return span === undefined ? ages : { ...ages, span };
}
