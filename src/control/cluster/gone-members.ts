import type { MemberRecord } from '../../model/cluster.ts';
import { ABSENT_MS } from '../link/absent-edges.ts';

/** Finds members that do not come back: what a leader has missed for as long as it keeps replicas for them, by its own clock. */
export class GoneMembers {
  /** Since when each is missed, the clock's ms. */
  readonly #missed = new Map<string, number>();

  /**
   * Looks again.
   * @param records all that entered themselves
   * @param here members that have a connection to this leader, and itself
   * @returns those whose records are of no use: nobody need wait for them
   */
  look(records: readonly MemberRecord[], here: ReadonlySet<string>, now: number): string[] {
    const known = new Set(records.map(({ member }) => member).filter((member) => !here.has(member)));
    for (const member of this.#missed.keys()) if (!known.has(member)) this.#missed.delete(member);
    const gone: string[] = [];
    for (const member of known) {
      const since = this.#missed.get(member) ?? now;
      this.#missed.set(member, since);
      if (now - since < ABSENT_MS) continue;
      gone.push(member);
      this.#missed.delete(member);
    }
    return gone;
  }
}
