import type { RefusalCode } from '../../model/refusals.ts';
import type { Service } from '../service/service.ts';

/** What a client is told where nothing better is known, ms. */
const DEFAULT_MS = 1000;

/**
 * When a refused client may come back, ms; undefined where coming back is no better than staying away.
 * @param service where a route was found
 * @param rateMs until its next request is within its rate
 * @param now the clock's ms
 */
export function retryAfterMs(
  code: RefusalCode,
  service: Service | undefined,
  rateMs: number,
  now: number,
): number | undefined {
  const expected = service?.state.expectedStartMs ?? DEFAULT_MS;
  switch (code) {
    case 'NO_ENDPOINT':
    case 'DRAINING':
    case 'HOLD_FULL':
    case 'HOLD_BYTES':
    case 'HOLD_CLIENT':
    case 'WAKE_DENIED':
      return expected;
    case 'START_FAILED':
    case 'START_BLOCKED':
      return Math.max(DEFAULT_MS, (service?.blockedUntil ?? now) - now);
    case 'RATE_LIMITED':
      return rateMs;
    case 'AUTH_BUSY':
    case 'OUT_OF_RESOURCES':
      return DEFAULT_MS;
    case 'HOLD_TIMEOUT':
      return service?.state.starting === true ? expected : undefined;
    default:
      return undefined;
  }
}
