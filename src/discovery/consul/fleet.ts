import { toPilotlightError } from '../../model/errors.ts';
import { backoffDelay } from '../../util/backoff.ts';
import type { Timer } from '../../util/clock.ts';
import type { ConsulCatalog, ConsulNews } from './catalog.ts';
import type { AskConsul } from './client.ts';
import type { ConsulFollower, FollowerOptions } from './follower.ts';
import { BACKOFF, GRACE_MS } from './loop.ts';
import { type ConsulTarget, questionOf, titleOf } from './target.ts';

interface FleetOptions extends FollowerOptions {
  catalog: ConsulCatalog;
  /** Asks what is answered at once, when it is its turn. */
  askOnce: AskConsul;
}

/** Most services fetched at once: with one of the two questions about the catalogue 16. */
export const FETCHES = 15;
/** Most of them that are fetched without a sign that they changed. */
const SUSPECTS = 2;
/** Where the token may not see services, one is looked at again in this time on average, ms. */
const SIGHT_MS = 20;

/** Any number of services of one catalogue: it tells which of them may have changed, and those are fetched. */
export class ConsulFleet implements ConsulFollower {
  readonly #options: FleetOptions;
  readonly #abort = new AbortController();
  #targets: ReadonlyMap<string, ConsulTarget> = new Map();
  /** Keys by the name of the service. */
  #byName = new Map<string, string[]>();
  /** Whether changes are told from now on: what is fetched before could change unnoticed. */
  #isFollowing = false;
  readonly #waiting = new Set<string>();
  /** What waits until nothing else does. */
  readonly #suspects = new Set<string>();
  readonly #fetching = new Set<string>();
  readonly #later = new Map<string, Timer>();
  readonly #trouble = new Map<string, { since: number; failures: number }>();

  constructor(options: FleetOptions) {
    this.#options = options;
    const isFollowed = (service: string) => this.#byName.has(service);
    options.catalog.follow((news) => this.#take(news), this.#abort.signal, isFollowed);
  }

  follow(targets: ReadonlyMap<string, ConsulTarget>): void {
    const before = this.#targets;
    this.#targets = targets;
    this.#byName = Map.groupBy(targets.keys(), (key) => targets.get(key)?.service ?? '');
    for (const key of before.keys()) if (!targets.has(key)) this.#drop(key);
    this.#fetchSoon([...targets.keys()].filter((key) => !before.has(key)));
  }

  staleness(key: string): number | undefined {
    const ofCatalog = this.#options.catalog.staleness();
    if (ofCatalog === undefined) return undefined;
    const trouble = this.#trouble.get(key);
    return Math.max(ofCatalog, trouble === undefined ? 0 : this.#options.clock.now() - trouble.since);
  }

  stop(): void {
    this.#abort.abort();
    this.follow(new Map());
  }

  #take({ changed, nodes, isSuspicion }: ConsulNews): void {
    this.#isFollowing = true;
    if (isSuspicion) {
      for (const key of this.#keysOf(changed)) this.#suspects.add(key);
      this.#pump();
      return;
    }
    const isOn = (key: string) => [...nodes].some((node) => this.#options.knowledge(key)?.isOn(node));
    const onNodes = nodes.size === 0 ? [] : [...this.#targets.keys()].filter(isOn);
    this.#fetchSoon([...this.#keysOf(changed), ...onNodes]);
  }

  #keysOf(services: ReadonlySet<string>): string[] {
    return [...services].flatMap((service) => this.#byName.get(service) ?? []);
  }

  /** A change of the token's policy may blind it for all services at once. */
  get #sightEveryMs(): number {
    return this.#targets.size * SIGHT_MS;
  }

  #fetchSoon(keys: Iterable<string>): void {
    for (const key of keys) {
      this.#later.get(key)?.cancel();
      this.#later.delete(key);
      this.#waiting.add(key);
    }
    this.#pump();
  }

  #fetchLater(key: string, ms: number): void {
    this.#later.get(key)?.cancel();
    const timer = this.#options.clock.after(ms, () => this.#fetchSoon([key]));
    this.#later.set(key, timer);
  }

  #pump(): void {
    if (!this.#isFollowing) return;
    for (const key of this.#waiting) {
      if (this.#fetching.size >= FETCHES) return;
      if (this.#fetching.has(key)) continue;
      this.#waiting.delete(key);
      const target = this.#targets.get(key);
      if (target !== undefined) void this.#fetch(key, target);
    }
    for (const key of this.#suspects) {
      if (this.#fetching.size >= SUSPECTS) return;
      this.#suspects.delete(key);
      const target = this.#targets.get(key);
      if (target !== undefined && !this.#fetching.has(key)) void this.#fetch(key, target);
    }
  }

  async #fetch(key: string, target: ConsulTarget): Promise<void> {
    const { askOnce, clock, random, contact, knowledge, onNews } = this.#options;
    const who = titleOf(target);
    this.#fetching.add(key);
    this.#suspects.delete(key);
    try {
      // Not stale: another server may lag behind the one that told of the change.
      const query = { ...questionOf(target), index: 0n, waitMs: 0, stale: false, timeoutMs: GRACE_MS };
      const answer = await askOnce(query, this.#abort.signal);
      const known = knowledge(key);
      if (!this.#targets.has(key) || known === undefined) return;
      const news = await known.take(answer, this.#abort.signal);
      if (!this.#targets.has(key)) return;
      if (news) onNews(key);
      this.#trouble.delete(key);
      contact.answered(key);
      contact.sees(key, known.denial?.message, who);
      const again = known.lookAgainIn;
      if (again !== undefined) this.#fetchLater(key, known.denial ? Math.max(again, this.#sightEveryMs) : again);
    } catch (thrown) {
      if (!this.#targets.has(key)) return;
      knowledge(key)?.interrupt();
      const { since, failures } = this.#trouble.get(key) ?? { since: clock.now(), failures: 0 };
      this.#trouble.set(key, { since, failures: failures + 1 });
      contact.failed(key, toPilotlightError(thrown), who);
      this.#fetchLater(key, backoffDelay(failures + 1, BACKOFF, random));
    } finally {
      this.#fetching.delete(key);
      this.#pump();
    }
  }

  #drop(key: string): void {
    this.#waiting.delete(key);
    this.#suspects.delete(key);
    this.#later.get(key)?.cancel();
    this.#later.delete(key);
    this.#trouble.delete(key);
    this.#options.contact.forget(key);
  }
}
