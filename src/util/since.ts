import { parseDuration } from './units.ts';

/**
 * A moment, given as a time (ISO 8601) or as how long ago it is (`10m`).
 * @param now milliseconds since the epoch
 * @returns milliseconds since the epoch; undefined when it is neither
 */
export function parseSince(text: string, now: number): number | undefined {
  const ago = parseDuration(text);
  if (ago !== undefined) return now - ago;
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}
