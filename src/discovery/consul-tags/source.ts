import type { CatalogFeed, CatalogNews } from '../../model/catalog.ts';
import type { Declaration, DeclarationSource } from '../../model/declarations.ts';
import { type PilotlightError, toPilotlightError } from '../../model/errors.ts';
import type { Logger } from '../../model/observe.ts';
import { atMost } from '../../util/at-most.ts';
import { backoffDelay } from '../../util/backoff.ts';
import { type Clock, sleep } from '../../util/clock.ts';
import { declarationOf } from './declaration.ts';
import { type Reading, saysAnything } from './labels.ts';

interface ConsulTagsOptions extends Reading {
  /** As below `declare`. */
  name: string;
  catalog: CatalogFeed;
  clock: Clock;
  logger: Logger;
  random?: () => number;
}

/** What is known of one service of the catalogue. */
interface Known {
  /** When it was listed first, ms since the epoch. */
  since: number;
  /** The lowest place of an instance when it was asked for them first; undefined: it was not. */
  order: number | undefined;
  /** The tags that it was listed with when they were asked for last, and when that was, the clock's ms. */
  tags: string;
  askedAt: number;
  declaration: Declaration | undefined;
  /** `again`: it may have changed since the question that is under way was asked. */
  look: 'none' | 'under way' | 'again';
  /** Whether it was said that it cannot be read, and it could not be since. */
  isTroubled: boolean;
}

/** Around an election nothing may be listed for a moment: a service without instances is asked for them once more, ms. */
const EMPTY_AGAIN_MS = 2000;
/** How often a service that says nothing is asked for its metadata, where the catalogue shows no change of it, ms. */
const SILENT_EVERY_MS = 60_000;
/** How many of them at once: who is routed asks the same agent. */
const SILENT_AT_ONCE = 4;
/** Refusals in a row after which the first set does not wait for a service: around an election all are refused for seconds. */
const PATIENCE = 5;
const BACKOFF = { base: 500, cap: 10_000, jitter: 0.5 };

/**
 * Services that a catalogue declares by tags and metadata. The one watch of the catalogue tells which may have changed;
 * of those that say something, that are new, or whose tags differ, the instances are asked for.
 */
export class ConsulTags implements DeclarationSource {
  readonly name: string;
  readonly #options: ConsulTagsOptions;
  readonly #known = new Map<string, Known>();
  readonly #silently = atMost(SILENT_AT_ONCE);
  #listed: CatalogNews['services'] = new Map();
  /** Those whose tags say something, as long as the first set waits for them; undefined: nothing was listed yet. */
  #awaited: Set<string> | undefined;
  /** Whether it was said that Consul cannot be asked, and it could not be since. */
  #isAway = false;
  #emit: (declarations: readonly Declaration[]) => void = () => undefined;

  constructor(options: ConsulTagsOptions) {
    this.name = options.name;
    this.#options = options;
  }

  run(emit: (declarations: readonly Declaration[]) => void, signal: AbortSignal): void {
    this.#emit = emit;
    this.#options.catalog.follow((news) => this.#take(news, signal), signal);
  }

  #take({ services, changed }: CatalogNews, signal: AbortSignal): void {
    this.#listed = services;
    const due = [...changed].filter((service) => this.#isDue(service));
    if (this.#awaited === undefined) {
      this.#awaited = new Set(due.filter((service) => this.#speaks(service)));
      this.#tell();
    }
    // One moment for all that come together: else their ages would tell in which order they are gone through.
    const now = this.#options.clock.wall();
    for (const service of due) this.#look(service, now, signal);
  }

  /** Whether it says something by its tags, or said something before. */
  #speaks(service: string): boolean {
    if (this.#known.get(service)?.declaration !== undefined) return true;
    return this.#listed.get(service)?.some((tag) => saysAnything(tag, this.#options)) === true;
  }

  #isDue(service: string): boolean {
    const known = this.#known.get(service);
    // It came, or it went.
    if ((known === undefined) === this.#listed.has(service)) return true;
    if (known === undefined) return false;
    if (this.#speaks(service) || known.tags !== this.#tagsOf(service)) return true;
    return this.#options.clock.now() - known.askedAt >= SILENT_EVERY_MS;
  }

  #tagsOf(service: string): string {
    return this.#listed.get(service)?.join('\n') ?? '';
  }

  /** @param now since when it is there if it was not, ms since the epoch */
  #look(service: string, now: number, signal: AbortSignal): void {
    let known = this.#known.get(service);
    if (known === undefined) {
      const unasked = { order: undefined, tags: '', askedAt: 0, declaration: undefined, isTroubled: false } as const;
      known = { ...unasked, since: now, look: 'none' };
      this.#known.set(service, known);
    }
    const isUnderWay = known.look !== 'none';
    known.look = 'again';
    if (!isUnderWay) void this.#askUntilKnown(service, known, signal);
  }

  async #askUntilKnown(service: string, known: Known, signal: AbortSignal): Promise<void> {
    const { clock, random = Math.random } = this.#options;
    for (let failures = 0; known.look === 'again' && !signal.aborted; ) {
      known.look = 'under way';
      try {
        await this.#ask(service, known, signal);
        this.#isAway = false;
        known.isTroubled = false;
        failures = 0;
      } catch (cause) {
        if (signal.aborted) return;
        const error = toPilotlightError(cause);
        this.#complain(service, known, error);
        known.look = 'again';
        failures++;
        // Of one that will not be told the others do not wait.
        const isRefused = error.code !== 'DISCOVERY_UNREACHABLE' && failures >= PATIENCE;
        if (isRefused || error.code === 'DISCOVERY_DENIED') this.#settle(service);
        await sleep(clock, backoffDelay(failures, BACKOFF, random), signal).catch(() => undefined);
      }
    }
    known.look = 'none';
    const isGone = known.declaration === undefined && !this.#listed.has(service);
    if (isGone) this.#known.delete(service);
  }

  /** Once while Consul is away, and once of each service that it does not tell of while it is there. */
  #complain(service: string, known: Known, error: PilotlightError): void {
    const isAway = error.code === 'DISCOVERY_UNREACHABLE';
    if (isAway ? !this.#isAway : !known.isTroubled)
      this.#options.logger.warn({ err: error }, `what ${service} declares in Consul cannot be read`);
    if (isAway) this.#isAway = true;
    else known.isTroubled = true;
  }

  async #ask(service: string, known: Known, signal: AbortSignal): Promise<void> {
    const { catalog, clock, name } = this.#options;
    known.tags = this.#tagsOf(service);
    known.askedAt = clock.now();
    const question = () => catalog.instances(service, signal);
    let instances = await (this.#speaks(service) ? question() : this.#silently(question));
    if (instances.length === 0 && known.declaration !== undefined) {
      await sleep(clock, EMPTY_AGAIN_MS, signal);
      instances = await question();
    }
    const before = JSON.stringify(known.declaration);
    const places = instances.map(({ madeAt }) => madeAt);
    if (places.length > 0) known.order ??= Math.min(...places);
    const { since, order = 0 } = known;
    known.declaration = declarationOf(name, service, instances, this.#options, { since, order });
    if (JSON.stringify(known.declaration) === before) this.#settle(service);
    else {
      this.#awaited?.delete(service);
      this.#tell();
    }
  }

  /** It says what it said before. */
  #settle(service: string): void {
    if (this.#awaited?.delete(service) === true) this.#tell();
  }

  #tell(): void {
    if (this.#awaited === undefined || this.#awaited.size > 0) return;
    this.#emit([...this.#known.values()].flatMap(({ declaration }) => declaration ?? []));
  }
}
