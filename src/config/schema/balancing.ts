import { z } from 'zod';
import {
  choice,
  duration,
  flag,
  integer,
  list,
  option,
  optional,
  parsed,
  required,
  section,
  share,
  text,
} from '../option/options.ts';
import { textOrSection } from '../option/shorthand.ts';
import { probeHost } from './probe-host.ts';
import { readEndpointAddress, readHashOn, readProbePath, readStatusRange } from './readers.ts';

/** `services.<name>.endpoints.static`. */
export const staticSchema = list(
  textOrSection(
    z.strictObject({
      address: required(
        parsed('host:port', 'host:port, such as 10.0.0.5:8080 or [fd00::5]:8080', readEndpointAddress),
        'Address. A host name is looked up, and each of its addresses is an endpoint; `localhost` is not looked up.',
      ),
      weight: option(integer('', 1, 65_535), '1', 'Share of the requests, relative to the others.'),
      backup: option(flag(), 'false', 'Whether it is used only when no other endpoint is usable.'),
      maxConnections: option(
        integer('requests', 0),
        '0',
        'Most requests in flight, of all workers together; beyond it others serve, or requests wait as `hold` says. ' +
          '0 is no limit.',
      ),
    }),
    'address',
    'host:port',
    'An address alone, or with what else is to be said of it.',
  ),
  'Fixed addresses, as `host:port` or with these keys.',
);

/** `services.<name>.endpoints.resolve`. */
export const resolveSchema = option(
  duration(1000),
  '30s',
  'How often host names in `static` are looked up. Where that fails, the last addresses stay.',
);

const outlierSchema = section(
  {
    consecutive: option(
      integer('failures', 0, 1000),
      '5',
      'Failures in a row that eject an endpoint: failed connects, broken or missing answers, 5xx. 0 is never.',
    ),
    interval: option(duration(), '10s', 'After this time without an ejection one of those before counts no more.'),
    eject: option(duration(), '30s', 'Length of the first ejection; the n-th takes n times as long.'),
    maxEject: option(duration(), '300s', 'Longest ejection.'),
    maxShare: option(
      share({ max: 0.5 }),
      '50%',
      'Most of the endpoints that are ejected at a time; never the only one.',
    ),
  },
  'Endpoints that fail again and again get no requests for a while.',
);

const healthSchema = optional(
  z.strictObject({
    path: option(parsed('path', 'a path', readProbePath), '/', 'What is asked for (GET).'),
    host: probeHost(),
    status: option(
      parsed('status or range', 'a status or a range such as 200-399', readStatusRange, {
        type: ['string', 'integer'],
      }),
      '200-399',
      'Statuses that mean healthy.',
    ),
    tcp: option(flag(), 'false', 'Only connect, and ask nothing.'),
    interval: option(duration(100), '5s', 'From one check to the next.'),
    timeout: option(duration(), '2s', 'Longest wait for the answer.'),
    rise: option(integer('checks', 1, 100), '2', 'Successes in a row that make an unhealthy endpoint healthy.'),
    fall: option(integer('checks', 1, 100), '3', 'Failures in a row that make a healthy endpoint unhealthy.'),
  }),
  'Checks of every endpoint, and of replicas while they run. The first check of a new endpoint decides alone. Unhealthy ' +
    'ones get no new requests; where all are, those that answer their checks with less than 500 are used all the same, ' +
    'which is logged: they may object to nothing but the check, such as a Host that they do not know. Without any the ' +
    'answer is 503, or requests wait where Pilotlight starts the service. Checks are no activity.',
);

const stickySchema = optional(
  z.strictObject({
    cookie: required(
      text({ pattern: /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, expected: "a cookie's name" }),
      'Name of the cookie. Services that share a host need different names.',
    ),
    ttl: option(duration(0), '0s', 'How long clients keep it; 0s is until they close.'),
  }),
  'A cookie that brings clients back to their endpoint. Where that is gone, or out of use, they get another and a new ' +
    'cookie; where it is merely full, another serves this one time.',
);

/** Keys of a service: which endpoint gets a request. */
export const balancingShape = {
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
  sticky: stickySchema,
  slowStart: option(
    duration(0),
    '0s',
    'How long the share of a fresh endpoint takes to rise to its weight: of one that is new, healthy again or no longer ' +
      'ejected. 0s is at once, as for those that are there at the beginning.',
  ),
  outlier: outlierSchema,
  health: healthSchema,
};
