/** What one service asks of a budget that it shares with others, in replicas. */
export interface Want {
  service: string;
  want: number;
  /** So many of them come before what others want beyond their own. More than `want` counts as that. */
  floor: number;
  /** Those that it has: where the last ones cannot be divided evenly, who has one keeps it. */
  keeps: number;
}

/**
 * Shares a budget max–min fairly: nobody gets more while somebody who wants it has less. Floors come first; where they
 * do not fit they are shared in the same way. What is left over of an even division goes to who has it already, then by
 * the order of `wants`.
 * @returns a share for each service; together the budget, or all that is wanted
 */
export function fairShares(budget: number, wants: readonly Want[]): Map<string, number> {
  const floorOf = ({ want, floor }: Want) => Math.min(want, floor);
  const floors = wants.reduce((sum, each) => sum + floorOf(each), 0);
  return floors > budget ? fill(budget, wants, () => 0, floorOf) : fill(budget, wants, floorOf, ({ want }) => want);
}

/** Pours the budget over all at once, as water: who starts higher is reached later, who is full takes no more. */
function fill(
  budget: number,
  wants: readonly Want[],
  from: (want: Want) => number,
  to: (want: Want) => number,
): Map<string, number> {
  const at = (level: number, each: Want) => Math.min(to(each), Math.max(from(each), level));
  const sumAt = (level: number) => wants.reduce((sum, each) => sum + at(level, each), 0);
  const highest = wants.reduce((most, each) => Math.max(most, to(each)), 0);
  let level = 0;
  for (let above = highest + 1; above - level > 1; ) {
    const middle = (level + above) >> 1;
    if (sumAt(middle) <= budget) level = middle;
    else above = middle;
  }
  const shares = new Map(wants.map((each) => [each.service, at(level, each)]));
  const isNext = (each: Want) => at(level, each) === level && to(each) > level;
  const next = wants.filter(isNext).sort((a, b) => Number(b.keeps > level) - Number(a.keeps > level));
  for (const { service } of next.slice(0, Math.max(0, budget - sumAt(level)))) shares.set(service, level + 1);
  return shares;
}
