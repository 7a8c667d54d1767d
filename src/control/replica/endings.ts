import type { ErrorCode } from '../../model/errors.ts';
import type { Instance } from '../../model/runtime.ts';

/** A start that was called off, or not begun as another proxy may lead by now: nothing failed, and it is planned anew. */
export const withdrawals: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['CANCELLED', 'CLUSTER_RIGHT_LOST']);

/** Errors that say that nothing runs any more. */
export const endings: ReadonlySet<ErrorCode> = new Set([
  'REPLICA_EXITED',
  'OUT_OF_MEMORY',
  'COMMAND_NOT_FOUND',
  'HOST_LOST',
]);

/**
 * Whether somebody had a replica end. One that is not known any more was removed; one that ended in order is believed
 * to have been asked to, but not again and again.
 */
export function isByHand(now: Instance | undefined, inARow: number): boolean {
  if (now === undefined || now.endedByHand === 'yes') return true;
  return now.endedByHand === 'perhaps' && inARow <= 1;
}

/** How a replica ended, in words. */
export function endText(now: Instance | undefined): string {
  if (now === undefined) return 'somebody removed it';
  const inWords = now.lost ?? now.deaf;
  if (inWords !== undefined) return inWords;
  if (now.outOfMemory === 'yes') return 'it ran out of memory';
  if (now.endedByHand === undefined) return 'it ended by itself';
  return now.endedByHand === 'yes' ? 'somebody ended it' : 'it ended in order';
}
