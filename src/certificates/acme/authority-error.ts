import { PilotlightError } from '../../model/errors.ts';
import { printable } from '../../util/printable.ts';

/** What every type of problem of ACME begins with (RFC 8555 §6.7). */
const PREFIX = 'urn:ietf:params:acme:error:';
/** Most characters that are told of what an authority says. */
const MOST_TEXT = 400;
const MOST_TYPE = 100;

/** What came of asking an authority for something that it did not do. */
export class AuthorityError extends PilotlightError {
  /** Type of the problem without its prefix, such as `rateLimited`; empty: it named none. */
  readonly problem: string;
  /** When it may be asked again, ms from now; undefined: it does not say. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: 'ACME_UNREACHABLE' | 'ACME_REFUSED',
    message: string,
    more: { problem?: string; retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(code, message, more.cause);
    this.problem = more.problem ?? '';
    this.retryAfterMs = more.retryAfterMs;
  }
}

/** An answer that is not what the protocol says. @param what in words, such as `an order without its address` */
export function nonsense(what: string): AuthorityError {
  return new AuthorityError('ACME_UNREACHABLE', `the authority answers with ${printable(what, MOST_TEXT)}`);
}

/** A problem document (RFC 9457), as an answer has it or an object of the authority's under `error`. */
export function refusal(document: unknown, status: number, retryAfterMs?: number): AuthorityError {
  const { type, detail, subproblems } = isObject(document) ? document : {};
  const problem = typeof type === 'string' ? printable(type.replace(PREFIX, ''), MOST_TYPE) : '';
  const first = Array.isArray(subproblems) ? subproblems[0] : undefined;
  const details = [detail, isObject(first) ? first['detail'] : undefined].filter((text) => typeof text === 'string');
  const text = printable([...new Set(details)].join('; '), MOST_TEXT);
  const said = [problem, text].filter((part) => part !== '').join(': ');
  return new AuthorityError('ACME_REFUSED', `the authority refuses: ${said || `status ${status}`}`, {
    problem,
    retryAfterMs,
  });
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
