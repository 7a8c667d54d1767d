import type { PriceSettings } from '../../model/costs.ts';
import { type Exactly, option, optional, section } from '../option/option.ts';
import { decimal, text } from '../option/value-types.ts';

/** No price is higher. */
const MOST = 1_000_000;
const FREE = 'nothing';

/** `prices`. */
export const pricesSchema = section(
  {
    currency: option(
      text({ pattern: /^\S{1,8}$/, expected: 'a currency such as EUR' }),
      'EUR',
      'What the prices are in.',
    ),
    replicaHour: optional(decimal('per hour', MOST), 'Of an hour of a replica.', FREE),
    memoryHour: optional(decimal('per GiB and hour', MOST), 'Of an hour of a GiB of memory.', FREE),
    cpuHour: optional(decimal('per hour', MOST), 'Of an hour of CPU.', FREE),
    waitedHour: optional(decimal('per hour', MOST), 'Of an hour that users wait for starts.', FREE),
  },
  'What things cost, so that `pilotlight costs` tells of money.',
) satisfies Exactly<PriceSettings>;
