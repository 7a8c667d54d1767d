import type * as fc from 'fast-check';
import type { Neighbour } from '../harness/lane.ts';
import type { Stage, StageSettings } from '../harness/stage.ts';
import type { Verdict } from './verdict.ts';

/** A kind of cases, and how one is tried. */
export interface Fuzz<T> {
  name: string;
  cases: fc.Arbitrary<T>;
  /** The proxy that they ask for. */
  settings: StageSettings;
  /** The bytes in question, for whoever has to look into a failure. */
  bytes(one: T): string;
  try(one: T, stage: Stage, neighbour: Neighbour): Promise<Verdict>;
}
