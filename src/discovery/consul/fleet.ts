import { toPilotlightError } from '../../model/errors.ts';
import { backoffDelay } from '../../util/backoff.ts';
import type { Timer } from '../../util/clock.ts';
import type { ConsulCatalog, ConsulNews } from './catalog.ts';
import type { AskConsul } from './client.ts';
import { type ConsulFollower, type FollowerOptions, servicePath } from './follower.ts';
import { BACKOFF, GRACE_MS } from './loop.ts';

interface FleetOptions extends FollowerOptions {
  catalog: ConsulCatalog;
  /** Asks what is answered at once, when it is its turn. */
  askOnce: AskConsul;
}

/** Most services fetched at once: with one of the two questions about the catalogue 16. */
export const FETCHES = 15;
/** Where the token may not see services, one is looked at again in this time on average, ms. */
const SIGHT_MS = 20;

/** Any number of services: the catalogue tells which of them may have changed, and those are fetched. */
export class ConsulFleet implements ConsulFollower {
  readonly #options: FleetOptions;
  readonly #abort = new AbortController();
  #services: ReadonlySet<string> = new Set();
  /** Whether changes are told from now on: what is fetched before could change unnoticed. */
  #isFollowing = false;
  readonly #waiting = new Set<string>();
  readonly #fetching = new Set<string>();
  readonly #later = new Map<string, Timer>();
  readonly #trouble = new Map<string, { since: number; failures: number }>();

  constructor(options: FleetOptions) {
    this.#options = options;
    const isFollowed = (service: string) => this.#services.has(service);
    options.catalog.follow((news) => this.#take(news), this.#abort.signal, isFollowed);
  }

  follow(services: ReadonlySet<string>): void {
    const before = this.#services;
    this.#services = services;
    for (const service of before) if (!services.has(service)) this.#drop(service);
    this.#fetchSoon([...services].filter((service) => !before.has(service)));
  }

  staleness(service: string): number | undefined {
    const ofCatalog = this.#options.catalog.staleness();
    if (ofCatalog === undefined) return undefined;
    const trouble = this.#trouble.get(service);
    return Math.max(ofCatalog, trouble === undefined ? 0 : this.#options.clock.now() - trouble.since);
  }

  stop(): void {
    this.#abort.abort();
    this.follow(new Set());
  }

  #take({ changed, nodes }: ConsulNews): void {
    this.#isFollowing = true;
    const isOn = (service: string) => [...nodes].some((node) => this.#options.knowledge(service)?.isOn(node));
    const onNodes = nodes.size === 0 ? [] : [...this.#services].filter(isOn);
    this.#fetchSoon([...[...changed].filter((service) => this.#services.has(service)), ...onNodes]);
  }

  /** A change of the token's policy may blind it for all services at once. */
  get #sightEveryMs(): number {
    return this.#services.size * SIGHT_MS;
  }

  #fetchSoon(services: Iterable<string>): void {
    for (const service of services) {
      this.#later.get(service)?.cancel();
      this.#later.delete(service);
      this.#waiting.add(service);
    }
    this.#pump();
  }

  #fetchLater(service: string, ms: number): void {
    this.#later.get(service)?.cancel();
    const timer = this.#options.clock.after(ms, () => this.#fetchSoon([service]));
    this.#later.set(service, timer);
  }

  #pump(): void {
    if (!this.#isFollowing) return;
    for (const service of this.#waiting) {
      if (this.#fetching.size >= FETCHES) return;
      if (this.#fetching.has(service)) continue;
      this.#waiting.delete(service);
      void this.#fetch(service);
    }
  }

  async #fetch(service: string): Promise<void> {
    const { askOnce, clock, random, contact, knowledge, onNews } = this.#options;
    const who = `service ${service}`;
    this.#fetching.add(service);
    try {
      // Not stale: another server may lag behind the one that told of the change.
      const query = { path: servicePath(service), index: 0n, waitMs: 0, stale: false, timeoutMs: GRACE_MS };
      const answer = await askOnce(query, this.#abort.signal);
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
