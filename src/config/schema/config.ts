// To add an option, state it in the file of its section, under the name of its setting (that of a duration ends in Ms,
// which the file leaves out), and add the setting to src/model: `npm run typecheck` tells where the two differ. Then
// `npm run generate` documents it, and config/reference.yaml shows it.

import { availableParallelism } from 'node:os';
import { z } from 'zod';
import type { Settings } from '../../model/settings.ts';
import { abouts, list, option, optional } from '../option/option.ts';
import { parsed, path, type Reading, words } from '../option/value-types.ts';
import { accessLogSchema } from './access-log.ts';
import { readCidr } from './addresses.ts';
import { adminSchema } from './admin.ts';
import { budgetSchema } from './budget.ts';
import { clusterSchema } from './cluster.ts';
import { consulSchema } from './consul.ts';
import { declareSchema } from './declare.ts';
import { dockerSchema } from './docker.ts';
import { listenSchema } from './listen.ts';
import { pricesSchema } from './prices.ts';
import { defaultsSchema, serviceSchema } from './service.ts';
import { swarmSchema } from './swarm.ts';
import { tracesSchema } from './traces.ts';

export const serviceName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'a service name is a-z, 0-9 and "-", at most 63 characters, not "-" first');

const servicesSchema = z.record(serviceName, serviceSchema);
abouts.add(servicesSchema, { about: 'The services, by name.', required: true });

/** Most worker processes. */
const MAX_WORKERS = 256;

/** A number of processes; `auto` is one per core. */
function readWorkers(text: string): Reading<number> {
  const count = text === 'auto' ? Math.min(availableParallelism(), MAX_WORKERS) : /^\d+$/.test(text) ? Number(text) : 0;
  return count >= 1 && count <= MAX_WORKERS ? { value: count } : undefined;
}

/** The settings, with those of parts and the defaults of services beside them. */
type Keys = Exclude<keyof Settings, 'parts'> | 'consul' | 'docker' | 'swarm' | 'defaults';

/**
 * A whole file. Every option carries its type, unit, default and meaning: the JSON Schema, the reference and the
 * messages come from here.
 */
export const configSchema = z.strictObject({
  include: optional(
    words('[services.d/*.yaml, more.yaml]'),
    'Files with more services: a pattern such as `services.d/*.yaml`, or a list of them; `*` only in the name of the file. ' +
      "Each holds `services` and nothing else, with the same rules, and relative paths count from this file's folder. What " +
      'is added, changed or removed takes effect by itself; a folder that is made later is seen by the next reload.',
    'none',
  ),
  listen: listenSchema,
  trustedProxies: list(
    parsed('address or CIDR', 'an address or a CIDR, such as 10.0.0.0/8', readCidr),
    'Peers whose forwarding headers are believed: proxies in front of this one. What they may say is in ' +
      '[Behind another proxy](operations.md#behind-another-proxy).',
  ),
  accessLog: accessLogSchema,
  traces: tracesSchema,
  admin: adminSchema,
  workers: option(
    parsed('whole number \\| auto', 'a whole number from 1 to 256, or auto', readWorkers, {
      type: ['integer', 'string'],
      minimum: 1,
      maximum: 256,
    }),
    '1',
    'Processes that serve requests; 1 is the same process, auto one per core. With more than one, bounds on connections, ' +
      'held requests and bytes, and rates are shared out in equal parts: together they never exceed them, but one may ' +
      'refuse while another has room. Each must be at least the number of workers.',
  ),
  state: optional(
    path('a directory'),
    "Directory for what outlives the process; one Pilotlight at a time locks it. A relative one counts from this file's folder.",
    '`$STATE_DIRECTORY`, else `$XDG_STATE_HOME/pilotlight`, else `~/.local/state/pilotlight` (root: `/var/lib/pilotlight`)',
  ),
  consul: consulSchema,
  cluster: clusterSchema,
  docker: dockerSchema,
  swarm: swarmSchema,
  budget: budgetSchema,
  prices: pricesSchema,
  declare: declareSchema,
  defaults: defaultsSchema,
  services: servicesSchema,
} satisfies Record<Keys, z.ZodType>);

/** A whole file, its texts turned into settings, without what hangs on several sections. */
export type Config = z.output<typeof configSchema>;
