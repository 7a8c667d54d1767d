import type { Logger } from '../../model/observe.ts';
import type { Clock } from '../../util/clock.ts';
import type { Deadlines } from './deadlines.ts';

/**
 * What all parts of one edge share. A room declares in its own context what more it needs, and the edge builds one
 * object that is all of them: a request reaches whatever it is in one step.
 */
export interface IoContext {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly deadlines: Deadlines;
}
