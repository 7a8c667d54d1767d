import type { AdminSettings } from '../../model/settings.ts';
import { type Exactly, option, optional, section } from '../option/option.ts';
import { text } from '../option/value-types.ts';
import { ADMIN_ADDRESS } from './default-addresses.ts';
import { listenAddress } from './listen.ts';

/** `admin`. */
export const adminSchema = section(
  {
    address: option(
      listenAddress(),
      ADMIN_ADDRESS,
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
