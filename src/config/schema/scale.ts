import type { GuardSettings, ScaleSettings } from '../../model/settings.ts';
import { type Exactly, option, optional, section, type Unset } from '../option/option.ts';
import { choice, duration, durationOr, flag, integer, share, statuses } from '../option/value-types.ts';
import { isExisting, type Run } from './run.ts';

/** The default of `max`. */
const DEFAULT_MAX = 4;

const guards = section(
  {
    minSamples: option(integer('requests', 1), '20', 'Fewest samples for a latency verdict.'),
    maxWindowMs: option(duration(), '300s', 'How far the window is extended while samples are too few.'),
    ticks: option(
      integer('seconds', 1, 3600),
      '3',
      'Ticks in a row, one a second, that the quantile must exceed the threshold before a scale-up.',
    ),
    stepUp: option(
      share({ max: 100, above: true }),
      '100%',
      'Most added at one step, as a share of the present count; always at least one replica.',
    ),
    stepUpEveryMs: option(duration(0), '15s', 'Least time between scale-ups.'),
    stepDownEveryMs: option(duration(0), '60s', 'Least time between scale-downs, of one replica each.'),
    downWindowMs: option(duration(), '300s', 'Arrivals are looked at over this time before a scale-down.'),
    downBelow: option(
      share({ above: true }),
      '60%',
      'The quantile must be under this share of `above` for a scale-down.',
    ),
    flapBurst: option(integer('scale-downs', 1, 100_000), '4', 'Voluntary scale-downs that may happen in a burst.'),
    flapPerHour: option(
      integer('scale-downs per hour', 0, 100_000),
      '12',
      'Voluntary scale-downs per hour in the long run.',
    ),
    utilisation: option(
      share({ above: true }),
      '80%',
      'Share of the sustained rate that a replica is planned to carry.',
    ),
    sustainedHalfLifeMs: option(duration(), '1h', 'Half-life of the sustained rate.'),
    warmUpMs: option(duration(0), '5s', "Age under which a replica's latencies do not count."),
    cooldownMs: option(duration(0), '60s', 'No scaling for this long after a change by hand.'),
  },
  'Constants of the guards that keep scaling from running away.',
) satisfies Exactly<GuardSettings>;

/** `services.<name>.scale`. */
export const scaleSchema = section(
  {
    min: option(integer('replicas', 0, 100_000), '0', 'Fewest replicas; 0 lets the service sleep.'),
    max: optional(
      integer('replicas', 1, 100_000),
      'Most replicas. An existing container is always one.',
      `${DEFAULT_MAX}; 1 with \`run.docker.container\``,
    ),
    initial: optional(integer('replicas', 1, 100_000), 'Replicas of a start from zero.', '1, or `min` if that is more'),
    idleMs: option(durationOr(0, 'never'), '5m', 'Idle time after which the replicas above `min` retire.'),
    activity: option(
      choice('bytes', 'data'),
      'bytes',
      'What keeps a WebSocket from counting as quiet (`timeouts.stream`): any byte, or `data` frames alone, so that the ' +
        'pings of a forgotten tab do not keep the service awake.',
    ),
    patienceMs: option(
      duration(0),
      '15m',
      'How long a scale-down waits for what the replica has in flight: nobody is in a hurry. A service that is asked to ' +
        'sleep, is removed or gets a new `run` waits for `timeouts.drain`.',
    ),
    concurrency: option(
      integer('requests', 0),
      '0',
      'Most requests in flight per replica, of all workers together; they hand on the slots that they do not use. 0 is no limit.',
    ),
    latency: section(
      {
        aboveMs: option(
          duration(),
          '1s',
          'A replica is added when the quantile of the time to first byte exceeds this.',
        ),
        quantile: option(share({ above: true, below: true }), '0.95', 'Which quantile.'),
        windowMs: option(duration(1000), '15s', 'Time over which the quantile is taken.'),
      },
      'When latency asks for another replica.',
    ) satisfies Exactly<ScaleSettings['latency']>,
    shed: option(
      statuses(400, 599),
      '503',
      'Statuses by which the service says that it has too much to do. 429 is none by default: one client that is held ' +
        'back is no overload.',
    ),
    guards,
    dryRun: option(flag(), 'false', 'Decide and say so, but change nothing. Wakes still happen.'),
  },
  'How many replicas there are.',
  {
    yields: (given) => ({ ...given, initial: given.initial ?? Math.max(1, given.min) }),
  },
) satisfies Exactly<Unset<ScaleSettings, 'max'>>;

/** How many replicas a service has at most: a container that is there already is one. */
export function mostReplicas({ scale, run }: { scale: { max: number | undefined }; run: Run | undefined }): number {
  return scale.max ?? (isExisting(run) ? 1 : DEFAULT_MAX);
}
