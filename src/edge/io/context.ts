import type { Logger } from '../../model/observe.ts';
import type { Clock } from '../../util/clock.ts';
import type { Deadlines } from './deadlines.ts';

/**
 * What all rooms of one edge share. Each room declares its own context with what it needs beyond this. The edge builds
 * one object that is all of these contexts, so that a request reaches anything in one step.
 */
export interface IoContext {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly deadlines: Deadlines;
}
