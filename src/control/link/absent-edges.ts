import type { Clock } from '../../util/clock.ts';

/** An edge that is cut off may send requests to replicas for so long, ms: it stops by itself a minute before. */
export const ABSENT_MS = 600_000;

interface Absence {
  /** The clock's ms. */
  until: number;
  /** What was told to edges before this may be in use there, the clock's ms; undefined: what was found running. */
  since: number | undefined;
}

/** What matters of a replica that may be in use by somebody who is out of sight. */
interface Told {
  /** Since when edges send requests to it, the clock's ms. */
  readyAt: number;
  /** It was found running, by this control plane or in the place of another one. */
  isAdopted: boolean;
}

/** What all that are out of sight may use, until one of them is or they change. */
interface Use {
  /** What was told before this, the clock's ms. */
  since: number;
  /** … and what was found running. */
  isOfAdopted: boolean;
  /** The clock's ms. */
  until: number;
}

/** Edges that were cut off and go on by what they were told last: what they use is not stopped without need. */
export class AbsentEdges {
  /** How long what they may use is kept for them, ms. Longer than they use it (`aloneMs`), with time for a message to arrive. */
  keepMs = ABSENT_MS;
  readonly #clock: Clock;
  readonly #absences = new Map<string, Absence>();
  #use: Use | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The edge is out of sight from now on. */
  lose(edge: string): void {
    const now = this.#clock.now();
    this.#set(edge, { until: now + this.keepMs, since: now });
  }

  /** Whoever led before had edges of that name, or names that begin so and end in `/…`, which are not here yet. */
  expect(name: string): void {
    this.#set(name, { until: this.#clock.now() + this.keepMs, since: undefined });
  }

  /** The edge is here. @returns whether it was out of sight */
  seen(edge: string): boolean {
    this.#use = undefined;
    const wasLost = this.#absences.delete(edge);
    const member = edge.slice(0, Math.max(0, edge.lastIndexOf('/')));
    return this.#absences.delete(member) || wasLost;
  }

  /** It will not come back. */
  forget(name: string): void {
    this.#use = undefined;
    this.#absences.delete(name);
  }

  /** Those that are out of sight. */
  get names(): string[] {
    this.#clean();
    return [...this.#absences.keys()];
  }

  /** Whether one of them may send requests to a replica. */
  mayUse({ readyAt, isAdopted }: Told): boolean {
    // Asked of every replica, where a thousand edges may be out of sight.
    if (this.#use === undefined || this.#clock.now() >= this.#use.until) this.#use = this.#found();
    return readyAt <= this.#use.since || (isAdopted && this.#use.isOfAdopted);
  }

  #found(): Use {
    this.#clean();
    const use: Use = { since: Number.NEGATIVE_INFINITY, isOfAdopted: false, until: Number.POSITIVE_INFINITY };
    for (const { since, until } of this.#absences.values()) {
      if (since === undefined) use.isOfAdopted = true;
      else use.since = Math.max(use.since, since);
      use.until = Math.min(use.until, until);
    }
    return use;
  }

  #set(name: string, absence: Absence): void {
    this.#use = undefined;
    this.#absences.set(name, absence);
  }

  #clean(): void {
    const now = this.#clock.now();
    for (const [name, { until }] of this.#absences) if (until <= now) this.#absences.delete(name);
  }
}
