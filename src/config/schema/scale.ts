import { choice, duration, durationOr, flag, integer, option, optional, section, share } from '../option/options.ts';

const guards = section(
  {
    minSamples: option(integer('requests', 1), '20', 'Fewest samples for a latency verdict.'),
    maxWindow: option(duration(), '300s', 'How far the window is extended while samples are too few.'),
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
    stepUpEvery: option(duration(0), '15s', 'Least time between scale-ups.'),
    stepDownEvery: option(duration(0), '60s', 'Least time between scale-downs, of one replica each.'),
    downWindow: option(duration(), '300s', 'Arrivals are looked at over this time before a scale-down.'),
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
    sustainedHalfLife: option(duration(), '1h', 'Half-life of the sustained rate.'),
    warmUp: option(duration(0), '5s', "Age under which a replica's latencies do not count."),
    cooldown: option(duration(0), '60s', 'No scaling for this long after a change by hand.'),
  },
  'Constants of the guards that keep scaling from running away.',
);

/** `services.<name>.scale`. */
export const scaleSchema = section(
  {
    min: option(integer('replicas', 0, 100_000), '0', 'Fewest replicas; 0 lets the service sleep.'),
    max: optional(
      integer('replicas', 1, 100_000),
      'Most replicas. An existing container is always one.',
      '4; 1 with `run.docker.container`',
    ),
    initial: optional(integer('replicas', 1, 100_000), 'Replicas of a start from zero.', '1, or `min` if that is more'),
    idle: option(durationOr(0, 'never'), '5m', 'Idle time after which the replicas above `min` retire.'),
    activity: option(
      choice('bytes', 'data'),
      'bytes',
      'What keeps a WebSocket from counting as quiet (`timeouts.stream`): any byte, or `data` frames alone, so that the ' +
        'pings of a forgotten tab do not keep the service awake.',
    ),
    patience: option(
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
        above: option(duration(), '1s', 'A replica is added when the quantile of the time to first byte exceeds this.'),
        quantile: option(share({ above: true, below: true }), '0.95', 'Which quantile.'),
        window: option(duration(1000), '15s', 'Time over which the quantile is taken.'),
      },
      'When latency asks for another replica.',
    ),
    guards,
    dryRun: option(flag(), 'false', 'Decide and say so, but change nothing. Wakes still happen.'),
  },
  'How many replicas there are.',
);
