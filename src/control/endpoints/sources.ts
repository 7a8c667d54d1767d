import type { DiscoveryQuery, DiscoverySource, EndpointSet } from '../../model/discovery.ts';
import type { ServiceSettings } from '../../model/settings.ts';
import type { SourceStatus } from '../../model/sources.ts';
import type { Trouble } from '../../model/status.ts';
import { printable } from '../../util/printable.ts';
import { type ControlContext, guarded } from '../context.ts';
import type { Registry } from './registry.ts';
import { BLIP_MS, sourceStatus } from './source-status.ts';

/** How long the sources' first answers are waited for before the proxy counts as ready, ms. */
const FIRST_ANSWER_MS = 5000;

const MESSAGE_LENGTH = 400;

/** All sources of endpoints: tells each what to look for, and the registry what they find. */
export class Sources {
  readonly #context: ControlContext;
  readonly #sources: readonly DiscoverySource[];
  readonly #registry: Registry;
  /** Names that sources follow, to forget what they said of others. */
  readonly #followed = new Map<DiscoverySource, Set<string>>();
  /** Services of which another process had heard from the source; it may have said more since. */
  readonly #inherited = new Map<DiscoverySource, Set<string>>();
  #begunAt = 0;

  constructor(context: ControlContext, sources: readonly DiscoverySource[], registry: Registry) {
    this.#context = context;
    this.#sources = sources;
    this.#registry = registry;
  }

  /**
   * Begins to take what they find, until the control plane ends.
   * @param known what they said to another process, which holds until they answer this one
   */
  begin(known: readonly EndpointSet[] = []): void {
    const { clock, logger, life } = this.#context;
    this.#begunAt = clock.now();
    for (const [source, names] of this.#followed) {
      const sets = known.filter((set) => set.source === source.name && names.has(set.service));
      this.#inherited.set(source, new Set(sets.map(({ service }) => service)));
      for (const set of sets) this.#registry.apply(set);
    }
    for (const source of this.#sources) {
      source.run((set) => guarded(logger, `discovery of ${set.service}`, () => this.#registry.apply(set)), life);
    }
  }

  /** Has each look for the services that name it from now on, and forgets what it said of others. */
  follow(services: readonly ServiceSettings[]): void {
    for (const source of this.#sources) {
      const queries: DiscoveryQuery[] = services.flatMap(({ name, endpoints }) => {
        const sought = endpoints[source.name];
        return sought === undefined ? [] : { service: name, sought };
      });
      const names = new Set(queries.map(({ service }) => service));
      const dropped = [...(this.#followed.get(source) ?? [])].filter((name) => !names.has(name));
      this.#followed.set(source, names);
      source.follow(queries);
      for (const name of dropped) {
        this.#registry.forget(name, source.name);
        // Nothing sets it any more, and the last value would stand there as if it were true.
        if (source.stalenessGauge !== undefined) this.#context.metrics.forget(name, source.stalenessGauge);
      }
    }
  }

  /** Whether all have answered, or were given the time to. */
  get hasAnswered(): boolean {
    const waited = this.#context.clock.now() - this.#begunAt;
    return waited >= FIRST_ANSWER_MS || this.#sources.every((source) => source.answered());
  }

  /** Whose first answer is waited for, and why in vain: nothing that a stranger must not know. */
  get awaited(): string | undefined {
    const source = this.#sources.find((each) => !each.answered());
    if (this.hasAnswered || source === undefined) return undefined;
    const isDenied = [...(this.#followed.get(source) ?? [])].some((service) => source.denial?.(service));
    return isDenied ? `${source.title}, whose token may not read every service` : source.title;
  }

  /** Why what is known of a service's endpoints may be out of date; undefined while its sources are in touch. */
  trouble({ name, endpoints }: ServiceSettings): Trouble | undefined {
    for (const source of this.#sources) {
      if (source.stalenessGauge === undefined || endpoints[source.name] === undefined) continue;
      const trouble = this.#troubleOf(source, name);
      if (trouble !== undefined) return trouble;
    }
    return undefined;
  }

  /** How it stands with those that may fall out of touch. */
  status(services: readonly ServiceSettings[]): SourceStatus[] {
    return this.#sources.flatMap((source) => {
      const names = services.filter(({ endpoints }) => endpoints[source.name] !== undefined).map(({ name }) => name);
      return source.stalenessGauge === undefined || names.length === 0 ? [] : [sourceStatus(source, names)];
    });
  }

  /** Sets the gauges of how old the knowledge from sources is. */
  gauge(services: readonly ServiceSettings[]): void {
    const { clock, metrics } = this.#context;
    for (const source of this.#sources) {
      const { name, stalenessGauge } = source;
      if (stalenessGauge === undefined) continue;
      for (const { name: service, endpoints } of services) {
        if (endpoints[name] === undefined) continue;
        // An alarm must go off as well where there never was an answer.
        const staleness = source.staleness(service) ?? clock.now() - this.#begunAt;
        metrics.gauge(stalenessGauge, { service }, staleness / 1000);
      }
    }
  }

  #troubleOf(source: DiscoverySource, service: string): Trouble | undefined {
    const { clock } = this.#context;
    const { title } = source;
    const denial = source.denial?.(service);
    if (denial !== undefined) {
      const since = new Date(clock.wall() - (clock.now() - denial.since)).toISOString();
      return { code: 'DISCOVERY_DENIED', message: printable(`${title}: ${denial.message}`, MESSAGE_LENGTH), since };
    }
    const age = source.staleness(service);
    const awayMs = age ?? clock.now() - this.#begunAt;
    if (awayMs < BLIP_MS) return undefined;
    const { code, message } = source.trouble?.() ?? {
      code: 'DISCOVERY_UNREACHABLE',
      message: `${title} does not answer`,
    };
    const hasSaid = age !== undefined || this.#inherited.get(source)?.has(service) === true;
    const known = hasSaid ? 'the endpoints that it named last are used' : 'no endpoint is known yet';
    return {
      code,
      message: `${printable(message, MESSAGE_LENGTH)}; ${known}`,
      since: new Date(clock.wall() - awayMs).toISOString(),
    };
  }
}
