import type { UpstreamSettings } from '../../model/settings.ts';
import { type Exactly, option, section } from '../option/option.ts';
import { choice } from '../option/value-types.ts';

/** `services.<name>.upstream`. */
export const upstreamSchema = section(
  {
    proxyProtocol: option(
      choice('false', 'v1', 'v2'),
      'false',
      'Version of the PROXY protocol header that connections begin with: it tells the replica who its client is. For ' +
        'services that TCP listeners lead to.',
    ),
  },
  'How replicas are spoken to.',
) satisfies Exactly<UpstreamSettings>;
