import type { ReadySettings } from '../../model/settings.ts';
import { type Exactly, option, section } from '../option/option.ts';
import { choice, duration, parsed } from '../option/value-types.ts';
import { probeHost, readProbePath, readStatusRange } from './probe.ts';
import { readyTcpSchema } from './ready-tcp.ts';

/** `services.<name>.ready`. */
export const readySchema = section(
  {
    check: option(
      choice('http', 'docker-health'),
      'http',
      "`http` asks the replica itself; `docker-health` goes by the container's own HEALTHCHECK, which is run at once and again until it passes, whatever its interval.",
    ),
    path: option(parsed('path', 'a path', readProbePath), '/', 'What is asked for (GET). For `http` only.'),
    host: probeHost(' For `http` only.'),
    status: option(
      parsed('status or range', 'a status or a range such as 200-499', readStatusRange, {
        type: ['string', 'integer'],
      }),
      '200-499',
      'Statuses that mean ready. For `http` only.',
    ),
    tcp: readyTcpSchema,
    timeoutMs: option(duration(), '60s', 'How long a start may take to get ready.'),
  },
  'When a started replica may get requests. `ready: docker-health` is short for `check: docker-health`.',
  {
    shorthand: 'docker-health',
    yields: ({ check, path, host, status: { min, max }, tcp, timeoutMs }): ReadySettings => {
      if (check === 'docker-health') return { kind: 'own-check', timeoutMs };
      if (tcp !== undefined) return { kind: 'tcp', ...tcp, timeoutMs };
      return { kind: check, path, host, statusMin: min, statusMax: max, timeoutMs };
    },
  },
) satisfies Exactly<ReadySettings>;
