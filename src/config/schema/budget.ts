import type { BudgetSettings } from '../../model/settings.ts';
import { type Exactly, option, section } from '../option/option.ts';
import { integer, shareOrSize, size } from '../option/value-types.ts';

/** `budget`. */
export const budgetSchema = section(
  {
    replicas: option(
      integer('replicas', 1, 100_000),
      '50',
      'Most replicas of all services together, stopping ones included; shared max–min fairly.',
    ),
    concurrentStarts: option(
      integer('starts', 1, 1000),
      '4',
      'Starts under way at once, shared fairly between services.',
    ),
    startsPerMinute: option(
      integer('starts per minute', 1, 100_000),
      '60',
      'Scale-ups and retries over all services; wakes are not counted.',
    ),
    memory: option(
      shareOrSize(),
      '80%',
      'Most memory of all replicas together, paused ones included: a share of what the host has, or a size. A wake retires the ' +
        'idle replica that is cheapest to lose to make room; scale-ups and starts ahead of calls are refused without ' +
        'room. See [Recycling](recycling.md#memory).',
    ),
    heldBytes: option(size(), '64MiB', 'Most bytes of request bodies held for all services.'),
    compressions: option(
      integer('answers', 1, 100_000),
      '128',
      'Most answers that are being compressed at once, 1.6 MiB each at the usual levels; further ones are sent as they ' +
        'are. Those that are here whole at once and small do not count.',
    ),
  },
  'Bounds over all services.',
) satisfies Exactly<Required<BudgetSettings>>;
