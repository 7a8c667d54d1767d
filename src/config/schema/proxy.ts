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
  size,
  text,
} from '../option/options.ts';
import { readAdvertise, readCidr, readConsulAddress, readDockerSocket, readHostPort, readWorkers } from './readers.ts';

/** `host:port`, where port 0 takes a free one. */
const listenAddress = () =>
  parsed('host:port', 'host:port, such as 0.0.0.0:8080 or [::]:8080', (input) => readHostPort(input, 0));

const absolutePath = (what: string) => text({ expected: what });

const limitsSchema = section(
  {
    head: option(size(256, '256B'), '32KiB', 'Bytes of a request head; beyond it 431.'),
    fields: option(integer('fields', 1, 10_000), '100', 'Header fields of a request; beyond it 431.'),
    target: option(size(16, '16B'), '8KiB', 'Bytes of a request target; beyond it 414.'),
    chunkExtensions: option(size(), '16KiB', 'Bytes of chunk extensions in one request body; beyond it 400.'),
    trailers: option(
      size(2, '2B'),
      '16KiB',
      'Bytes of trailers behind one request body, which are 64 fields at most; beyond it 400.',
    ),
    requests: option(
      integer('requests', 0),
      '0',
      'Requests per connection; the last answer says `Connection: close`. 0 is no limit.',
    ),
    connections: option(
      integer('connections', 1, 10_000_000),
      '10000',
      'Client connections. Beyond it the one that has been idle for longest is closed; 503 where none is idle.',
    ),
    connectionsPerClient: option(
      integer('connections', 0),
      '0',
      'Connections of one client address (of IPv6, the network of its first 64 bits), trusted proxies not counted; ' +
        'beyond it 503. 0 is no limit.',
    ),
  },
  'What clients may use.',
);

/** `listen`. */
export const listenSchema = required(
  z
    .array(
      z.strictObject({
        address: required(listenAddress(), 'Address and port to accept clients on; port 0 takes a free one.'),
        timeouts: section(
          {
            head: option(duration(), '10s', "From a request's first byte to the end of its head."),
            body: option(duration(), '30s', 'Longest pause while a request body arrives.'),
            keepAlive: option(duration(), '75s', 'How long an idle client connection is kept.'),
            send: option(
              duration(),
              '60s',
              'Longest time that a client takes nothing of what is written to it, before it is cut off. ' +
                'An answer with nothing to send at the moment is not meant.',
            ),
          },
          'Time-outs on the side of the client.',
        ),
        limits: limitsSchema,
        proxyProtocol: option(
          flag(),
          'false',
          'Whether connections begin with a PROXY protocol header (version 1 or 2), which names the client. ' +
            'Only `trustedProxies` may connect then.',
        ),
      }),
    )
    .min(1, 'expected at least one address'),
  'Where clients connect.',
);

/** `trustedProxies`. */
export const trustedProxiesSchema = list(
  parsed('address or CIDR', 'an address or a CIDR, such as 10.0.0.0/8', readCidr),
  'Peers whose forwarding headers are believed: proxies in front of this one. What they may say is in ' +
    '[Behind another proxy](operations.md#behind-another-proxy).',
);

/** `accessLog`. */
export const accessLogSchema = section(
  {
    file: optional(
      absolutePath('a path, or stdout'),
      "Where a line per request goes: a path, or `stdout`. A relative path counts from this file's folder. " +
        'SIGHUP opens it anew, as after a rotation.',
      'none',
    ),
    format: option(
      choice('json', 'common', 'combined', 'httplog'),
      'json',
      "Fields and their order: JSON, the NCSA formats, or those of HAProxy's `option httplog`. " +
        'Query values that look like secrets are left out in all of them.',
    ),
  },
  'A line per request.',
);

/** `admin`. */
export const adminSchema = section(
  {
    address: option(
      listenAddress(),
      '127.0.0.1:9400',
      'Address of the admin API. One that is not loopback requires a token.',
    ),
    token: optional(
      text({ secret: true, pattern: /^[!-~]+$/, expected: 'printable ASCII without blanks' }),
      'Bearer token that every request but the health checks must carry.',
      'none',
    ),
  },
  'The admin API and the metrics.',
);

/** `workers`. */
export const workersSchema = option(
  parsed('whole number \\| auto', 'a whole number from 1 to 256, or auto', readWorkers, {
    type: ['integer', 'string'],
    minimum: 1,
    maximum: 256,
  }),
  '1',
  'Processes that serve requests; 1 is the same process, auto one per core. With more than one, bounds on connections, ' +
    'held requests and bytes, and rates are shared out in equal parts: together they never exceed them, but one may ' +
    'refuse while another has room. Each must be at least the number of workers.',
);

/** `state`. */
export const stateSchema = optional(
  absolutePath('a directory'),
  "Directory for what outlives the process; one Pilotlight at a time locks it. A relative one counts from this file's folder.",
  '`$STATE_DIRECTORY`, else `$XDG_STATE_HOME/pilotlight`, else `~/.local/state/pilotlight` (root: `/var/lib/pilotlight`)',
);

/** `consul`. */
export const consulSchema = section(
  {
    address: optional(
      parsed('origin', 'an origin such as http://127.0.0.1:8500', readConsulAddress),
      "Origin of Consul's HTTP API.",
      '`$CONSUL_HTTP_ADDR`, else `http://127.0.0.1:8500`',
    ),
    token: optional(
      text({ secret: true, pattern: /^[!-~]+$/, expected: 'printable ASCII without blanks' }),
      'ACL token. A changed one takes effect by a reload.',
      '`$CONSUL_HTTP_TOKEN`, else none',
    ),
    caCert: optional(
      absolutePath('the path of a PEM file'),
      "PEM file of the authority that signs Consul's certificate. A relative path counts from this file's folder.",
      '`$CONSUL_CACERT`, else none',
    ),
    register: option(
      choice('false', 'edge', 'replicas'),
      'false',
      "`edge` registers this proxy under each service's name, so that callers who look it up reach and wake it; " +
        '`replicas` registers each replica that Pilotlight starts, as `<name>-replica`.',
    ),
    advertise: optional(
      parsed('host or host:port', 'a host or host:port that others can reach', readAdvertise),
      "Under which others reach this proxy (edge) or this machine's replicas; needed to register.",
      'none',
    ),
  },
  'Consul, in use when this section is there or a service has `endpoints.consul`.',
);

/** `docker`. */
export const dockerSchema = section(
  {
    socket: optional(
      parsed('path or tcp://host:port', 'the path of a socket, or tcp://host:port', readDockerSocket),
      "The Engine API's socket.",
      '`$DOCKER_HOST`, else `/var/run/docker.sock`',
    ),
    reach: option(
      choice('auto', 'container', 'host'),
      'auto',
      "How replicas are dialled: `container` is the container's own address, `host` a published loopback port.",
    ),
  },
  'The Docker engine, in use when this section is there or a service has `run.docker`.',
);

/** `budget`. */
export const budgetSchema = section(
  {
    replicas: option(
      integer('replicas', 1, 100_000),
      '50',
      'Most replicas of all services together, stopping ones included.',
    ),
    concurrentStarts: option(
      integer('starts', 1, 1000),
      '4',
      'Starts under way at once, shared fairly between services.',
    ),
    startsPerMinute: option(
      integer('starts per minute', 1, 100_000),
      '60',
      'Scale-ups and retries over all services; wakes are not counted.',
    ),
    heldBytes: option(size(), '64MiB', 'Most bytes of request bodies held for all services.'),
  },
  'Bounds over all services.',
);
