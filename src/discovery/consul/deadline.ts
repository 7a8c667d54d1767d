import { PilotlightError } from '../../model/errors.ts';
import type { Clock } from '../../util/clock.ts';

/**
 * Runs a task whose signal fires when the caller's does or `ms` milliseconds have passed.
 * @throws CANCELLED, DISCOVERY_UNREACHABLE (too late), and what the task throws by itself
 */
export async function withDeadline<T>(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (signal.aborted) throw new PilotlightError('CANCELLED', 'called off');
  let late = false;
  const abort = new AbortController();
  const onAbort = () => abort.abort();
  signal.addEventListener('abort', onAbort, { once: true });
  const timer = clock.after(ms, () => {
    late = true;
    abort.abort();
  });
  try {
    return await task(abort.signal);
  } catch (thrown) {
    if (signal.aborted) throw new PilotlightError('CANCELLED', 'called off');
    if (late) throw new PilotlightError('DISCOVERY_UNREACHABLE', 'timed out');
    throw thrown;
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', onAbort);
  }
}
