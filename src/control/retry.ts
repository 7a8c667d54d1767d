import { toPilotlightError } from '../model/errors.ts';
import { type BackoffOptions, backoffDelay } from '../util/backoff.ts';
import { sleep } from '../util/clock.ts';
import type { ControlContext } from './context.ts';

/**
 * Calls until it succeeds, with growing pauses; every failure is logged as `WHAT failed: …`.
 * @param onFirstFailure gets that line, once
 * @throws only when the control plane ends
 */
export async function retrying<Value>(
  context: ControlContext,
  what: string,
  backoff: BackoffOptions,
  call: () => Promise<Value>,
  onFirstFailure: (line: string) => void = () => {},
): Promise<Value> {
  const { clock, life, logger, random } = context;
  for (let failures = 1; ; failures++) {
    try {
      return await call();
    } catch (thrown) {
      life.throwIfAborted();
      const { message, code } = toPilotlightError(thrown);
      const line = `${what} failed: ${message}; it is tried again`;
      logger.warn({ code, failures }, line);
      if (failures === 1) onFirstFailure(line);
      await sleep(clock, backoffDelay(failures, backoff, random), life);
    }
  }
}
