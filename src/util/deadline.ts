import { PilotlightError } from '../model/errors.ts';
import type { Clock } from './clock.ts';
import { formatDuration } from './units.ts';

/**
 * Runs a call to a runtime with a signal that is aborted after `ms`. Settles then, even where the call does not.
 * @throws RUNTIME_FAILED when the time is over; the outer signal's reason when that is aborted; what the call throws
 */
export async function withDeadline<Value>(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  call: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  signal.throwIfAborted();
  const abort = new AbortController();
  const onAbort = () => abort.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const timer = clock.after(ms, () =>
    abort.abort(new PilotlightError('RUNTIME_FAILED', `the runtime did not answer within ${formatDuration(ms)}`)),
  );
  const aborted = new Promise<never>((_resolve, reject) => {
    abort.signal.addEventListener('abort', () => reject(abort.signal.reason), { once: true });
  });
  try {
    return await Promise.race([call(abort.signal), aborted]);
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', onAbort);
  }
}
