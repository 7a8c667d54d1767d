import { fairShares } from './fair-shares.ts';

/** What a service has of the budget of replicas, and what it has a right to ask of it. */
export interface Stake {
  service: string;
  /** Replicas that hold capacity and stay, as far as is known. */
  keeps: number;
  /** Those that drain or stop: they count until they are gone. */
  leaving: number;
  /** Fewest that it is to have. */
  min: number;
  /** How many it is to have, as far as it may start them, and as more have shown to help it or may do so. */
  want: number;
  /** Nothing of it is taken away now: by hand, or as its `run` changes. */
  isFixed: boolean;
}

/** How a budget that is too small for all is shared. */
export interface Sharing {
  shares: ReadonlyMap<string, number>;
  /** What all together have less than their shares. */
  owed: number;
  /** By service that has more than its share: the services below theirs to each of which it is to give one up. */
  gives: ReadonlyMap<string, readonly string[]>;
}

/**
 * Shares the budget max–min fairly. Who is below its share gets one that is free or will be soon; only where there is
 * none, the one that is furthest over its share gives one up: so at most one at a time goes to each.
 */
export function shareOut(budget: number, stakes: readonly Stake[]): Sharing {
  const shares = fairShares(
    budget,
    stakes.map(({ service, keeps, min, want, isFixed }) => ({
      service,
      keeps,
      want: isFixed ? Math.max(keeps, want) : want,
      floor: isFixed ? Math.max(keeps, min) : Math.max(1, min),
    })),
  );
  const shareOf = ({ service }: Stake) => shares.get(service) ?? 0;
  const over = new Map(stakes.map((each) => [each.service, each.isFixed ? 0 : each.keeps - shareOf(each)]));
  const gives = new Map<string, string[]>();
  let free = stakes.reduce((left, { keeps }) => left - keeps, budget);
  const below = stakes.filter((each) => each.keeps < shareOf(each)).sort((a, b) => a.keeps - b.keeps);
  for (const taker of below) {
    if (free > 0) {
      free--;
      continue;
    }
    const [giver, surplus] = [...over].reduce((most, each) => (each[1] > most[1] ? each : most), ['', 0]);
    if (surplus <= 0) break;
    over.set(giver, surplus - 1);
    gives.set(giver, [...(gives.get(giver) ?? []), taker.service]);
  }
  const owed = below.reduce((sum, each) => sum + shareOf(each) - each.keeps, 0);
  return { shares, owed, gives };
}
