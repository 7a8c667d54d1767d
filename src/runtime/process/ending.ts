import { constants } from 'node:os';
import type { Instance } from '../../model/runtime.ts';
import { ORDERLY_EXITS } from '../../util/signals.ts';
import { oomKills } from './oom-kills.ts';

/** How a process ended. */
export type ProcessEnding = { exitCode: number } & Pick<Instance, 'outOfMemory' | 'endedByHand'>;

/** With these a program is asked to end; none is sent by a fault of the program itself. */
const ASKING = new Set(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']);

/**
 * What a process ended of. SIGKILL is somebody's, or the kernel's for want of memory: the kernel's counter tells, where
 * there is one.
 * @param killsBefore what the counter said before the process was started
 */
export function endingOf(
  code: number | null,
  by: NodeJS.Signals | null,
  killsBefore: number | undefined,
): ProcessEnding {
  // As a shell reports it.
  const exitCode = code ?? 128 + (by === null ? 0 : constants.signals[by]);
  if (by === 'SIGKILL') {
    const kills = oomKills();
    if (kills === undefined || killsBefore === undefined) return { exitCode, outOfMemory: 'perhaps' };
    return kills > killsBefore ? { exitCode, outOfMemory: 'yes' } : { exitCode, endedByHand: 'yes' };
  }
  if (by !== null) return ASKING.has(by) ? { exitCode, endedByHand: 'yes' } : { exitCode };
  return ORDERLY_EXITS.has(exitCode) ? { exitCode, endedByHand: 'perhaps' } : { exitCode };
}
