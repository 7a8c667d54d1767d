import type { ServiceTimeouts } from '../../model/settings.ts';
import { type Exactly, option, section } from '../option/option.ts';
import { duration } from '../option/value-types.ts';

/** `services.<name>.timeouts`. */
export const timeoutsSchema = section(
  {
    connectMs: option(duration(), '2s', 'To connect to a replica.'),
    firstByteMs: option(
      duration(),
      '60s',
      "From the moment at which the whole request is there and dispatched to the answer's first byte; also how long " +
        'the upstream may leave a body that is being sent to it unread. What the client delays does not count.',
    ),
    streamMs: option(
      duration(),
      '5m',
      'Longest pause of an answer in progress or an open tunnel before it counts as quiet: it keeps the service awake no longer, and is closed when that goes to sleep.',
    ),
    tunnelMs: option(duration(), '1h', 'Longest silence of a tunnel before it is closed.'),
    drainMs: option(
      duration(0),
      '30s',
      'How long a retiring replica may finish what it has; at a scale-down, `scale.patience` holds. Also how long what the service has in flight or held may take when the proxy ends, or the service leaves the file: whoever stops the proxy (`docker stop -t`, `TimeoutStopSec`) has to wait longer than that.',
    ),
  },
  'Time-outs on the side of the replicas.',
) satisfies Exactly<ServiceTimeouts>;
