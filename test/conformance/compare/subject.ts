import type { Lane } from '../harness/lane.ts';

/** A proxy that the tables are run against: so many ways through it, each to an origin of its own. */
export interface Subject {
  name: string;
  version: string;
  lanes: Lane[];
  stop: () => Promise<void>;
}

/** Ways through each proxy, used at once. */
export const LANES = 8;

/** The name of the subject that must not fail any row. */
export const OURS = 'Pilotlight';
