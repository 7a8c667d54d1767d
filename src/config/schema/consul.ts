import { option, optional, section, withoutKeys } from '../option/option.ts';
import { choice, oneOrMore, parsed, path, text } from '../option/value-types.ts';
import { isHostName, readAdvertise, readConsulAddress } from './addresses.ts';
import { consulChoice, givenChoice } from './consul-choice.ts';
import { CONSUL_ADDRESS } from './default-addresses.ts';

const LIST = 'several datacenters are written as a list: datacenters: [dc1, dc2]';

/** Keys that people try, and what there is instead. */
const INSTEAD = {
  addresses: 'several agents are written as a list: address: [http://10.0.0.2:8500, http://10.0.0.3:8500]',
  ca: 'the authority is written caCert',
  dc: LIST,
  datacenter: LIST,
  tag: 'what holds for every service is written as a list: tags: [live]',
};

const written = section(
  {
    address: optional(
      oneOrMore('origin', 'an origin such as http://127.0.0.1:8500', readConsulAddress),
      "Origin of Consul's HTTP API; of several agents a list: where one does not answer the next one is asked. What is " +
        'registered is registered at the first one.',
      `\`$CONSUL_HTTP_ADDR\`, else \`${CONSUL_ADDRESS}\``,
    ),
    token: optional(
      text({ secret: true, pattern: /^[!-~]+$/, expected: 'printable ASCII without blanks' }),
      'ACL token. A changed one takes effect by a reload.',
      '`$CONSUL_HTTP_TOKEN`, else none',
    ),
    tokenFile: optional(
      path('the path of a file'),
      'File that holds the ACL token and nothing else. It is looked at every 2 s: a new token takes effect without a reload.',
      'none',
    ),
    caCert: optional(
      path('the path of a PEM file'),
      "PEM file of the authority that signs Consul's certificate. A relative path counts from this file's folder.",
      '`$CONSUL_CACERT`, else none',
    ),
    cert: optional(
      path('the path of a PEM file'),
      'PEM file with the certificate that Consul is shown; the key may be in it. Read again for new connections after one failed.',
      'none',
    ),
    key: optional(path('the path of a PEM file'), 'PEM file with its key, not encrypted.', 'the one in `cert`'),
    serverName: optional(
      parsed('name', 'a host name', (name) => (isHostName(name) ? { value: name.toLowerCase() } : undefined)),
      "Name that Consul's certificate has to be for, such as `server.dc1.consul`.",
      'that of the address',
    ),
    register: option(
      choice('false', 'edge', 'replicas'),
      'false',
      "`edge` registers this proxy under each service's name, so that callers who look it up reach and wake it; " +
        '`replicas` registers each replica that Pilotlight starts, as `<name>-replica`. Which services: their `register`.',
    ),
    advertise: optional(
      parsed('host or host:port', 'a host or host:port that others can reach', readAdvertise),
      "Under which others reach this proxy (edge) or this machine's replicas; needed to register.",
      'none',
    ),
    ...consulChoice((usual) => usual),
  },
  'Consul, in use when this section is there or a service has `endpoints.consul`. What is said here of the choice of ' +
    'instances (`datacenters` and all below it) holds for every service that does not say otherwise.',
  {
    yields: ({ datacenters, tags, filter, namespace, partition, near, warning, tokenFile, cert, key, ...rest }) => {
      const { serverName, ...others } = rest;
      return {
        ...others,
        ...givenChoice({ datacenters, tags, filter, namespace, partition, near, warning }),
        ...(tokenFile !== undefined && { tokenFile }),
        ...(cert !== undefined && { cert }),
        ...(key !== undefined && { key }),
        ...(serverName !== undefined && { serverName }),
      };
    },
  },
);

/** `consul`. */
export const consulSchema = withoutKeys(written, INSTEAD);
