import type { MemberRecord } from '../../model/cluster.ts';

/** For how long one that left the lead since nobody reached it does not stand for it, at most, ms. */
const MOST_MS = 600_000;

/**
 * Who reaches whom. A leader whom no member ever had a connection to, and whom one tells in Consul that it has tried, is of
 * no use to the others: its address or its secret is wrong, or its network lets nobody in. One that was reached before is cut off, and
 * stays.
 */
export class Reach {
  readonly #firstMs: number;
  #wasReached = false;
  #unlinked: number | undefined;
  #times = 0;

  /** @param firstMs for how long it does not stand when it has left the lead for the first time, ms; doubles */
  constructor(firstMs: number) {
    this.#firstMs = firstMs;
  }

  /**
   * Looks once a lease.
   * @param unlinked index of the leader that this member has no connection to
   * @returns the same where that was so at the last look too: what lasts for a lease is worth saying
   */
  look(unlinked: number | undefined, guests: number): number | undefined {
    if (guests > 0) this.#wasReached = true;
    const before = this.#unlinked;
    this.#unlinked = unlinked;
    return unlinked === before ? unlinked : undefined;
  }

  /** @returns members for whose sake this one should not lead under `index` */
  missedBy(records: readonly MemberRecord[], index: number, guests: number): string[] {
    if (this.#wasReached || guests > 0) return [];
    return records.filter(({ unreached }) => unreached === index).map(({ member }) => member);
  }

  /** It leaves the lead. @returns for how long it does not stand for it again, ms */
  leave(): number {
    return Math.min(MOST_MS, this.#firstMs * 2 ** this.#times++);
  }
}
