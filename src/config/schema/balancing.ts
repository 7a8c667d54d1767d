import type { HashOn, OutlierSettings, StickySettings } from '../../model/balancing.ts';
import { type Exactly, option, optional, options, required, section } from '../option/option.ts';
import { choice, duration, integer, parsed, type Reading, share, text } from '../option/value-types.ts';
import { healthSchema } from './health.ts';

/** `client`, `path`, `header:NAME` or `cookie:NAME`. */
function readHashOn(text: string): Reading<HashOn> {
  if (text === 'client' || text === 'path') return { value: { kind: text } };
  const match = /^(header|cookie):([!#$%&'*+.^_`|~0-9A-Za-z-]+)$/.exec(text);
  if (match === null) return undefined;
  const name = match[2] as string;
  return { value: match[1] === 'header' ? { kind: 'header', name: name.toLowerCase() } : { kind: 'cookie', name } };
}

const outlier = section(
  {
    consecutive: option(
      integer('failures', 0, 1000),
      '5',
      'Failures in a row that eject an endpoint: failed connects, broken or missing answers, 5xx. 0 is never.',
    ),
    intervalMs: option(duration(), '10s', 'After this time without an ejection one of those before counts no more.'),
    ejectMs: option(duration(), '30s', 'Length of the first ejection; the n-th takes n times as long.'),
    maxEjectMs: option(duration(), '300s', 'Longest ejection.'),
    maxShare: option(
      share({ max: 0.5 }),
      '50%',
      'Most of the endpoints that are ejected at a time; never the only one.',
    ),
  },
  'Endpoints that fail again and again get no requests for a while.',
) satisfies Exactly<OutlierSettings>;

const sticky = optional(
  options({
    cookie: required(
      text({ pattern: /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, expected: "a cookie's name" }),
      'Name of the cookie. Services that share a host need different names.',
    ),
    ttlMs: option(duration(0), '0s', 'How long clients keep it; 0s is until they close.'),
  }) satisfies Exactly<StickySettings>,
  'A cookie that brings clients back to their endpoint. Where that is gone, or out of use, they get another and a new ' +
    'cookie; where it is merely full, another serves this one time.',
);

/** Keys of a service: which endpoint gets a request. */
export const balancingOptions = {
  balance: option(
    choice('least-request', 'round-robin', 'random', 'hash'),
    'least-request',
    'How a replica is chosen for a request; all ways go by weight.',
  ),
  hashOn: option(
    parsed('client \\| path \\| header:NAME \\| cookie:NAME', 'client, path, header:NAME or cookie:NAME', readHashOn),
    'client',
    'What `balance: hash` goes by: the same value goes to the same replica, as far as replicas stay and none has much ' +
      'more than its share. Requests without such a header or cookie go by least-request.',
  ),
  sticky,
  slowStartMs: option(
    duration(0),
    '0s',
    'How long the share of a fresh endpoint takes to rise to its weight: of one that is new, healthy again or no longer ' +
      'ejected. 0s is at once, as for those that are there at the beginning.',
  ),
  outlier,
  health: healthSchema,
};
