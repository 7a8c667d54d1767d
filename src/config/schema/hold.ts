import type { HoldSettings } from '../../model/settings.ts';
import { type Exactly, option, section } from '../option/option.ts';
import { choice, durationOr, integer, size } from '../option/value-types.ts';

/** `services.<name>.hold`. */
export const holdSchema = section(
  {
    max: option(integer('requests', 1, 10_000_000), '1000', 'Most requests held at once.'),
    maxBytes: option(size(), '16MiB', 'Most body bytes held at once.'),
    perClient: option(
      integer('requests', 0),
      '0',
      'Most requests held per client address (of IPv6, the network of its first 64 bits); 0 is no limit.',
    ),
    timeoutMs: option(
      durationOr(1, 'auto'),
      'auto',
      "Longest hold. `auto` is 3.5 × the p95 of the service's own start times, 10s to 120s, and 30s before any is known.",
    ),
    page: option(choice('auto', 'off'), 'auto', 'Whether browsers that navigate get a waiting page.'),
  },
  'Requests that wait for a start.',
) satisfies Exactly<HoldSettings>;
