import { linearRates } from '../../../src/simulate/load.ts';
import { constant } from '../../../src/simulate/service-time.ts';
import {
  decreasesBefore,
  dryRuns,
  lastReplicas,
  lost,
  mostReplicas,
  notAnswered,
  overAfter,
  secondOf,
  secondsOver,
  shedShareAfter,
  starts,
} from '../checks.ts';
import type { ScalingScenario } from '../scenario.ts';
import { serviceOf, steps, worker } from './models.ts';

const toOneHundredThirty = steps([0, 10], [20, 130]);

/** Loads that more replicas carry better. */
export const moreHelps: readonly ScalingScenario[] = [
  {
    name: 'example',
    shows: 'what docs/decisions.md reads: a wake, an increase that helps, and sleep',
    asked: '40 rps for 45 s, then none; one replica does 25',
    seconds: 90,
    services: [
      serviceOf({ serviceTime: constant(40), slots: 1 }, steps([0, 40], [45, 0]), {
        scale: { min: 0, max: 2, idle: '20s', latency: { above: '300ms' } },
      }),
    ],
    checks: [starts(2, 2), lastReplicas(0), notAnswered(0)],
  },
  {
    name: 'overload',
    shows: 'an overload is met with the replicas that it needs, and no more',
    asked: '10, then 130 rps; one replica does 50',
    seconds: 120,
    services: [serviceOf(worker(50), toOneHundredThirty)],
    checks: [mostReplicas(4, 2), overAfter(60, 5), notAnswered(0)],
  },
  {
    name: 'overload in Docker',
    shows: 'the same with containers',
    asked: '10, then 130 rps; one replica does 50',
    seconds: 120,
    place: 'docker-container',
    services: [serviceOf(worker(50), toOneHundredThirty)],
    checks: [mostReplicas(4, 2), overAfter(60, 5), notAnswered(0)],
  },
  {
    name: 'decrease',
    shows: 'what the load needs no more goes, one replica at a time',
    asked: '10, 130, then 10 rps; one replica does 50',
    seconds: 600,
    services: [serviceOf(worker(50), steps([0, 10], [20, 130], [100, 10]))],
    checks: [mostReplicas(4, 2), lastReplicas(1, 1), decreasesBefore(100, 0), notAnswered(0)],
  },
  {
    name: 'twentyfold',
    shows: 'a load twenty times as high is met in a few steps',
    asked: '10, then 200 rps; one replica does 50',
    seconds: 150,
    services: [serviceOf(worker(50), steps([0, 10], [30, 200]))],
    checks: [secondOf(4, 42), mostReplicas(10, 4), secondsOver(20), lost(0)],
  },
  {
    name: 'spike',
    shows: 'a spike is over before replicas could help: one more at most',
    asked: '10 rps, 150 for 3 s; one replica does 50',
    seconds: 120,
    services: [serviceOf(worker(50), steps([0, 10], [30, 150], [33, 10]))],
    checks: [starts(1), notAnswered(0)],
  },
  {
    name: 'at max',
    shows: 'at max the rest waits, within the bounds of the hold, and nothing is started anew',
    asked: '40 rps of 500 ms, two at a time; max 4',
    seconds: 60,
    services: [
      serviceOf({ serviceTime: constant(500), slots: 2 }, steps([0, 2], [10, 40]), {
        scale: { max: 4, concurrency: 2 },
        more: { hold: { max: 40, timeout: '5s' } },
      }),
    ],
    checks: [mostReplicas(4, 4), starts(3, 3), lost(0)],
  },
  {
    name: 'on the edge',
    shows: 'a load at the edge of what one replica carries makes it neither grow nor swing',
    asked: '45 rps of constant 20 ms; one replica does 50',
    seconds: 300,
    services: [serviceOf({ serviceTime: constant(20), slots: 1 }, steps([0, 45]), { scale: { max: 4 } })],
    checks: [starts(2), mostReplicas(2), notAnswered(0)],
  },
  {
    name: 'dry run',
    shows: 'with dryRun decisions are told, and nothing is started',
    asked: '10, then 130 rps; one replica does 50',
    seconds: 60,
    services: [serviceOf(worker(50), toOneHundredThirty, { scale: { dryRun: true } })],
    checks: [starts(0), mostReplicas(1), dryRuns(1)],
  },
  {
    name: 'growth',
    shows: 'a load that grows steadily is followed',
    asked: '8 to 160 rps within 10 min; one replica does 20',
    seconds: 720,
    services: [
      serviceOf(
        worker(20),
        linearRates([
          { atMs: 0, perSecond: 8 },
          { atMs: 30_000, perSecond: 8 },
          { atMs: 630_000, perSecond: 160 },
        ]),
        { scale: { max: 20 } },
      ),
    ],
    checks: [secondsOver(25), mostReplicas(15, 8), notAnswered(0)],
  },
  {
    name: 'shedding',
    shows: 'an app that turns requests away is given replicas',
    asked: '10, then 150 rps, of which one replica sheds 70 %',
    seconds: 120,
    services: [serviceOf({ ...worker(50), shedsAbove: 5 }, steps([0, 10], [20, 150]))],
    checks: [shedShareAfter(40, 2), mostReplicas(5, 3)],
  },
  {
    name: 'budget',
    shows: 'two services that each need more than there is share it evenly',
    asked: '80 rps each, the second 30 s later; one replica does 20; six in all',
    seconds: 180,
    budget: { replicas: 6 },
    services: [
      serviceOf(worker(20), steps([0, 5], [20, 80]), { name: 'one' }),
      serviceOf(worker(20), steps([0, 5], [50, 80]), { name: 'other' }),
    ],
    checks: [lastReplicas(3, 3)],
  },
];
