import { LEAST_GAPS } from './idle-cost.ts';
import { GAP_BUCKETS, gapBucket, type IdleGaps } from './idle-gaps.ts';

/** Services are told apart by their mean gap, in powers of two of a ms: the last group holds all from 49 days on. */
const OCTAVES = 33;
/** … and there is one for those of which no gap is known. */
export const SIBLING_GROUPS = OCTAVES + 1;
/** So many gaps of siblings are assumed beside the own ones: a few that were seen outweigh them. */
const ASSUMED_GAPS = 4;
/** Fewer gaps of a group say nothing: one service in its first twenty gaps is never told of its own. */
const LEAST_OF_GROUP = 50;
/** When a group has more, half of what is known is forgotten: services that are gone or have changed are. */
const MOST_OF_GROUP = 2000;

/**
 * How long the first gaps of all services are that had gaps of about the same mean length before: what is to be expected of
 * one that knows too few of its own. (An empirical-Bayes prior of few pseudo-counts.) At most 30 KiB, however many services
 * there are.
 */
export class SiblingGaps {
  /** Counts per bucket of `IdleGaps`, by group; undefined where none was seen. The first is of services without a gap. */
  readonly groups: (Float32Array | undefined)[];
  readonly #totals: number[];

  /** @param groups as kept before */
  constructor(groups: readonly (Float32Array | undefined)[] = []) {
    this.groups = Array.from({ length: SIBLING_GROUPS }, (_, group) => groups[group]);
    this.#totals = this.groups.map((counts) => counts?.reduce((sum, count) => sum + count, 0) ?? 0);
  }

  /**
   * A gap is over. Only what comes in the first gaps of a service says what to expect of others that know few: one that
   * is called all the time has gaps of the same mean length for another reason, and many more of them.
   * @param before those of the same service that were known before it
   * @param gapMs as for them, like `count`
   */
  add(before: IdleGaps, gapMs: number, count: number): void {
    if (before.total >= LEAST_GAPS) return;
    const group = groupOf(before);
    this.groups[group] ??= new Float32Array(GAP_BUCKETS);
    const counts = this.groups[group];
    const bucket = gapBucket(gapMs);
    counts[bucket] = (counts[bucket] as number) + count;
    const total = (this.#totals[group] as number) + count;
    const factor = total > MOST_OF_GROUP ? MOST_OF_GROUP / 2 / total : 1;
    if (factor < 1) for (let i = 0; i < GAP_BUCKETS; i++) counts[i] = (counts[i] as number) * factor;
    this.#totals[group] = total * factor;
  }

  /** How many gaps say what to expect of a service that has these; 0: too few are known. */
  known(gaps: IdleGaps): number {
    const total = this.#totals[groupOf(gaps)] as number;
    return total < LEAST_OF_GROUP ? 0 : total;
  }

  /** Adds what is to be expected beside the gaps of a service. @param counts per bucket, of these gaps */
  assume(gaps: IdleGaps, counts: Float64Array): void {
    const known = this.known(gaps);
    const group = this.groups[groupOf(gaps)];
    if (known === 0 || group === undefined) return;
    for (let i = 0; i < GAP_BUCKETS; i++)
      counts[i] = (counts[i] as number) + (ASSUMED_GAPS / known) * (group[i] as number);
  }
}

function groupOf(gaps: IdleGaps): number {
  if (gaps.total === 0) return 0;
  return 1 + Math.min(OCTAVES - 1, Math.max(0, Math.floor(Math.log2(gaps.meanMs))));
}
