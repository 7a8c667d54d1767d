import type { HealthSettings } from '../../model/balancing.ts';
import { type Exactly, option, optional, options } from '../option/option.ts';
import { duration, flag, integer, parsed } from '../option/value-types.ts';
import { probeHost, readProbePath, readStatusRange } from './probe.ts';

/** `services.<name>.health`. */
export const healthSchema = optional(
  options(
    {
      path: option(parsed('path', 'a path', readProbePath), '/', 'What is asked for (GET).'),
      host: probeHost(),
      status: option(
        parsed('status or range', 'a status or a range such as 200-399', readStatusRange, {
          type: ['string', 'integer'],
        }),
        '200-399',
        'Statuses that mean healthy.',
      ),
      tcp: option(flag(), 'false', 'Only connect, and ask nothing.'),
      intervalMs: option(duration(100), '5s', 'From one check to the next.'),
      timeoutMs: option(duration(), '2s', 'Longest wait for the answer.'),
      rise: option(integer('checks', 1, 100), '2', 'Successes in a row that make an unhealthy endpoint healthy.'),
      fall: option(integer('checks', 1, 100), '3', 'Failures in a row that make a healthy endpoint unhealthy.'),
    },
    ({ tcp, path, host, status: { min, max }, ...rest }): HealthSettings => ({
      check: tcp ? { kind: 'connect' } : { kind: 'http', path, host, statusMin: min, statusMax: max },
      ...rest,
    }),
  ) satisfies Exactly<HealthSettings>,
  'Checks of every endpoint, and of replicas while they run. The first check of a new endpoint decides alone. Unhealthy ' +
    'ones get no new requests; where all are, those that answer their checks with less than 500 are used all the same, ' +
    'which is logged: they may object to nothing but the check, such as a Host that they do not know. Without any the ' +
    'answer is 503, or requests wait where Pilotlight starts the service. Checks are no activity. A replica that stays ' +
    'unhealthy for three intervals is replaced.',
);
