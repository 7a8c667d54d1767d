import { optional } from '../option/option.ts';
import { parsed, type Reading } from '../option/value-types.ts';
import { readUpstreamHost } from './addresses.ts';

/** What a check asks for: path and, if need be, query. */
export function readProbePath(text: string): Reading<string> {
  if (!text.startsWith('/')) return { fault: 'a path starts with "/"' };
  if (/[^!-~]|#/.test(text)) return { fault: 'blanks, "#" and characters beyond ASCII are percent-encoded in a path' };
  return { value: text };
}

/** Both of them included. */
interface StatusRange {
  min: number;
  max: number;
}

/** `200-499` or `204`: final statuses, 200 to 599. */
export function readStatusRange(text: string): Reading<StatusRange> {
  const match = /^(\d{3})(?:\s*-\s*(\d{3}))?$/.exec(text);
  if (match === null) return undefined;
  const min = Number(match[1]);
  const max = Number(match[2] ?? match[1]);
  if (min < 200 || max > 599) return { fault: 'a final status is 200 to 599' };
  return min > max ? { fault: 'the range runs from the lower status to the higher' } : { value: { min, max } };
}

/** `host` of a check. */
export function probeHost(more = '') {
  return optional(
    parsed('host or host:port', 'a host or host:port', readUpstreamHost),
    `Host that is asked for: one that the application knows.${more}`,
    'upstreamHost, else the first host of the routes without a wildcard, else localhost',
  );
}
