import type { Leader, MemberRecord } from '../../model/cluster.ts';

/** For how long one that left the lead since nobody reached it does not stand for it, at most, ms. */
const MOST_MS = 600_000;

/**
 * Who reaches whom. A leader whom no member ever had a connection to, and whom one tells in Consul that it has tried, is of
 * no use to the others: its address or its secret is wrong, or its network lets nobody in. One that was reached before is cut off, and
 * stays; so does one for whose sake it would have to follow who cannot be reached either, as both would leave in turn.
 */
export class Reach {
  readonly #firstMs: number;
  #wasReached = false;
  #unlinked: number | undefined;
  /** Members that led, and that this one had no connection to. */
  readonly #missed = new Set<string>();
  #times = 0;

  /** @param firstMs for how long it does not stand when it has left the lead for the first time, ms; doubles */
  constructor(firstMs: number) {
    this.#firstMs = firstMs;
  }

  /**
   * Looks once a lease.
   * @param unlinked the leader that this member has no connection to
   * @returns its index where that was so at the last look too: what lasts for a lease is worth saying
   */
  look(unlinked: Pick<Leader, 'member' | 'index'> | undefined, guests: number): number | undefined {
    if (guests > 0) this.#wasReached = true;
    const before = this.#unlinked;
    this.#unlinked = unlinked?.index;
    if (unlinked === undefined || unlinked.index !== before) return undefined;
    this.#missed.add(unlinked.member);
    return unlinked.index;
  }

  /** @returns members for whose sake this one should not lead under `index` */
  missedBy(records: readonly MemberRecord[], index: number, guests: number): string[] {
    if (this.#wasReached || guests > 0) return [];
    const missing = records.filter(({ member, unreached }) => unreached === index && !this.#missed.has(member));
    return missing.map(({ member }) => member);
  }

  /** It leaves the lead. @returns for how long it does not stand for it again, ms */
  leave(): number {
    return Math.min(MOST_MS, this.#firstMs * 2 ** this.#times++);
  }
}
