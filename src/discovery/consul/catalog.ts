import type { CatalogNews } from '../../model/catalog.ts';
import type { Clock, Timer } from '../../util/clock.ts';
import { AnswerRooms } from './answer-room.ts';
import type { AskConsul, ConsulAnswer } from './client.ts';
import type { ConsulContact } from './contact.ts';
import { ConsulLoop } from './loop.ts';
import { Spacing } from './pace.ts';
import { CheckTable, ServiceTable } from './tables.ts';
import { type ConsulScope, placeOf, scopeParameters } from './target.ts';

export interface ConsulCatalogOptions {
  ask: AskConsul;
  clock: Clock;
  random: () => number;
  contact: ConsulContact;
  longWaitMs: (scope: ConsulScope) => number;
  /** The part of Consul whose catalogue it is. */
  scope: ConsulScope;
}

export interface ConsulNews extends CatalogNews {
  /** Nodes whose own checks differ, which count for every instance on them. */
  nodes: ReadonlySet<string>;
  /** Whether nothing shows that they changed: they may wait. */
  isSuspicion: boolean;
}

interface Follower {
  take(news: ConsulNews): void;
  /** Whose changes it wants to hear of; all unless told. */
  wanted: ((service: string) => boolean) | undefined;
  /** It failed to take news: it is told everything with the next ones. */
  isBehind: boolean;
}

const CHECKS = '/v1/health/state/any';
const CATALOG = '/v1/catalog/services';
/** How often all services are suspected of a change that nothing shows, ms: twice in a row at most, then once in this. */
const SUSPECT_ALL_EVERY_MS = 15_000;
/** So many of them at a time … */
const SUSPECTS = 8;
/** … and the next ones after this, ms. */
const SUSPECTS_EVERY_MS = 150;

const NOTHING: ReadonlySet<string> = new Set();

/**
 * Two blocking queries for any number of services and followers: the state of all checks tells which services changed,
 * the catalog which came, went or have other tags. Any other move of the catalog's index is one that neither shows
 * (instances without checks, metadata): then all are suspected, little by little. The queries run while anybody follows.
 */
export class ConsulCatalog {
  readonly #options: ConsulCatalogOptions;
  readonly #followers = new Set<Follower>();
  #watch: CatalogWatch | undefined;

  constructor(options: ConsulCatalogOptions) {
    this.#options = options;
  }

  /** As in {@link CatalogFeed.follow}. @param wanted whose changes are worth being told; all unless told */
  follow(take: Follower['take'], signal: AbortSignal, wanted?: Follower['wanted']): void {
    if (signal.aborted) return;
    const follower = { take, wanted, isBehind: false };
    this.#followers.add(follower);
    signal.addEventListener('abort', () => this.#leave(follower), { once: true });
    if (this.#watch === undefined) this.#watch = new CatalogWatch(this.#options, this.#followers);
    else this.#watch.greet(follower);
  }

  /** Time since the last contact, ms: 0 while in touch, undefined before the first answers and while nobody follows. */
  staleness(): number | undefined {
    return this.#watch?.staleness();
  }

  #leave(follower: Follower): void {
    this.#followers.delete(follower);
    if (this.#followers.size > 0) return;
    this.#watch?.stop();
    this.#watch = undefined;
  }
}

class CatalogWatch {
  readonly #options: ConsulCatalogOptions;
  readonly #followers: ReadonlySet<Follower>;
  readonly #abort = new AbortController();
  readonly #checks: ConsulLoop;
  readonly #catalog: ConsulLoop;
  readonly #table = new CheckTable();
  readonly #listed = new ServiceTable();
  readonly #sweeps: Spacing;
  #isTableKnown = false;
  #index: bigint | undefined;
  #sweep: Timer | undefined;
  /** Whether the index moved since the last sweep began. */
  #isSuspicious = false;

  constructor(options: ConsulCatalogOptions, followers: ReadonlySet<Follower>) {
    this.#options = options;
    this.#followers = followers;
    this.#sweeps = new Spacing(options.clock, SUSPECT_ALL_EVERY_MS);
    this.#checks = this.#loop(CHECKS, (answer) => this.#takeChecks(answer));
    this.#catalog = this.#loop(CATALOG, (answer) => this.#takeCatalog(answer));
  }

  staleness(): number | undefined {
    const ages = [this.#checks.staleness(), this.#catalog.staleness()].filter((age) => age !== undefined);
    return ages.length < 2 ? undefined : Math.max(...ages);
  }

  stop(): void {
    this.#abort.abort();
    this.#sweep?.cancel();
    for (const path of [CHECKS, CATALOG]) this.#options.contact.forget(this.#who(path));
  }

  /** Tells a new follower what is known. */
  greet(follower: Follower): void {
    const services = this.#known;
    if (services === undefined) return;
    follower.isBehind = true;
    follower.take({ services, changed: new Set(services.keys()), nodes: NOTHING, isSuspicion: false });
    follower.isBehind = false;
  }

  /** What is listed, once both tables are known: what is asked for before could change unnoticed. */
  get #known(): ReadonlyMap<string, readonly string[]> | undefined {
    return this.#isTableKnown ? this.#listed.services : undefined;
  }

  #loop(path: string, take: (answer: ConsulAnswer) => boolean): ConsulLoop {
    const { ask, clock, random, contact, longWaitMs, scope } = this.#options;
    const who = this.#who(path);
    const rooms = new AnswerRooms();
    const loop = new ConsulLoop({
      question: { path, parameters: scopeParameters(scope) },
      room: () => rooms.free,
      ask,
      clock,
      random,
      waitMs: () => longWaitMs(scope),
      take: (answer) => {
        const isNews = take(answer);
        rooms.keep();
        return isNews;
      },
      onAnswer: () => contact.answered(who),
      onFailure: (error) => contact.failed(who, error),
    });
    void loop.run(this.#abort.signal);
    return loop;
  }

  /** Who asks, for the operator. */
  #who(path: string): string {
    return `${path}${placeOf(this.#options.scope)}`;
  }

  /** Returns whether anything changed, also of what nobody follows: the next change may be of what somebody does. */
  #takeChecks(answer: ConsulAnswer): boolean {
    const changes = this.#table.take(answer.body as Buffer);
    if (changes === undefined) {
      this.#isTableKnown = true;
      return this.#begin();
    }
    this.#tell(changes.services, changes.nodes);
    return changes.services.size > 0 || changes.nodes.size > 0;
  }

  /** As for the checks. */
  #takeCatalog(answer: ConsulAnswer): boolean {
    const hasMoved = answer.index !== this.#index;
    const changes = this.#listed.take(answer.body as Buffer);
    this.#index = answer.index;
    if (changes === undefined) return this.#begin();
    if (hasMoved) this.#suspectAll();
    this.#tell(changes, NOTHING);
    return changes.size > 0;
  }

  #begin(): boolean {
    this.#each((follower) => this.greet(follower));
    return this.#known !== undefined;
  }

  #tell(services: ReadonlySet<string>, nodes: ReadonlySet<string>, isSuspicion = false): void {
    const known = this.#known;
    if (known === undefined) return;
    this.#each((follower) => {
      if (follower.isBehind) {
        this.greet(follower);
        return;
      }
      const { wanted } = follower;
      const changed = wanted === undefined ? services : new Set([...services].filter(wanted));
      if (changed.size === 0 && nodes.size === 0) return;
      follower.isBehind = true;
      follower.take({ services: known, changed, nodes, isSuspicion });
      follower.isBehind = false;
    });
  }

  /** One that fails keeps nothing from the others. @throws what the first one threw, when all were told */
  #each(tell: (follower: Follower) => void): void {
    const failures: unknown[] = [];
    for (const follower of this.#followers) {
      try {
        tell(follower);
      } catch (thrown) {
        failures.push(thrown);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  #suspectAll(): void {
    this.#isSuspicious = true;
    if (this.#sweep !== undefined) return;
    this.#sweep = this.#options.clock.after(this.#sweeps.next(), () => {
      this.#isSuspicious = false;
      const isWanted = (name: string) => [...this.#followers].some(({ wanted }) => wanted?.(name) ?? true);
      this.#suspect([...(this.#known?.keys() ?? [])].filter(isWanted));
    });
  }

  #suspect(names: readonly string[]): void {
    this.#sweep = undefined;
    if (names.length === 0) {
      if (this.#isSuspicious) this.#suspectAll();
      return;
    }
    this.#tell(new Set(names.slice(0, SUSPECTS)), NOTHING, true);
    this.#sweep = this.#options.clock.after(SUSPECTS_EVERY_MS, () => this.#suspect(names.slice(SUSPECTS)));
  }
}
