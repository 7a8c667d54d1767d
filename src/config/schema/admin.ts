import type { AdminSettings } from '../../model/settings.ts';
import { text } from '../option/kinds.ts';
import { type Exactly, option, optional, section } from '../option/option.ts';
import { listenAddress } from './addresses.ts';

/** `admin`. */
export const adminSchema = section(
  {
    address: option(
      listenAddress(),
      '127.0.0.1:9400',
      'Address of the admin API. One that is not loopback requires a token.',
    ),
    token: optional(
      text({ secret: true, pattern: /^[!-~]+$/, expected: 'printable ASCII without blanks' }),
      'Bearer token that every request but the health checks must carry.',
      'none',
    ),
  },
  'The admin API and the metrics.',
) satisfies Exactly<AdminSettings>;
