import type { RetrySettings } from '../../model/settings.ts';
import { type Exactly, option, section } from '../option/option.ts';
import { flag, integer, share } from '../option/value-types.ts';

/** `services.<name>.retries`. */
export const retriesSchema = section(
  {
    max: option(integer('attempts', 0, 10), '1', 'Additional attempts per request.'),
    budget: option(share(), '10%', 'Share of requests over 10 s that may be retries.'),
    idempotent: option(flag(), 'false', 'Also PUT, DELETE and requests with an Idempotency-Key.'),
  },
  'Second attempts of requests that may be repeated safely.',
) satisfies Exactly<RetrySettings>;
