/** What became of one case. */
export interface Verdict {
  /** What is wrong; empty where nothing is. */
  complaints: string[];
  outcome: Outcome;
}

/** `broken off`: nothing came to its end, and everybody can see that. */
export const outcomes = ['passed on', 'refused', 'broken off'] as const;
export type Outcome = (typeof outcomes)[number];
