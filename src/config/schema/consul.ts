import { option, optional, section } from '../option/option.ts';
import { choice, parsed, path, text } from '../option/value-types.ts';
import { readAdvertise, readConsulAddress } from './addresses.ts';
import { CONSUL_ADDRESS } from './default-addresses.ts';

/** `consul`. */
export const consulSchema = section(
  {
    address: optional(
      parsed('origin', 'an origin such as http://127.0.0.1:8500', readConsulAddress),
      "Origin of Consul's HTTP API.",
      `\`$CONSUL_HTTP_ADDR\`, else \`${CONSUL_ADDRESS}\``,
    ),
    token: optional(
      text({ secret: true, pattern: /^[!-~]+$/, expected: 'printable ASCII without blanks' }),
      'ACL token. A changed one takes effect by a reload.',
      '`$CONSUL_HTTP_TOKEN`, else none',
    ),
    caCert: optional(
      path('the path of a PEM file'),
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
