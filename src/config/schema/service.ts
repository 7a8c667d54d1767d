import { z } from 'zod';
import {
  choice,
  duration,
  durationOr,
  flag,
  integer,
  list,
  option,
  optional,
  parsed,
  required,
  section,
  share,
  size,
  text,
  words,
} from '../option/options.ts';
import { balancingShape, resolveSchema, staticSchema } from './balancing.ts';
import { probeHost } from './probe-host.ts';
import { readHostPattern, readPathPrefix, readProbePath, readStatusRange, readUpstreamHost } from './readers.ts';
import { readVia } from './rule-readers.ts';
import { ruleShape } from './rules.ts';
import { runSchema } from './run.ts';
import { scaleSchema } from './scale.ts';

const routesSchema = required(
  z
    .array(
      z.strictObject({
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
        ...ruleShape,
        maxBody: option(size(0), '0', 'Bytes of a request body; beyond it 413. 0 is no limit.'),
      }),
    )
    .min(1, 'expected at least one route'),
  'What leads to this service.',
);

const endpointsSchema = section(
  {
    consul: optional(
      z.strictObject({
        service: required(text(), "The service's name in Consul."),
        tag: optional(
          words('tag: [live, public]'),
          'Only entries with this tag; of a list, only those with all of them.',
          'any',
        ),
      }),
      'Follow a service in Consul. Instances with a critical check get nothing; the others share by their `Weights` (1 ' +
        'where there are none), that for a warning while a check warns. An instance of weight 0 gets requests only while ' +
        'no other is usable. The datacenter is that of the agent; another one, namespaces, filter expressions and ' +
        'prepared queries are not supported.',
    ),
    static: staticSchema,
    resolve: resolveSchema,
  },
  'Where replicas that others start are found.',
);

const readySchema = section(
  {
    check: option(
      choice('http', 'docker-health'),
      'http',
      "`http` asks the replica itself; `docker-health` goes by the container's own HEALTHCHECK, which is run at once and again until it passes, whatever its interval.",
    ),
    path: option(parsed('path', 'a path', readProbePath), '/', 'What is asked for (GET). For `http` only.'),
    host: probeHost(' For `http` only.'),
    status: option(
      parsed('status or range', 'a status or a range such as 200-499', readStatusRange, {
        type: ['string', 'integer'],
      }),
      '200-499',
      'Statuses that mean ready. For `http` only.',
    ),
    timeout: option(duration(), '60s', 'How long a start may take to get ready.'),
  },
  'When a started replica may get requests. `ready: docker-health` is short for `check: docker-health`.',
  'docker-health',
);

const holdSchema = section(
  {
    max: option(integer('requests', 1, 10_000_000), '1000', 'Most requests held at once.'),
    maxBytes: option(size(), '16MiB', 'Most body bytes held at once.'),
    perClient: option(
      integer('requests', 0),
      '0',
      'Most requests held per client address (of IPv6, the network of its first 64 bits); 0 is no limit.',
    ),
    timeout: option(
      durationOr(1, 'auto'),
      'auto',
      "Longest hold. `auto` is 3.5 × the p95 of the service's own start times, 10s to 120s, and 30s before any is known.",
    ),
    page: option(choice('auto', 'off'), 'auto', 'Whether browsers that navigate get a waiting page.'),
  },
  'Requests that wait for a start.',
);

const wakeSchema = list(
  z.strictObject({
    path: optional(parsed('path', 'a path', readPathPrefix), 'Path prefix at a segment border.', 'any'),
    userAgent: optional(text(), 'Glob on the User-Agent: `*` only, case-insensitive.', 'any'),
    then: required(
      choice('wake', 'answer', 'deny'),
      '`wake` starts the service, `answer` answers in its place, `deny` answers 503.',
    ),
    status: option(integer('', 200, 599), '200', 'Status that `answer` sends.'),
  }),
  'What a request for a sleeping service does. The first rule whose conditions all match decides; without one it wakes. ' +
    'While the service is awake every request goes to it, but one that may not wake it does not keep it awake either: ' +
    'it is no activity, takes no retire back, and nothing is scaled for it.',
);

/** The keys of a service that `defaults` may set too. */
const shared = {
  ready: readySchema,
  hold: holdSchema,
  scale: scaleSchema,
  ...balancingShape,
  timeouts: section(
    {
      connect: option(duration(), '2s', 'To connect to a replica.'),
      firstByte: option(
        duration(),
        '60s',
        "From the moment at which the whole request is there and dispatched to the answer's first byte; also how long " +
          'the upstream may leave a body that is being sent to it unread. What the client delays does not count.',
      ),
      stream: option(
        duration(),
        '5m',
        'Longest pause of an answer in progress or an open tunnel before it counts as quiet: it keeps the service awake no longer, and is closed when that goes to sleep.',
      ),
      tunnel: option(duration(), '1h', 'Longest silence of a tunnel before it is closed.'),
      drain: option(
        duration(0),
        '30s',
        'How long a retiring replica may finish what it has; at a scale-down, `scale.patience` holds. Also how long what the service has in flight or held may take when the proxy ends, or the service leaves the file: whoever stops the proxy (`docker stop -t`, `TimeoutStopSec`) has to wait longer than that.',
      ),
    },
    'Time-outs on the side of the replicas.',
  ),
  limits: section(
    {
      head: option(
        size(256, '256B'),
        '64KiB',
        'Bytes of the head of an answer; beyond it 502. With `engine: http-proxy` never more than the default.',
      ),
      fields: option(integer('fields', 1, 10_000), '256', 'Header fields of an answer; beyond it 502.'),
      chunkExtensions: option(
        size(),
        '16KiB',
        'Bytes of chunk extensions in one answer; beyond it the answer is broken off.',
      ),
      trailers: option(
        size(2, '2B'),
        '16KiB',
        'Bytes of trailers behind one answer, which are 64 fields at most; beyond it the answer is broken off.',
      ),
    },
    'What answers of the replicas may use. What requests may is `listen[].limits`.',
  ),
  retries: section(
    {
      max: option(integer('attempts', 0, 10), '1', 'Additional attempts per request.'),
      budget: option(share(), '10%', 'Share of requests over 10 s that may be retries.'),
      idempotent: option(flag(), 'false', 'Also PUT, DELETE and requests with an Idempotency-Key.'),
    },
    'Second attempts of requests that may be repeated safely.',
  ),
  wake: wakeSchema,
  upstreamHost: optional(
    parsed('host or host:port', 'a host or host:port', readUpstreamHost),
    'Host header sent to the replicas.',
    "the client's, unchanged",
  ),
  engine: option(
    choice('native', 'http-proxy'),
    'native',
    'How requests go upstream: `http-proxy` takes the package of that name, for compatibility with what was built on ' +
      'it, at several times the cost; only for services without `run`.',
  ),
  via: option(
    parsed('false or name', 'false, or a name such as pilotlight', readVia, { type: ['string', 'boolean'] }),
    'false',
    'Name of this proxy in the Via field of requests and answers.',
  ),
  allowHalfOpen: option(
    flag(),
    'false',
    'Whether a client that closes its sending side later than 250 ms after the last byte of its request waits for the ' +
      'answer all the same; else it has given up: before the answer begins what waits is dropped and what was sent is ' +
      'cancelled, within it when nothing flows for 1 s. One that closes it right behind the request, as BusyBox wget ' +
      'and `nc -N` do, always gets its answer, but gives its place up first when the hold is full.',
  ),
  onExit: optional(
    choice('keep', 'stop'),
    'What happens to the replicas when Pilotlight ends.',
    '`keep`; `stop` with `run.process`',
  ),
};

/** `services.<name>`. */
export const serviceSchema = z.strictObject({
  routes: routesSchema,
  endpoints: endpointsSchema,
  run: runSchema,
  ...shared,
});

/** `defaults`. Its values are checked here and merged, as written, under each service. */
export const defaultsSchema = section(
  shared,
  'Any key of a service but `routes`, `endpoints` and `run`: what holds where a service does not say otherwise. ' +
    'Sections are merged key by key, lists are replaced.',
);
