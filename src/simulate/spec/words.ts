import { PilotlightError } from '../../model/errors.ts';
import { parseDuration } from '../../util/units.ts';

/** Says what was expected instead of what was written. @throws USAGE */
export function expected(what: string, found: string): never {
  throw new PilotlightError('USAGE', `expected ${what}, found "${found}"`);
}

/** A duration, ms; over 0. @throws USAGE */
export function readDuration(text: string): number {
  const ms = parseDuration(text);
  return ms !== undefined && ms > 0 ? ms : expected('a duration such as 250ms, 5s or 2m', text);
}

/** A number, 0 or more. @throws USAGE */
export function readNumber(text: string, what: string): number {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : expected(what, text);
}

/** A share such as `50%`, from 0 to 1. @throws USAGE */
export function readPercent(text: string): number {
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(text)?.[1] ?? expected('a share such as 50%', text);
  return Number(percent) <= 100 ? Number(percent) / 100 : expected('at most 100%', text);
}

/** A whole number, 1 or more. @throws USAGE */
export function readCount(text: string, what: string): number {
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : expected(what, text);
}

/** What stands before the first separator, and after it; undefined where there is none. */
export function cut(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}
