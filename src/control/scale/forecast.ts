/** Arrivals per second over three times as long, one after the other; the last ends now. */
export interface Trend {
  earlier: number;
  before: number;
  recent: number;
  /** Over the second half of the last. */
  lately: number;
  /** How long each of them is, ms. */
  overMs: number;
}

/** Counts differ by their square root by chance; so many times that they do not, twice in a row. */
const CHANCE = 1.5;

/**
 * Arrivals per second half of `overMs` from now, where they have grown steadily; undefined where they have not. A step is
 * no trend: it has not grown twice, and does not go on.
 */
export function forecast({ earlier, before, recent, lately, overMs }: Trend): number | undefined {
  const grown = Math.min(recent - before, before - earlier, 4 * (lately - recent));
  const chance = CHANCE * Math.sqrt((recent + before) / (overMs / 1000));
  return grown > chance ? recent + grown : undefined;
}
