import { z } from 'zod';
import type { ScaleSettings, ServiceSettings } from '../../model/settings.ts';
import { parseDuration } from '../../util/units.ts';
import { type Exactly, forOperators, option, optional, options, section, type Unset } from '../option/option.ts';
import { choice, flag, parsed, type Reading, text } from '../option/value-types.ts';
import { readUpstreamHost } from './addresses.ts';
import { answerLimitsSchema } from './answer-limits.ts';
import { balancingOptions } from './balancing.ts';
import { compressSchema } from './compress.ts';
import { type Endpoints, endpointsSchema } from './endpoints.ts';
import { holdSchema } from './hold.ts';
import { readySchema } from './ready.ts';
import { retriesSchema } from './retries.ts';
import { routesSchema } from './routes.ts';
import { type Run, runSchema } from './run.ts';
import { scaleSchema } from './scale.ts';
import { timeoutsSchema } from './timeouts.ts';
import { upstreamSchema } from './upstream.ts';
import { wakeSchema } from './wake.ts';

/** Names of services, and of groups. */
const SERVICE_WORD = /^[a-z0-9][a-z0-9-]{0,62}$/;

function serviceWord(expected: string) {
  return text({ pattern: SERVICE_WORD, expected });
}

/** The received-by of a Via field: a pseudonym, or host:port; `false` for none. */
function readVia(text: string): Reading<string | undefined> {
  if (text === 'false') return { value: undefined };
  return text !== 'true' && /^[A-Za-z0-9!#$%&'*+\-.^_`|~]+(?::\d{1,5})?$/.test(text) ? { value: text } : undefined;
}

/** How long browsers remember to come by https, ms: longer than any timer may be. */
function readHsts(text: string): Reading<number> {
  const ms = parseDuration(text);
  return ms !== undefined && ms % 1000 === 0 ? { value: ms } : undefined;
}

/** The keys of a service that `defaults` may set too. */
const shared = {
  ready: readySchema,
  hold: holdSchema,
  scale: scaleSchema,
  ...balancingOptions,
  timeouts: timeoutsSchema,
  limits: answerLimitsSchema,
  retries: retriesSchema,
  wake: wakeSchema,
  upstreamHost: optional(
    parsed('host or host:port', 'a host or host:port', readUpstreamHost),
    'Host header sent to the replicas.',
    "the client's, unchanged",
  ),
  upstream: upstreamSchema,
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
  hstsMs: optional(
    parsed('duration', 'a duration of whole seconds, such as 180d', readHsts),
    'How long browsers are to come by https alone: Strict-Transport-Security on answers of the service by https, unless ' +
      'it sends the field itself. `0s` takes it back.',
    'they are not told',
  ),
  compress: compressSchema('answers are sent as they are'),
  allowHalfOpen: option(
    flag(),
    'false',
    'Whether a client that closes its sending side later than 250 ms after the last byte of its request waits for the ' +
      'answer all the same; else it has given up: before the answer begins what waits is dropped and what was sent is ' +
      'cancelled, within it when nothing flows for 1 s. One that closes it right behind the request, as BusyBox wget ' +
      'and `nc -N` do, always gets its answer, but gives its place up first when the hold is full.',
  ),
  register: optional(
    flag(),
    'Whether it is registered in Consul as `consul.register` says: this proxy under its name, or its replicas.',
    'true with `run`',
  ),
  onExit: optional(
    choice('keep', 'stop'),
    'What happens to the replicas when Pilotlight ends.',
    '`keep`; `stop` with `run.process`',
  ),
};

/** Keys that yield less than a setting: the rest hangs on others of the service, or on its runtime. */
interface Unfinished {
  run: Run | undefined;
  scale: Unset<ScaleSettings, 'max'>;
  onExit: ServiceSettings['onExit'] | undefined;
}

/** `services.<name>`. */
export const serviceSchema = options({
  routes: routesSchema,
  endpoints: forOperators(endpointsSchema),
  run: forOperators(runSchema),
  group: optional(
    serviceWord('a name of a-z, 0-9 and "-"'),
    'Services of one group start and sleep together: all are started when one is asked for, and sleep when all are idle. ' +
      'One without routes is there for the others alone.',
    'none',
  ),
  after: optional(
    z.array(serviceWord("a service's name")).min(1, 'expected at least one service'),
    'Services of the same group that have to be ready before this one is started; they sleep after it.',
    'none',
  ),
  ...shared,
}) satisfies Exactly<
  Omit<Required<ServiceSettings>, 'name' | 'endpoints' | 'isTcp' | keyof Unfinished> &
    Unfinished & { endpoints: Endpoints }
>;

/** One service of a file, its texts turned into settings. */
export type ServiceConfig = z.output<typeof serviceSchema>;

/** What happens to the replicas of a service when Pilotlight ends: processes of this machine would be left without anybody. */
export function onExit({ onExit, run }: ServiceConfig): ServiceSettings['onExit'] {
  return onExit ?? (run?.process === undefined ? 'keep' : 'stop');
}

/** `defaults`. Its values are checked here and merged, as written, under each service. */
export const defaultsSchema = section(
  shared,
  'Any key of a service but `routes`, `endpoints`, `run`, `group` and `after`: what holds where a service does not say otherwise. ' +
    'Sections are merged key by key, lists are replaced.',
);
