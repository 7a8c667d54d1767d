import type { HostPort } from '../../model/settings.ts';
import { option, optional, section } from '../option/option.ts';
import { duration, flag, parsed, type Reading, text } from '../option/value-types.ts';
import { readAdvertise, readHostPort } from './addresses.ts';

/** Where members reach each other: a port is part of it, and no wildcard. */
function readMember(text: string): Reading<HostPort> {
  const reachable = readAdvertise(text);
  return reachable === undefined || 'fault' in reachable ? reachable : readHostPort(text, 1);
}

/** Shortest secret, characters. */
const SECRET_LENGTH = 16;

/** `cluster`. */
export const clusterSchema = section(
  {
    name: optional(
      text({ pattern: /^[a-z0-9][a-z0-9-]{0,62}$/, expected: 'a name of a-z, 0-9 and "-", at most 63 characters' }),
      'What the cluster is called, the same at all its members. Without it this proxy acts alone.',
      'none',
    ),
    consul: option(
      flag(),
      'true',
      'Where the lock of the leader and the records of the members are: there is Consul alone.',
    ),
    advertise: optional(
      parsed('host:port', 'a host:port at which the other members reach this one', readMember),
      'Where the other members reach this one; no other member has the same.',
      'none',
    ),
    address: optional(
      parsed('host:port', 'a host:port such as 0.0.0.0:9401', (text) => readHostPort(text, 1)),
      'Where this one listens for the others, where that is another address.',
      'that of `advertise`',
    ),
    secret: optional(
      text({
        secret: true,
        pattern: new RegExp(`^[!-~]{${SECRET_LENGTH},512}$`),
        expected: `${SECRET_LENGTH} to 512 characters of printable ASCII without blanks`,
      }),
      'What the members know each other by, the same at all of them; its connections are encrypted by it.',
      'none',
    ),
    ttlMs: option(
      duration(1000),
      '10s',
      'A leader that could not renew its right for half of this time acts on nothing. Consul gives the right of one ' +
        'that is gone to another after once to twice this time. Less than 10s needs `session_ttl_min` in Consul.',
    ),
    leaseMs: option(
      duration(500),
      '5s',
      'A member that is silent for so long is gone, and a new leader waits so long for those that it knows of.',
    ),
  },
  'Several proxies that act as one: one of them leads and decides for all. Takes a restart to change. See ' +
    '[cluster.md](cluster.md).',
);
