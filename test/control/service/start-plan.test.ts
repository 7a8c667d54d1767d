import { expect, test } from 'vitest';
import type { ReplicaCounts } from '../../../src/control/replica/replica-view.ts';
import { planStarts, type StartPlan, type StartPlanInputs } from '../../../src/control/service/start-plan.ts';

const demand: StartPlanInputs['demand'] = { ready: 0, held: 0, woken: 0 };
const none: ReplicaCounts = { queued: 0, starting: 0, ready: 0, retiring: 0, stopping: 0, live: 0 };

type Case = Partial<Omit<StartPlanInputs, 'demand' | 'counts'>> & {
  demand?: Partial<StartPlanInputs['demand']>;
  counts?: Partial<ReplicaCounts>;
};

function plan(given: Case): StartPlan {
  return planStarts({
    wanted: 0,
    target: 0,
    startsAllowed: Number.POSITIVE_INFINITY,
    min: 0,
    minCause: 'min',
    max: 4,
    otherwise: 'replacement',
    ...given,
    demand: { ...demand, ...given.demand },
    counts: { ...none, ...given.counts },
  });
}

test.each<[string, Case, number]>([
  ['nothing is wanted', {}, 0],
  ['what is there counts', { wanted: 3, counts: { ready: 1, live: 1 } }, 2],
  ['what is coming counts', { wanted: 3, counts: { queued: 1, starting: 1, live: 2 } }, 1],
  ['what still ends takes room', { wanted: 3, counts: { stopping: 3, live: 3 } }, 1],
  ['the circuit lets one through', { wanted: 3, startsAllowed: 1 }, 1],
  ['nothing may be started', { wanted: 3, startsAllowed: 0 }, 0],
  ['more is there than wanted', { wanted: 1, counts: { ready: 2, live: 2 } }, 0],
])('starts: %s', (_, given, expected) => {
  expect(plan(given).start).toBe(expected);
});

test.each<[string, Case, number]>([
  [
    'awake: all beyond what is wanted',
    { wanted: 2, target: 4, demand: { ready: 2 }, counts: { queued: 2, ready: 2 } },
    2,
  ],
  ['asleep: what it woke for may go on', { wanted: 0, target: 2, counts: { queued: 2 } }, 0],
  ['asleep: all beyond what it woke for', { wanted: 0, target: 1, counts: { queued: 3 } }, 2],
  ['nothing is too many', { wanted: 3, counts: { queued: 1 } }, 0],
])('withdraws: %s', (_, given, expected) => {
  expect(plan(given).withdraw).toBe(expected);
});

test.each<[string, Case, StartPlan['cause']]>([
  ['a request waits', { demand: { held: 1, woken: 1 } }, 'demand'],
  ['an operator asked', { demand: { woken: 1 } }, 'by-hand'],
  ['min is not reached', { min: 2, counts: { ready: 1 }, demand: { ready: 1, held: 1 } }, 'min'],
  ['min is reached', { min: 1, counts: { ready: 1 }, demand: { ready: 1 }, otherwise: 'scale-up' }, 'scale-up'],
])('cause: %s', (_, given, expected) => {
  expect(plan({ wanted: 4, ...given }).cause).toBe(expected);
});
