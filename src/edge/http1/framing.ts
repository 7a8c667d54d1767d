import { allIn, TCHAR, trimOws } from '../io/http-syntax.ts';
import { Fault, type FaultText } from './faults.ts';

/** How a body is delimited. `length` may be 0; `close` occurs in responses only. */
export const Framing = { NONE: 0, LENGTH: 1, CHUNKED: 2, CLOSE: 3 } as const;
export type FramingKind = (typeof Framing)[keyof typeof Framing];

/**
 * Reads a Content-Length: 1*DIGIT, or the same number several times in a list (RFC 9110 §8.6). Undefined when it is
 * neither, or above 2⁵³.
 */
export function parseLength(value: string): number | undefined {
  if (value.includes(',')) {
    let first: number | undefined;
    for (const part of value.split(',')) {
      const length = parseLength(trimOws(part));
      if (length === undefined || (first !== undefined && first !== length)) return undefined;
      first = length;
    }
    return first;
  }
  const digits = value.length;
  if (digits === 0 || digits > 19) return undefined;
  let out = 0;
  for (let i = 0; i < digits; i++) {
    const digit = value.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return undefined;
    out = out * 10 + digit;
  }
  return out <= Number.MAX_SAFE_INTEGER ? out : undefined;
}

/**
 * Tells what is wrong with transfer codings other than one `chunked` (RFC 9112 §6.1, §6.3). Several fields, a list that
 * holds no tokens, and a `chunked` that is not last or occurs twice cannot delimit a message. Any other coding is
 * unknown.
 */
export function codingFault(coding: string, codings: number): FaultText {
  if (codings > 1) return Fault.CODING_TWICE;
  const parts = coding.split(',').map(trimOws);
  if (parts.some((part) => !allIn(TCHAR, part, 0, part.length))) return Fault.BAD_CODING;
  const chunked = parts.indexOf('chunked');
  if (chunked < 0 || chunked === parts.length - 1) return Fault.UNKNOWN_CODING;
  return parts.lastIndexOf('chunked') > chunked ? Fault.CODING_TWICE : Fault.CODING_ORDER;
}
