import { PilotlightError } from '../../model/errors.ts';
import type { Runtime } from '../../model/runtime.ts';
import { withDeadline } from '../../util/abort.ts';
import type { Clock } from '../../util/clock.ts';
import { formatDuration } from '../../util/units.ts';

/** A call to a runtime takes no longer than this, ms. */
export const RUNTIME_CALL_MS = 60_000;

/**
 * Makes a call to a runtime, which gets a signal that is aborted after `ms`.
 * @throws RUNTIME_FAILED when the time is over; the outer signal's reason when that is aborted; what the call throws
 */
export function callRuntime<Value>(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  call: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const late = () => new PilotlightError('RUNTIME_FAILED', `the runtime did not answer within ${formatDuration(ms)}`);
  return withDeadline(clock, ms, signal, late, call);
}

/** Nothing is paused by a runtime that cannot. @throws INTERNAL */
export function never({ name }: Runtime): never {
  throw new PilotlightError('INTERNAL', `the ${name} runtime freezes nothing`);
}
