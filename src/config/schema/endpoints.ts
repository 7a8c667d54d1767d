import type { z } from 'zod';
import { list, option, optional, options, required, section, withoutKeys } from '../option/option.ts';
import { textOrSection } from '../option/shorthand.ts';
import { duration, flag, integer, parsed, text, words } from '../option/value-types.ts';
import { readEndpointAddress } from './addresses.ts';

const ONE_TAG = 'several tags are written as a list: tag: [live, public] takes the entries that have all of them';
const OWN_DATACENTER = 'the datacenter is that of the agent at consul.address: another one is not supported';
const NAMESPACE = 'namespaces and partitions are not supported: those of the agent and of its token hold';
const FILTER = 'filter expressions are not supported: entries are chosen by service and tag';

/** Keys that people try below `endpoints.consul`, and what there is instead. */
const INSTEAD: Record<string, string> = {
  tags: ONE_TAG,
  datacenter: OWN_DATACENTER,
  datacenters: OWN_DATACENTER,
  dc: OWN_DATACENTER,
  namespace: NAMESPACE,
  ns: NAMESPACE,
  partition: NAMESPACE,
  filter: FILTER,
  meta: FILTER,
  'node-meta': FILTER,
  near: FILTER,
  query: 'prepared queries are not supported: name the service itself',
  passing: 'entries with a critical check get nothing in any case',
  address: 'the address of Consul stands once for all services, in the section consul at the top',
  token: 'the token for Consul stands once for all services, in the section consul at the top',
};

const addresses = list(
  textOrSection(
    options(
      {
        address: required(
          parsed('host:port', 'host:port, such as 10.0.0.5:8080 or [fd00::5]:8080', readEndpointAddress),
          'Address. A host name is looked up, and each of its addresses is an endpoint; `localhost` is not looked up. ' +
            '`unix:/run/shop.sock` is a unix socket.',
        ),
        weight: option(integer('', 1, 65_535), '1', 'Share of the requests, relative to the others.'),
        backup: option(flag(), 'false', 'Whether it is used only when no other endpoint is usable.'),
        maxConnections: option(
          integer('requests', 0),
          '0',
          'Most requests in flight, of all workers together; beyond it others serve, or requests wait as `hold` says. ' +
            '0 is no limit.',
        ),
      },
      ({ address, ...rest }) => ({ ...address, ...rest }),
    ),
    'address',
    'host:port',
    'An address alone, or with what else is to be said of it.',
  ),
  'Fixed addresses, as `host:port` or with these keys.',
);

/** `services.<name>.endpoints`. */
export const endpointsSchema = section(
  {
    consul: optional(
      withoutKeys(
        options({
          service: required(text(), "The service's name in Consul."),
          tag: optional(
            words('tag: [live, public]'),
            'Only entries with this tag; of a list, only those with all of them.',
            'any',
          ),
        }),
        INSTEAD,
      ),
      'Follow a service in Consul. Instances with a critical check get nothing; the others share by their `Weights` (1 ' +
        'where there are none), that for a warning while a check warns. An instance of weight 0 gets requests only while ' +
        'no other is usable. The datacenter is that of the agent; another one, namespaces, filter expressions and ' +
        'prepared queries are not supported.',
    ),
    static: addresses,
    resolveMs: option(
      duration(1000),
      '30s',
      'How often host names in `static` are looked up. Where that fails, the last addresses stay.',
    ),
  },
  'Where replicas that others start are found.',
  {
    yields: ({ consul, static: addresses, resolveMs }) => ({
      ...(consul === undefined ? {} : { consul }),
      ...(addresses.length === 0 ? {} : { static: { addresses, resolveMs } }),
    }),
  },
);

/** What each source is to look for, by its name; of a source that a service does not name there is nothing. */
export type Endpoints = z.output<typeof endpointsSchema>;
