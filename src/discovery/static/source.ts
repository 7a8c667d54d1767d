import type { DiscoveredEndpoint, DiscoveryQuery, DiscoverySource, EndpointSet } from '../../model/discovery.ts';
import type { Logger } from '../../model/observe.ts';
import type { Clock } from '../../util/clock.ts';
import { HostNames, isLookedUp, type Lookup } from './names.ts';
import type { StaticEndpoint, StaticEndpoints } from './settings.ts';

type StaticQuery = DiscoveryQuery<StaticEndpoints>;

interface StaticSourceOptions {
  clock: Clock;
  logger: Logger;
  /** Default: the system's, as every program on this machine sees it. */
  lookup?: Lookup;
  /** In [0, 1), for jitter. */
  random?: () => number;
}

/**
 * The addresses written in the configuration. Every `follow` pushes, within the call, the set of every service that it
 * names (also an empty one), and an empty set for a service that had addresses and is followed no more. Where a service
 * has host names, its set is pushed as soon as each of them was looked up once, and again when their addresses change.
 */
export function createStaticSource(options: StaticSourceOptions): DiscoverySource {
  return new StaticSource(options);
}

class StaticSource implements DiscoverySource {
  readonly name = 'static';
  readonly title = 'the names of static endpoints';
  readonly #names: HostNames;
  #queries: StaticQuery[] = [];
  #emit: ((set: EndpointSet) => void) | undefined;

  constructor({ clock, logger, lookup, random }: StaticSourceOptions) {
    const onNews = (host: string) => this.#emitAll((query) => namesOf(query).includes(host));
    this.#names = new HostNames({ clock, logger, lookup, random, onNews });
  }

  follow(queries: StaticQuery[]): void {
    const names = new Set(queries.map((query) => query.service));
    const dropped = this.#queries.filter((query) => !names.has(query.service) && query.sought.addresses.length > 0);
    this.#queries = queries;
    for (const { service } of dropped) this.#emit?.({ service, source: this.name, endpoints: [] });
    if (this.#emit !== undefined) this.#names.follow(intervals(queries));
    this.#emitAll(() => true);
  }

  run(emit: (set: EndpointSet) => void, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#emit = emit;
    signal.addEventListener('abort', () => this.#stop(), { once: true });
    this.#names.follow(intervals(this.#queries));
    this.#emitAll(() => true);
  }

  answered(): boolean {
    return this.#queries.every((query) => this.#isKnown(query));
  }

  staleness(service: string): number | undefined {
    const query = this.#queries.find((each) => each.service === service);
    if (query === undefined) return undefined;
    const ages = namesOf(query).map((host) => this.#names.staleness(host));
    return ages.includes(undefined) ? undefined : Math.max(0, ...(ages as number[]));
  }

  #stop(): void {
    this.#emit = undefined;
    this.#names.close();
  }

  #isKnown(query: StaticQuery): boolean {
    return namesOf(query).every((host) => this.#names.addresses(host) !== undefined);
  }

  #emitAll(which: (query: StaticQuery) => boolean): void {
    for (const query of this.#queries.filter(which)) {
      if (!this.#isKnown(query)) continue;
      const endpoints = query.sought.addresses.flatMap((entry) => this.#endpointsOf(entry));
      this.#emit?.({ service: query.service, source: this.name, endpoints });
    }
  }

  #endpointsOf({ host, ...rest }: StaticEndpoint): DiscoveredEndpoint[] {
    if (!isLookedUp(host)) return [{ ...rest, host }];
    const addresses = this.#names.addresses(host) ?? [];
    return addresses.map((address) => ({ ...rest, host: address, serverName: host }));
  }
}

function namesOf(query: StaticQuery): string[] {
  return query.sought.addresses.map(({ host }) => host).filter(isLookedUp);
}

/** Every name with how often it is looked up: as often as whoever wants it most often says. */
function intervals(queries: readonly StaticQuery[]): Map<string, number> {
  const all = new Map<string, number>();
  for (const query of queries) {
    for (const host of namesOf(query)) {
      const { resolveMs } = query.sought;
      all.set(host, Math.min(all.get(host) ?? resolveMs, resolveMs));
    }
  }
  return all;
}
