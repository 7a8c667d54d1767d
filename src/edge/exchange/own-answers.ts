import type { RefusalCode } from '../../model/refusals.ts';
import { type OwnAnswer, ownAnswer, refusalAnswer, retryAfterSeconds } from '../answer/own-answer.ts';
import { failedPage, isNavigation, PAGE_FIELDS } from '../hold/waiting-page.ts';
import type { CompiledRules } from '../route/compiled-rules.ts';
import type { Redirect } from '../route/redirect.ts';
import type { Service } from '../service/service.ts';
import type { Downstream } from './downstream.ts';

/** The request that is refused. */
interface Refused {
  readonly client: Downstream;
  readonly requestId: string;
  /** Undefined where no route was found. */
  readonly service: Service | undefined;
  readonly rules: CompiledRules | undefined;
  /** How long the client has to wait until its next request is within its rate, ms. */
  readonly retryMs: number;
}

/** Returns what a refused client is told. @param now the clock's ms */
export function refusalOf(code: RefusalCode, refused: Refused, now: number): OwnAnswer {
  const { client, requestId, service, rules, retryMs } = refused;
  const retryAfter = retryAfterMs(code, service, retryMs, now);
  const page = pageOf(code, refused, retryAfter);
  return refusalAnswer(code, {
    requestId,
    retryAfterMs: retryAfter,
    accept: client.request.head.get('accept'),
    fields: code === 'UNAUTHORIZED' ? rules?.challenge : page === undefined ? undefined : PAGE_FIELDS,
    page,
  });
}

/** A browser whose service could not be started gets a page from which to try again. */
function pageOf(
  code: RefusalCode,
  { client, requestId, service }: Refused,
  retryAfter: number | undefined,
): string | undefined {
  if (code !== 'START_FAILED' && code !== 'START_BLOCKED') return undefined;
  if (service?.policy.hold.page !== 'auto' || !isNavigation(client.request)) return undefined;
  return failedPage(service.name, client.request.target, retryAfterSeconds(retryAfter ?? 0), requestId);
}

/** What a client is told when nothing better is known, ms. */
const DEFAULT_MS = 1000;

/**
 * When a refused client may come back, ms; undefined where that would not help.
 * @param service where a route was found
 * @param rateMs until its next request is within its rate
 * @param now the clock's ms
 */
function retryAfterMs(
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

/** Sends a client elsewhere. */
export function redirectAnswer({ status, text }: Redirect, location: string): OwnAnswer {
  return ownAnswer(status, `Location: ${location}\r\nContent-Type: text/plain; charset=utf-8\r\n`, text);
}
