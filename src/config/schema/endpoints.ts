import { z } from 'zod';
import { list, option, optional, options, required, section, withoutKeys } from '../option/option.ts';
import { textOrSection } from '../option/shorthand.ts';
import { duration, flag, integer, parsed, share, text, words } from '../option/value-types.ts';
import { readEndpointAddress } from './addresses.ts';
import { consulChoice, givenChoice } from './consul-choice.ts';

const LIST = 'datacenters are written as a list: datacenters: [dc1, dc2]';
const FILTER = 'metadata is chosen by an expression: filter: Service.Meta.version == "2"';

/** Keys that people try below `endpoints.consul`, and what there is instead. */
const INSTEAD: Record<string, string> = {
  datacenter: LIST,
  dc: LIST,
  ns: 'it is written namespace',
  meta: FILTER,
  'node-meta': 'metadata of nodes is chosen by an expression: filter: Node.Meta.rack == a',
  register: 'stands beside endpoints, at the service itself',
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
        options(
          {
            service: required(text(), "The service's name in Consul."),
            tag: optional(words('tag: [live, public]'), 'The same as `tags`, for one of them.', '`tags`'),
            port: optional(
              text({ pattern: /^[A-Za-z][A-Za-z0-9_-]{0,62}$/, expected: 'the name of a port, such as http' }),
              'Name of the port that is used where entries have several: one of their `Ports`, a tagged address, or the ' +
                'number in their metadata under `NAME_port`. Entries without it are skipped, and told of.',
              'the port of the entry',
            ),
            shares: optional(
              z.record(text(), share({ above: true })),
              'Share of all requests that each instance with a tag gets, by tags: `{ canary: 5% }`. The others have what is ' +
                'left, by their weights.',
              'all go by their weights',
            ),
            ...consulChoice((usual) => `that of \`consul\`, else ${usual}`),
          },
          ({ service, tag, tags, port, shares, ...choice }) => ({
            service,
            ...(shares === undefined ? {} : { shares }),
            ...(port === undefined ? {} : { port }),
            ...givenChoice({ ...choice, tags: tags ?? tag }),
          }),
        ),
        INSTEAD,
      ),
      'Follow a service in Consul. Instances with a critical check get nothing, nor do those in maintenance; the others share by their `Weights` (1 ' +
        'where there are none), that for a warning while a check warns. An instance of weight 0 gets requests only while ' +
        'no other is usable. Prepared queries are not supported. See [With Consul](consul.md).',
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
