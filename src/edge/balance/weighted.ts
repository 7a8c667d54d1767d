/** What a choice by weight needs to know of a member. */
export interface Weighted {
  /** Relative share now, 0 or more. */
  share: number;
  /** How far its turn has come. Owned by {@link WeightTable}. */
  turn: number;
}

/** A set of members with what follows from their shares. When either changes, a new table is made. */
export class WeightTable<Member extends Weighted> {
  readonly members: readonly Member[];
  /** All shares are the same, so that none has to be looked at. */
  readonly even: boolean;
  /** Running totals of the shares. */
  readonly #totals: number[] = [];
  readonly #total: number;

  /** @param before the table that this one replaces; its rotation goes on */
  constructor(members: readonly Member[], before?: WeightTable<Member>) {
    this.members = members;
    let total = 0;
    let even = true;
    members.forEach((member) => {
      total += member.share;
      this.#totals.push(total);
      if (member.share !== members[0]?.share) even = false;
    });
    this.#total = total;
    this.even = even || total === 0;
    if (before !== undefined) this.#goOn(before);
  }

  /**
   * Draws a member at random, by share.
   * @param random in [0, 1); there is at least one member
   */
  draw(random: number): Member {
    const { members } = this;
    if (this.even) return members[Math.floor(random * members.length)] as Member;
    return members[this.#at(random * this.#total)] as Member;
  }

  /** Draws a member at random, by share, that is not `other`; returns `other` where no other has a share. */
  drawOther(other: Member, random: number): Member {
    const { members } = this;
    const index = members.indexOf(other);
    if (this.even) {
      const next = Math.floor(random * (members.length - 1));
      return members[next < index ? next : next + 1] ?? other;
    }
    const left = this.#total - other.share;
    if (left <= 0) return other;
    // Skips the other's stretch of the totals.
    const point = random * left;
    const before = (this.#totals[index] as number) - other.share;
    return members[this.#at(point < before ? point : point + other.share)] as Member;
  }

  /**
   * Returns the next in a smooth rotation by share, as nginx does it: each member gains its share, the one that has
   * most is next, and pays the sum. Members that do not fit the choice neither gain nor pay.
   */
  turn<Choice>(choice: Choice, fits: (member: Member, choice: Choice) => boolean): Member | undefined {
    let best: Member | undefined;
    let sum = 0;
    for (const member of this.members) {
      if (!fits(member, choice)) continue;
      member.turn += member.share;
      sum += member.share;
      if (best === undefined || member.turn > best.turn) best = member;
    }
    if (best !== undefined) best.turn -= sum;
    return best;
  }

  /**
   * Scales the turns to the new shares. A new member is neither behind nor ahead: what was gained at a share of 10,000
   * would else be paid back at 1, by thousands of requests to one member.
   */
  #goOn(before: WeightTable<Member>): void {
    const { members } = this;
    const known = new Set(before.members);
    const stays = members.length === known.size && members.every((member) => known.has(member));
    if (stays && this.#total === before.#total) return;
    const scale = before.#total === 0 ? 0 : this.#total / before.#total;
    const old = members.filter((member) => known.has(member));
    const mean = old.reduce((sum, { turn }) => sum + turn, 0) / old.length;
    for (const member of members) member.turn = known.has(member) ? (member.turn - mean) * scale : 0;
  }

  /** Index of the first member whose running total exceeds `point`. */
  #at(point: number): number {
    const totals = this.#totals;
    let low = 0;
    let high = totals.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((totals[middle] as number) > point) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
