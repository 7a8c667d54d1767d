import { expect, test } from 'vitest';
import { Replica } from '../../../src/control/replica/replica.ts';
import { countReplicas } from '../../../src/control/replica/replica-counts.ts';
import { planShrink } from '../../../src/control/service/shrink-plan.ts';
import type { ReplicaEvent } from '../../../src/model/replica.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { FakeRuntime } from '../support/fake-runtime.ts';
import { testRun } from '../support/settings.ts';

const runtime = new FakeRuntime(new VirtualClock());

function replica(ordinal: number, hash: string, ...events: ReplicaEvent[]): Replica {
  const spec = { service: 'hello', ordinal, instance: 'test', run: testRun(1), hash };
  const made = new Replica(spec, runtime, () => {});
  for (const event of events) made.apply(event);
  return made;
}

const queued = replica(5, 'new');
queued.task = { kind: 'queued', ticket: { hurry() {}, cancel() {} }, cause: 'scale-up', askedAt: 0 };
const starting = replica(4, 'new', 'start');
const current = replica(3, 'new', 'start', 'ready');
const outdated = replica(2, 'old', 'start', 'ready');
const oldest = replica(1, 'old', 'start', 'ready');
const replicas = [oldest, outdated, current, starting, queued];

test.each([
  ['nothing is too many', 5, { queued: 0, starting: [], retire: [] }],
  ['first what has not begun', 4, { queued: 1, starting: [], retire: [] }],
  ['then what only starts', 3, { queued: 2, starting: [starting], retire: [] }],
  ['then what is outdated, the newest of it first', 2, { queued: 3, starting: [starting], retire: [outdated] }],
  ['then what is current', 0, { queued: 5, starting: [starting], retire: [outdated, oldest, current] }],
])('max becomes smaller: %s', (_, max, expected) => {
  const ready = [current, outdated, oldest];
  const plan = planShrink({ replicas, ready, counts: countReplicas(replicas), hash: 'new', max });
  expect(plan).toEqual(expected);
  expect(plan.retire.map(({ name }) => name)).toEqual(expected.retire.map(({ name }) => name));
});
