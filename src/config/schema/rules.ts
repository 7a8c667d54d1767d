import { z } from 'zod';
import type {
  BasicAuthSettings,
  HeaderRules,
  RateSettings,
  RedirectSettings,
  RouteRules,
} from '../../model/route-rules.ts';
import {
  type Exactly,
  list,
  mapping,
  option,
  optional,
  options,
  required,
  section,
  type Yield,
} from '../option/option.ts';
import { duration, flag, integer, parsed, text } from '../option/value-types.ts';
import { readCidr } from './addresses.ts';
import {
  headerNameFault,
  passwordHash,
  readHeaderName,
  readHeaderValue,
  readRedirectStatus,
  readRedirectTarget,
} from './rule-readers.ts';

const headerName = z.string().check((context) => {
  const message = headerNameFault(context.value);
  if (message !== undefined) context.issues.push({ code: 'custom', input: context.value, message });
});

const direction = (about: string, whose: string) =>
  section(
    {
      set: mapping(
        headerName,
        parsed('text', 'a header value', readHeaderValue, { type: ['string', 'number', 'boolean'] }),
        `Fields by name, each in the place of all ${whose} of that name. ` +
          'A value may hold `{client}` `{host}` `{path}` `{query}` `{request-id}`.',
      ),
      remove: list(parsed('header name', 'a header name', readHeaderName), 'Fields to take out.'),
    },
    about,
    {
      yields: ({ set, remove }): HeaderRules => ({
        set: Object.entries(set).map(([name, value]) => ({ name, value })),
        remove,
      }),
    },
  ) satisfies Exactly<HeaderRules>;

const userName = z
  .string()
  .regex(/^[^\u0000-\u001f\u007f:]{1,128}$/, 'a user name has no ":" and no control characters');

const basicAuth = options(
  {
    realm: option(
      text({ pattern: /^[ !#-[\]-~]{1,128}$/, expected: 'printable ASCII without quotes and backslashes' }),
      'Restricted',
      'What the browser says that the password is for.',
    ),
    users: required(
      z
        .record(userName, text({ ...passwordHash, secret: true }))
        .refine((users) => Object.keys(users).length > 0, 'expected at least one user'),
      'User names with hashes of their passwords: `pilotlight hash-password` makes them.',
    ),
    forward: option(flag(), 'false', 'Whether the service gets the Authorization field.'),
  },
  ({ users, ...rest }): BasicAuthSettings => ({
    ...rest,
    users: Object.entries(users).map(([name, hash]) => ({ name, hash })),
  }),
) satisfies Exactly<BasicAuthSettings>;

const rate = options(
  {
    requests: required(integer('requests', 1, 1_000_000), 'Requests per `per` in the long run.'),
    perMs: option(duration(), '1s', 'The time that `requests` counts for.'),
    burst: optional(integer('requests', 1, 1_000_000), 'Requests at once after a pause.', '`requests`'),
  },
  ({ requests, perMs, burst = requests }): RateSettings => ({ requests, perMs, burst }),
) satisfies Exactly<RateSettings>;

const redirect = options({
  to: required(
    parsed('URL or path', 'a URL or a path', readRedirectTarget),
    'Where to: a URL or a path. `{host}` is the host without port, `{path}` the path (what `strip` leaves of it), ' +
      '`{query}` the query with its `?`, or nothing.',
  ),
  status: option(
    parsed('301 \\| 302 \\| 303 \\| 307 \\| 308', '301, 302, 303, 307 or 308', readRedirectStatus, {
      enum: [301, 302, 303, 307, 308],
    }),
    '308',
    'Status of the answer.',
  ),
}) satisfies Exactly<RedirectSettings>;

/** The keys of a route that ask something of its requests or change them. */
export const ruleOptions = {
  strip: option(
    flag(),
    'false',
    "Whether the route's path is cut off what the service gets, `/` where nothing is left; X-Forwarded-Prefix tells it. " +
      'What is left with dot segments or two slashes at its beginning, however it is read, is 400. Location and ' +
      'Set-Cookie of answers stay as they are: the service has to put the prefix into what it sends.',
  ),
  addSlash: option(
    flag(),
    'false',
    'Whether GET and HEAD of `/blog` itself are sent to `/blog/` (308): relative links of a page there lead below it.',
  ),
  redirect: optional(redirect, 'Sends the client elsewhere. A service with only such routes needs no endpoints.'),
  allow: optional(
    z
      .array(parsed('address or CIDR', 'an address or a CIDR, such as 10.0.0.0/8', readCidr))
      .min(1, 'expected at least one address'),
    'Clients that are let in; others get 403.',
    'all clients',
  ),
  allowSubjects: optional(
    z
      .array(text({ pattern: /^[ -~]{1,1024}$/, expected: 'a subject such as CN=alice,O=Shop' }))
      .min(1, 'expected at least one subject'),
    'Subjects of client certificates that are let in, as `CN=alice,O=Shop`; `*` stands for anything. Others, and clients ' +
      'without a certificate, get 403. Needs `tls.clientAuth` on the listeners.',
    'with a certificate or without',
  ),
  basicAuth: optional(basicAuth, 'Asks for a user name and a password (HTTP Basic): 401.'),
  rate: optional(
    rate,
    'Most requests of one client address (of one /64 network with IPv6); beyond it 429. In a `cluster` it holds over all members, each of which has an equal part.',
  ),
  headers: section(
    {
      request: direction('Fields of requests as they go to the service, trailers included.', 'the client sent'),
      response: direction("Fields of the service's answers; those of Pilotlight's own are not touched.", 'it sent'),
    },
    'Fields that are set or removed.',
  ),
};

/** The rules of a route; undefined where there are none, which is what the request path asks first. */
export function routeRules(given: Yield<typeof ruleOptions>): RouteRules | undefined {
  const { strip, addSlash, redirect, allow = [], allowSubjects, basicAuth, rate, headers } = given;
  const rules = {
    strip,
    redirect,
    ...(addSlash ? { addSlash } : {}),
    allow,
    ...(allowSubjects ? { allowSubjects } : {}),
    basicAuth,
    rate,
    headers,
  };
  return asksNothing(rules) ? undefined : rules;
}

/** Nothing is on or said in it, however deep. */
function asksNothing(rule: unknown): boolean {
  if (typeof rule === 'object' && rule !== null) return Object.values(rule).every(asksNothing);
  return rule === undefined || rule === false;
}
