import { expect, test } from 'vitest';
import { testService, testSettings } from '../support/settings.ts';
import { World } from '../support/world.ts';

test('nothing is begun while the right to act is in doubt, and what waits is planned when it is back', async () => {
  let mayAct = false;
  const service = testService('hello', { scale: { idleMs: 5000 } });
  const world = await World.started([service], { mayAct: () => mayAct });
  const request = world.edge.request('hello');
  await world.run(5000);
  expect([request.outcome, world.runtime.calls]).toEqual([undefined, []]);
  expect(world.messagesOf('start-failed')).toEqual([]);
  mayAct = true;
  await world.run(3000);
  expect(request.outcome).toBe('answered');
  mayAct = false;
  await world.run(30_000);
  expect(world.runtime.calls).toEqual(['start hello-1']);
  mayAct = true;
  await world.run(30_000);
  expect(world.runtime.calls).toEqual(['start hello-1', 'stop hello-1']);
  expect(world.errors).toEqual([]);
});

test('slots are handed out when the edges that were led before are known, as these use some', async () => {
  const edges = Promise.withResolvers<void>();
  const service = testService('hello', { scale: { min: 1, concurrency: 4 } });
  const world = await World.started({ ...testSettings([service]), workers: 2 }, { edgesKnown: edges.promise });
  const other = world.addEdge('edge-2');
  await world.run(10_000);
  expect(world.edge.ready('hello')).toHaveLength(1);
  const grants = () =>
    [world.edge, other].map(({ messages }) => messages.filter(({ type }) => type === 'slots').length);
  expect(grants()).toEqual([0, 0]);
  edges.resolve();
  await world.run(1000);
  expect(grants().every((count) => count > 0)).toBe(true);
});
