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

/** Edges that were cut off and go on by what they were told last: what they use is not stopped without need. */
export class AbsentEdges {
  readonly #clock: Clock;
  readonly #absences = new Map<string, Absence>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The edge is out of sight from now on. */
  lose(edge: string): void {
    const now = this.#clock.now();
    this.#absences.set(edge, { until: now + ABSENT_MS, since: now });
  }

  /** Whoever led before had edges of that name, or names that begin so and end in `/…`, which are not here yet. */
  expect(name: string): void {
    this.#absences.set(name, { until: this.#clock.now() + ABSENT_MS, since: undefined });
  }

  /** The edge is here. @returns whether it was out of sight */
  seen(edge: string): boolean {
    const wasLost = this.#absences.delete(edge);
    const member = edge.slice(0, Math.max(0, edge.lastIndexOf('/')));
    return this.#absences.delete(member) || wasLost;
  }

  /** It will not come back. */
  forget(name: string): void {
    this.#absences.delete(name);
  }

  /** Those that are out of sight. */
  get names(): string[] {
    this.#clean();
    return [...this.#absences.keys()];
  }

  /** Whether one of them may send requests to a replica. */
  mayUse({ readyAt, isAdopted }: Told): boolean {
    this.#clean();
    for (const { since } of this.#absences.values()) {
      if (since === undefined ? isAdopted : readyAt <= since) return true;
    }
    return false;
  }

  #clean(): void {
    const now = this.#clock.now();
    for (const [name, { until }] of this.#absences) if (until <= now) this.#absences.delete(name);
  }
}
