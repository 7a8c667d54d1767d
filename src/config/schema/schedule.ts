import type { ScheduleWindow } from '../../model/settings.ts';
import { cronFault, isTimeZone } from '../../util/cron.ts';
import { type Exactly, list, option, options, required } from '../option/option.ts';
import { duration, integer, parsed, type Reading } from '../option/value-types.ts';

/** `services.<name>.scale.schedule`. */
export const scheduleSchema = list(
  options({
    from: required(
      parsed('cron', 'a cron expression such as "0 8 * * mon-fri"', readCron),
      'When the window opens: minute, hour, day of month, month and weekday.',
    ),
    forMs: required(duration(60_000), 'How long it is open, in elapsed time.'),
    timeZone: option(
      parsed('time zone', 'a time zone such as Europe/Berlin', (name) =>
        isTimeZone(name) ? { value: name } : undefined,
      ),
      'UTC',
      'Whose local time `from` is in.',
    ),
    min: option(integer('replicas', 1, 100_000), '1', 'Fewest replicas while it is open.'),
  }) satisfies Exactly<ScheduleWindow>,
  'Windows of time in which more replicas than `min` are kept, started ahead so that they are ready when it opens. Where ' +
    'several are open the one with most replicas counts.',
);

function readCron(expression: string): Reading<string> {
  const fault = cronFault(expression);
  return fault === undefined ? { value: expression } : { fault };
}
