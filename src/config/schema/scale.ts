import type { GuardSettings, ScaleSettings } from '../../model/settings.ts';
import { type Exactly, option, optional, section, type Unset } from '../option/option.ts';
import { choice, decimal, duration, durationOr, flag, integer, share, statuses } from '../option/value-types.ts';
import { isExisting, type Run } from './run.ts';
import { scheduleSchema } from './schedule.ts';

/** The default of `max`. */
const DEFAULT_MAX = 4;

const guards = section(
  {
    minSamples: option(integer('requests', 1), '20', 'Fewest samples for a latency verdict.'),
    maxWindowMs: option(duration(), '300s', 'How far the window is extended while samples are too few.'),
    ticks: option(
      integer('seconds', 1, 3600),
      '3',
      'Ticks in a row, one a second, that something must ask for more replicas before it is followed.',
    ),

    errors: option(
      share({ above: true }),
      '20%',
      'Share of arrivals answered with errors over which more replicas are no remedy.',
    ),
    shed: option(
      share({ above: true }),
      '5%',
      'Share of arrivals that was turned away (`scale.shed`) over which a service is saturated.',
    ),
    saturatedArrivals: option(
      integer('requests', 1),
      '20',
      'Fewest arrivals in `saturated` for a service to be saturated: at a few requests a second nothing is by chance.',
    ),
    saturatedMs: option(duration(1000), '3s', 'Arrivals and answers are compared over this time.'),
    saturatedAnswered: option(share({ above: true }), '90%', 'Under this share of what arrived, answers fall behind.'),
    saturatedGrowth: option(
      share({ above: true }),
      '10%',
      'By this share of the arrivals the requests in flight must have grown meanwhile.',
    ),
    saturatedLoad: option(
      integer('times', 1, 1000),
      '2',
      'So many times their calm value the requests in flight must be.',
    ),

    utilisation: option(share({ above: true }), '80%', 'Share of its capacity that a replica is planned to carry.'),
    backlogMs: option(duration(1000), '7500ms', 'A backlog is to be worked off within this time.'),
    stepUp: option(
      integer('times', 2, 1000),
      '8',
      'Most replicas after one step, as a multiple of those before, once replicas have proved to help. Before that, ' +
        'and without a capacity to go by, one is added.',
    ),
    stepUpEveryMs: option(
      duration(0),
      '15s',
      'Least time between increases of a service that is slow, but not saturated.',
    ),
    trendMs: option(
      duration(1000),
      '40s',
      'Arrivals that grew from one such time to the next, and again to the one after, will go on growing so: replicas ' +
        'are added before these are too few.',
    ),
    evidenceHalfLifeMs: option(duration(), '1h', 'Half-life of what was learnt of what replicas carry.'),
    failedForMs: option(duration(), '1h', 'How long it is remembered that so few replicas were not enough.'),

    benefitMs: option(duration(1000), '1s', 'An increase has helped at the earliest so long after it is ready.'),
    benefitSamples: option(
      integer('requests', 1),
      '200',
      'After so many samples of a warm replica an increase that did not help is undone …',
    ),
    noBenefitMs: option(duration(1000), '30s', '… or so long after it is ready.'),
    benefitPatienceMs: option(
      duration(1000),
      '60s',
      'While a backlog still grows or shrinks there is no such verdict, for so long at most.',
    ),
    benefitGiveUpMs: option(duration(1000), '300s', 'After so long without enough samples an increase is undone.'),
    benefitShare: option(
      share({ above: true }),
      '50%',
      'By this share of the capacity that was added the answers must rise, or latency fall.',
    ),
    benefitLeast: option(share({ above: true }), '10%', 'The least share that counts as a benefit.'),
    freezeMs: option(
      duration(),
      '120s',
      'No increase for so long after one that did not help; doubled each time, up to `freezeMax`.',
    ),
    freezeMaxMs: option(duration(), '30m', 'The longest such time.'),
    liftAt: option(
      share({ max: 100, above: true }),
      '150%',
      'It ends early when the service is saturated at this share of the arrivals that there were at the trial.',
    ),

    stepDownEveryMs: option(duration(0), '60s', 'Least time between decreases, of one replica each.'),
    downWindowMs: option(duration(), '300s', 'Latency and arrivals are looked at over this time before a decrease.'),
    downBelow: option(
      share({ above: true }),
      '60%',
      'The quantile must be under this share of `above` for a decrease.',
    ),
    downPeak: option(
      share({ above: true }),
      '90%',
      'The peak of arrivals must be under this share of those at which so few replicas were not enough.',
    ),
    downTrialMs: option(duration(1000), '60s', 'A decrease is watched for so long …'),
    downRevertAt: option(
      share({ above: true }),
      '90%',
      '… and revoked when the quantile passes this share of `above`, or the service is saturated.',
    ),
    downRetryMs: option(
      duration(),
      '5m',
      'So long after a revoked decrease there is another try; doubled each time, up to an hour.',
    ),
    surplusMs: option(
      duration(),
      '60s',
      'After so long of calm, what is more than the known capacity and the peak of arrivals need may go: what was ' +
        'added for a backlog is not kept for the whole `downWindow`.',
    ),

    flapBurst: option(
      integer('increases', 1, 100_000),
      '4',
      'Increases that may follow a decrease soon, in a burst; without any left there is no decrease.',
    ),
    flapPerHour: option(integer('increases per hour', 0, 100_000), '12', 'The same per hour in the long run.'),
    flapWithinMs: option(duration(0), '10m', 'How soon an increase must follow a decrease to count.'),

    warmUpMs: option(duration(0), '5s', "Age under which a replica's latencies do not count."),
    warmUpRequests: option(integer('requests', 0), '50', 'Answers before which they do not count either …'),
    warmUpMaxMs: option(duration(0), '60s', '… up to this age.'),
    cooldownMs: option(duration(0), '60s', 'No scaling for this long after a change by hand.'),

    autoTimes: option(
      decimal('times', 100),
      '2',
      'With `above: auto` the threshold is so many times the same quantile at low load: of requests that found their ' +
        'replica idle.',
    ),
    autoLeastMs: option(duration(), '50ms', 'The least threshold of `above: auto` …'),
    autoFirstMs: option(duration(), '1s', '… and the one until anything is known.'),
    autoSamples: option(integer('requests', 1), '100', 'That quantile is taken of at least so many such requests …'),
    autoEveryMs: option(duration(), '60s', '… and over at least this time, but for the first one.'),
    autoKeepMs: option(
      duration(60_000),
      '24h',
      'Over this time the lowest tenth of those values counts, so that a service that gets slower does not move its own ' +
        'threshold.',
    ),
  },
  'Constants of the scaling policy, which keeps replicas from running away.',
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
    schedule: scheduleSchema,
    idleMs: option(
      durationOr(0, 'auto', 'never'),
      'auto',
      'Idle time after which the replicas above `min` retire. `auto`: what costs least by the gaps between requests that ' +
        'were seen; see [Recycling](recycling.md).',
    ),
    weight: option(
      decimal('seconds', 1_000_000),
      '150',
      'With `idle: auto`: seconds of an idle replica that one second of a waiting user is worth.',
    ),
    pausedCost: option(
      share(),
      '0.5',
      'With `standby: auto` or `paused`: what a second of a paused replica costs, as a part of a second of one that is ' +
        'ready. It keeps its memory, and takes neither CPU nor a place of `budget.replicas`.',
    ),
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
      'Most requests in flight per replica, of all workers together; they hand on the slots that they do not use. 0 is no limit. ' +
        'In a cluster: of all members that its leader reaches; one that is cut off may have as many beside them.',
    ),
    latency: section(
      {
        aboveMs: option(
          durationOr(1, 'auto'),
          'auto',
          "A replica is added when the quantile of the time to first byte exceeds this. `auto`: twice the service's own " +
            'at low load, at least 50 ms; 1 s until 100 requests of low load came, and with a `max` of 1.',
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
