import { toPilotlightError } from '../../model/errors.ts';
import { backoffDelay } from '../../util/backoff.ts';
import type { Timer } from '../../util/clock.ts';
import type { ConsulAnswer } from './client.ts';
import { type ConsulFollower, type FollowerOptions, servicePath } from './follower.ts';
import { BACKOFF, ConsulLoop, GRACE_MS, LONG_WAIT_MS } from './loop.ts';
import { Spacing } from './pace.ts';
import { readCatalog, readChecks } from './tables.ts';

const CHECKS = '/v1/health/state/any';
const CATALOG = '/v1/catalog/services';
/** Most services fetched at once. */
const FETCHES = 16;
/** The catalog moves with every service of the data centre; looking at all of ours each time would cost too much. */
const SWEEP_EVERY_MS = 15_000;
/** Where the token may not see services, one is looked at again in this time on average, ms. */
const SIGHT_MS = 20;

/**
 * Two blocking queries for any number of services: the state of all checks tells which services changed, and those
 * are fetched. What no check shows (instances without checks) is found through the catalog: a name that comes, goes
 * or changes its tags is fetched at once, any other move of its index has every service fetched, twice in a row at
 * most and then every 15 s.
 */
export class ConsulFleet implements ConsulFollower {
  readonly #options: FollowerOptions;
  readonly #abort = new AbortController();
  readonly #checks: ConsulLoop;
  readonly #catalog: ConsulLoop;
  readonly #sweeps: Spacing;
  #services: ReadonlySet<string> = new Set();
  #seenChecks: ReturnType<typeof readChecks> | undefined;
  #seenCatalog: ReturnType<typeof readCatalog> | undefined;
  #catalogIndex: bigint | undefined;
  #sweepTimer: Timer | undefined;
  readonly #waiting = new Set<string>();
  readonly #fetching = new Set<string>();
  readonly #later = new Map<string, Timer>();
  readonly #trouble = new Map<string, { since: number; failures: number }>();

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#sweeps = new Spacing(options.clock, SWEEP_EVERY_MS);
    this.#checks = this.#loop(CHECKS, (answer) => this.#takeChecks(answer));
    this.#catalog = this.#loop(CATALOG, (answer) => this.#takeCatalog(answer));
  }

  follow(services: ReadonlySet<string>): void {
    const before = this.#services;
    this.#services = services;
    for (const service of before) if (!services.has(service)) this.#drop(service);
    this.#fetchSoon([...services].filter((service) => !before.has(service)));
  }

  staleness(service: string): number | undefined {
    const tables = [this.#checks.staleness(), this.#catalog.staleness()].filter((age) => age !== undefined);
    if (tables.length < 2) return undefined;
    const trouble = this.#trouble.get(service);
    return Math.max(...tables, trouble === undefined ? 0 : this.#options.clock.now() - trouble.since);
  }

  stop(): void {
    this.#abort.abort();
    this.#sweepTimer?.cancel();
    this.follow(new Set());
    this.#options.contact.forget(CHECKS);
    this.#options.contact.forget(CATALOG);
  }

  #loop(path: string, take: (answer: ConsulAnswer) => boolean): ConsulLoop {
    const { ask, clock, random, contact } = this.#options;
    const loop = new ConsulLoop({
      path,
      ask,
      clock,
      random,
      waitMs: () => LONG_WAIT_MS,
      take,
      onAnswer: () => contact.answered(path),
      onFailure: (error) => contact.failed(path, error),
    });
    void loop.run(this.#abort.signal);
    return loop;
  }

  #takeChecks(answer: ConsulAnswer): boolean {
    const before = this.#seenChecks;
    const now = readChecks(answer.body, this.#services);
    this.#seenChecks = now;
    if (before === undefined) return this.#fetchSoon(this.#services);
    const nodes = differences(before.nodes, now.nodes);
    const services = differences(before.services, now.services).filter((service) => this.#services.has(service));
    const onNodes = [...this.#services].filter((service) =>
      nodes.some((node) => this.#options.knowledge(service)?.isOn(node)),
    );
    return this.#fetchSoon([...services, ...onNodes]);
  }

  #takeCatalog(answer: ConsulAnswer): boolean {
    const before = this.#seenCatalog;
    const moved = answer.index !== this.#catalogIndex;
    const now = readCatalog(answer.body, this.#services);
    this.#seenCatalog = now;
    this.#catalogIndex = answer.index;
    if (before === undefined) return this.#fetchSoon(this.#services);
    if (moved) this.#sweepSoon();
    return this.#fetchSoon(differences(before, now).filter((service) => this.#services.has(service)));
  }

  #sweepSoon(): void {
    if (this.#sweepTimer !== undefined) return;
    this.#sweepTimer = this.#options.clock.after(this.#sweeps.next(), () => {
      this.#sweepTimer = undefined;
      this.#fetchSoon(this.#services);
    });
  }

  /** A change of the token's policy may blind it for all services at once. */
  get #sightEveryMs(): number {
    return this.#services.size * SIGHT_MS;
  }

  /** Returns whether there was anything to fetch. */
  #fetchSoon(services: Iterable<string>): boolean {
    let any = false;
    for (const service of services) {
      any = true;
      this.#later.get(service)?.cancel();
      this.#later.delete(service);
      this.#waiting.add(service);
    }
    this.#pump();
    return any;
  }

  #fetchLater(service: string, ms: number): void {
    this.#later.get(service)?.cancel();
    const timer = this.#options.clock.after(ms, () => this.#fetchSoon([service]));
    this.#later.set(service, timer);
  }

  #pump(): void {
    // What is fetched before the first table is seen could change unnoticed in between.
    if (this.#seenChecks === undefined) return;
    for (const service of this.#waiting) {
      if (this.#fetching.size >= FETCHES) return;
      if (this.#fetching.has(service)) continue;
      this.#waiting.delete(service);
      void this.#fetch(service);
    }
  }

  async #fetch(service: string): Promise<void> {
    const { ask, clock, random, contact, knowledge, onNews } = this.#options;
    const who = `service ${service}`;
    this.#fetching.add(service);
    try {
      // Not stale: another server may lag behind the one that told of the change.
      const query = { path: servicePath(service), index: 0n, waitMs: 0, stale: false, timeoutMs: GRACE_MS };
      const answer = await ask(query, this.#abort.signal);
      const known = knowledge(service);
      if (!this.#services.has(service) || known === undefined) return;
      const news = await known.take(answer, this.#abort.signal);
      if (!this.#services.has(service)) return;
      if (news) onNews(service);
      this.#trouble.delete(service);
      contact.answered(who);
      contact.sees(who, known.denial?.message);
      const again = known.lookAgainIn;
      if (again !== undefined) this.#fetchLater(service, known.denial ? Math.max(again, this.#sightEveryMs) : again);
    } catch (thrown) {
      if (!this.#services.has(service)) return;
      knowledge(service)?.interrupt();
      const { since, failures } = this.#trouble.get(service) ?? { since: clock.now(), failures: 0 };
      this.#trouble.set(service, { since, failures: failures + 1 });
      contact.failed(who, toPilotlightError(thrown));
      this.#fetchLater(service, backoffDelay(failures + 1, BACKOFF, random));
    } finally {
      this.#fetching.delete(service);
      this.#pump();
    }
  }

  #drop(service: string): void {
    this.#waiting.delete(service);
    this.#later.get(service)?.cancel();
    this.#later.delete(service);
    this.#trouble.delete(service);
    this.#options.contact.forget(`service ${service}`);
  }
}

/** Keys whose values differ, or that only one of the two has. */
function differences(before: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): string[] {
  const keys = new Set([...before.keys(), ...now.keys()]);
  return [...keys].filter((key) => before.get(key) !== now.get(key));
}
