import { optional, options, required, section } from '../option/option.ts';
import { oneOrMore, path } from '../option/value-types.ts';
import { readDockerSocket } from './addresses.ts';
import { DOCKER_SOCKET } from './default-addresses.ts';

/** `swarm`. */
export const swarmSchema = section(
  {
    socket: optional(
      oneOrMore('path or tcp://host:port', 'the path of a socket, or tcp://host:port', readDockerSocket),
      'The Engine API of a manager; of several managers a list: where one does not answer the next one is asked.',
      `\`$DOCKER_HOST\`, else \`${DOCKER_SOCKET}\``,
    ),
    tls: optional(
      options({
        ca: required(path('a PEM file'), "Who has signed the manager's certificate."),
        cert: required(path('a PEM file'), 'Certificate that the manager asks for.'),
        key: required(path('a PEM file'), 'Its key.'),
      }),
      'TLS to managers at tcp://.',
      'none',
    ),
  },
  'The Docker Swarm that places replicas, in use when this section is there or a service has `run.swarm`.',
);
