import { expect, test } from 'vitest';
import { planShrink } from '../../../src/control/service/shrink-plan.ts';
import { testReplica } from '../support/views.ts';

const queued = testReplica(5, { doing: 'queued', cause: 'scale-up', hash: 'new' });
const starting = testReplica(4, { state: 'starting', doing: 'start', hash: 'new' });
const current = testReplica(3, { state: 'ready', hash: 'new' });
const outdated = testReplica(2, { state: 'ready', hash: 'old', readyAt: 2 });
const oldest = testReplica(1, { state: 'ready', hash: 'old', readyAt: 1 });
const replicas = [oldest, outdated, current, starting, queued];

test.each([
  ['nothing is too many', 5, { withdraw: [], callOff: [], retire: [] }],
  ['first what has not begun', 4, { withdraw: [queued], callOff: [], retire: [] }],
  ['then what only starts', 3, { withdraw: [queued], callOff: [starting], retire: [] }],
  ['then what is outdated, the newest of it first', 2, { withdraw: [queued], callOff: [starting], retire: [outdated] }],
  ['then what is current', 0, { withdraw: [queued], callOff: [starting], retire: [outdated, oldest, current] }],
])('max becomes smaller: %s', (_, max, expected) => {
  expect(planShrink({ replicas, hash: 'new', max })).toEqual(expected);
});
