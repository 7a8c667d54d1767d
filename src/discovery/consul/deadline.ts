import { PilotlightError } from '../../model/errors.ts';
import { withDeadline } from '../../util/abort.ts';
import type { Clock } from '../../util/clock.ts';

/**
 * Runs a task whose signal fires when the caller's does or `ms` milliseconds have passed.
 * @throws CANCELLED, DISCOVERY_UNREACHABLE (too late), and what the task throws by itself
 */
export async function inTime<T>(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = () => new PilotlightError('DISCOVERY_UNREACHABLE', 'timed out');
  try {
    return await withDeadline(clock, ms, signal, late, task);
  } catch (thrown) {
    throw signal.aborted ? new PilotlightError('CANCELLED', 'called off') : thrown;
  }
}
