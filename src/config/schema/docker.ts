import { option, optional, section } from '../option/option.ts';
import { choice, parsed } from '../option/value-types.ts';
import { readDockerSocket } from './addresses.ts';
import { DOCKER_SOCKET } from './default-addresses.ts';

/** `docker`. */
export const dockerSchema = section(
  {
    socket: optional(
      parsed('path or tcp://host:port', 'the path of a socket, or tcp://host:port', readDockerSocket),
      "The Engine API's socket.",
      `\`$DOCKER_HOST\`, else \`${DOCKER_SOCKET}\``,
    ),
    reach: option(
      choice('auto', 'container', 'host'),
      'auto',
      "How replicas are dialled: `container` is the container's own address, `host` a published loopback port.",
    ),
  },
  'The Docker engine, in use when this section is there or a service has `run.docker`.',
);
