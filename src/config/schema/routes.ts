import { isIP, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import { z } from 'zod';
import type { RouteSettings } from '../../model/settings.ts';
import { pathKey } from '../../util/path-readings.ts';
import { abouts, option, optional, options } from '../option/option.ts';
import { choice, flag, parsed, type Reading, size } from '../option/value-types.ts';
import { isHostName } from './addresses.ts';
import { compressSchema } from './compress.ts';
import { listenerName } from './listener-name.ts';
import { routeRules, ruleOptions } from './rules.ts';

/** The host of a route: exact, `*.suffix`, or an address; lower-cased, without a trailing dot, IDN as `xn--`. */
export function readHostPattern(text: string): Reading<string> {
  if (text.includes('://') || text.includes('/')) return { fault: 'a host only: no scheme and no path' };
  if (text === '*' || text === '') return { fault: 'leave host out to match any host' };
  if (/^\[[^\]]*\]$/.test(text) && isIPv6(text.slice(1, -1))) return { value: text.toLowerCase() };
  if (/^[^:]*:\d*$/.test(text) || /^\[.*\]:\d+$/.test(text)) return { fault: 'a host without its port' };
  const wildcard = text.startsWith('*.');
  const name = (wildcard ? text.slice(2) : text).replace(/\.$/, '');
  if (name.includes('*')) return { fault: '"*" may only stand for all labels at the start: *.example.com' };
  const ascii = /[^ -~]/.test(name) ? domainToASCII(name) : name.toLowerCase();
  if (!isHostName(ascii) || (wildcard && isIP(ascii) !== 0)) return undefined;
  return { value: wildcard ? `*.${ascii}` : ascii };
}

/**
 * A path prefix as on the wire: no query, no parameter, no dot segment; without its trailing slash unless it is `/`, and
 * in the one spelling of RFC 3986 §6.2.2.
 */
export function readPathPrefix(text: string): Reading<string> {
  if (!text.startsWith('/')) return { fault: 'a path starts with "/"' };
  if (/[?#]/.test(text)) return { fault: 'a path only: no "?" and no "#"' };
  if (/[^!-~]/.test(text)) return { fault: 'blanks and characters beyond ASCII are percent-encoded in a path' };
  if (text.includes(';')) return { fault: 'a path has no ";": what follows one in a request is a parameter' };
  if (text.includes('%00')) return { fault: 'a path has no NUL: no request with one is let through' };
  const segments = text.slice(1).replace(/\/$/, '').split('/');
  if (segments.some((segment) => /^(?:\.|%2e){1,2}$/i.test(segment))) {
    return { fault: 'a path has no "." and ".." segments' };
  }
  if (text !== '/' && segments.includes('')) return { fault: 'a path has no empty segments' };
  return { value: text === '/' ? text : pathKey(text.replace(/\/$/, '')) };
}

/** `services.<name>.routes`. */
export const routesSchema = z
  .array(
    options(
      {
        host: optional(
          // An unset variable must not open the route to every host.
          parsed('host', 'a host such as shop.example.com or *.example.com', readHostPattern, undefined, {
            keepsEmpty: true,
          }),
          'Exact, or `*.suffix` for any depth below it. The most specific host decides.',
          'any host',
        ),
        path: option(
          parsed('path', 'a path', readPathPrefix),
          '/',
          'Prefix, at segment borders; `/api` and `/api/` are the same, and so are `/api` and `/%61pi` (RFC 3986 §6.2.2). The longest one wins.',
        ),
        caseInsensitive: option(
          flag(),
          'false',
          "Whether applications behind this route's host take `/API` for `/api`: a path for which that leads to another route is 400 then.",
        ),
        ambiguousPaths: option(
          choice('refuse', 'forward'),
          'refuse',
          'What becomes of a path that leads to another route when it is decoded, merged or resolved, as `/x%2f..%2fapi`: 400, or sent on by the path as it was sent. `forward` holds where all of these routes say so, and what another one asks for (`allow`, `basicAuth`, `rate`) can be gone round then.',
        ),
        on: optional(
          z.array(listenerName()).min(1, 'expected at least one listener'),
          'Names of the listeners that it holds for.',
          'all listeners',
        ),
        ...ruleOptions,
        maxBody: option(size(0), '0', 'Bytes of a request body; beyond it 413. 0 is no limit.'),
        compress: compressSchema('as the service says'),
      },
      ({ host, path, on, caseInsensitive, ambiguousPaths, maxBody, compress, ...rules }): RouteSettings => ({
        host,
        path,
        ...(on === undefined ? {} : { on }),
        // There are thousands of routes, of which few differ in these.
        ...(caseInsensitive ? { caseInsensitive } : {}),
        ...(ambiguousPaths === 'forward' ? { ambiguousPaths } : {}),
        maxBody,
        ...(compress === undefined ? {} : { compress }),
        rules: routeRules(rules),
      }),
    ),
  )
  .min(1, 'expected at least one route')
  // Absent where a TCP listener leads to it.
  .default(() => []);
abouts.add(routesSchema, {
  about: 'What leads to this service. Required, but for one that a listener with `tcp` leads to.',
});
