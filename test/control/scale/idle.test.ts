import { expect, test } from 'vitest';
import { type IdleInputs, idleVerdict } from '../../../src/control/scale/idle-policy.ts';
import { testService } from '../support/settings.ts';
import { World } from '../support/world.ts';

const service = (scale = {}) => testService('hello', { scale: { idleMs: 5000, ...scale } });

test('the idle time runs from the end of a long response, not from its beginning', async () => {
  const world = await World.started([service()]);
  const request = world.edge.request('hello', { bodyMs: 15_000 });
  await world.run(15_500);
  expect(request.outcome).toBe('answered');
  expect(world.runtime.stops).toBe(0);
  await world.run(8000);
  const idleMs = world.timeOf('retiring') - request.endedAt;
  expect(idleMs).toBeGreaterThanOrEqual(5000);
  expect(idleMs).toBeLessThanOrEqual(6000);
  expect(world.messagesOf('asleep')).toEqual(['hello asleep after 5s idle']);
  expect((await world.status('hello')).state).toBe('asleep');
  expect(world.errors).toEqual([]);
});

test('traffic more often than the idle time keeps a service awake', async () => {
  const world = await World.started([service()]);
  for (let i = 0; i < 10; i++) {
    world.edge.request('hello');
    await world.run(4000);
  }
  expect(world.runtime.stops).toBe(0);
  expect(world.messagesOf('retiring')).toEqual([]);
});

test('activity on any edge counts', async () => {
  const world = await World.started([service()]);
  const other = world.addEdge('edge-2');
  world.edge.request('hello');
  await world.run(1000);
  for (let i = 0; i < 5; i++) {
    other.request('hello');
    await world.run(3000);
  }
  expect(world.runtime.stops).toBe(0);
  await world.run(8000);
  expect(world.runtime.stops).toBe(1);
});

test('while an edge does not report nothing is put to sleep', async () => {
  const world = await World.started([service()]);
  const silent = world.addEdge('edge-2');
  world.edge.request('hello');
  await world.run(1000);
  silent.reports = false;
  await world.run(20_000);
  expect(world.runtime.stops).toBe(0);
  silent.die();
  await world.run(3000);
  expect(world.runtime.stops).toBe(1);
});

test('without any edge nothing is put to sleep', async () => {
  const world = await World.started([service()]);
  world.edge.request('hello');
  await world.run(1000);
  world.edge.die();
  await world.run(20_000);
  expect(world.runtime.stops).toBe(0);
});

test('activity on an edge that is gone since counts all the same', async () => {
  const world = await World.started([service()]);
  const other = world.addEdge('edge-2');
  other.request('hello', { bodyMs: 60_000 });
  await world.run(8000);
  other.die();
  await world.run(4500);
  expect(world.runtime.stops).toBe(0);
  await world.run(1500);
  expect(world.runtime.stops).toBe(1);
});

test('an open quiet stream does not keep a service awake and is closed before the stop', async () => {
  const world = await World.started([service()]);
  const stream = world.edge.request('hello', { bodyMs: 3_600_000, quiet: true });
  await world.run(500);
  let outcomeAtStop: unknown;
  world.runtime.onStop = () => {
    outcomeAtStop = stream.outcome;
  };
  await world.run(10_000);
  expect(world.runtime.stops).toBe(1);
  expect(outcomeAtStop).toBe('reset');
  expect(world.messagesOf('drain-forced')).toEqual([]);
});

test('min replicas stay awake, the others go', async () => {
  const world = await World.started([service({ min: 1, initial: 1, concurrency: 1, max: 3 })]);
  world.runtime.behaviour.serviceMs = 200;
  for (let i = 0; i < 5; i++) world.edge.request('hello');
  await world.run(5000);
  expect(world.runtime.running).toHaveLength(3);
  await world.run(20_000);
  expect(world.runtime.running).toHaveLength(1);
  expect((await world.status('hello')).state).toBe('ready');
});

test('idle: never keeps all of them', async () => {
  const world = await World.started([service({ idleMs: 'never' })]);
  world.edge.request('hello');
  await world.run(3_600_000);
  expect(world.runtime.stops).toBe(0);
});

test('a dry run says what it would do, once per idle time, and does nothing', async () => {
  const world = await World.started([service({ dryRun: true })]);
  world.edge.request('hello');
  await world.run(9000);
  expect(world.runtime.stops).toBe(0);
  const { lastDecision } = await world.status('hello');
  expect(lastDecision).toMatchObject({ action: 'sleep', from: 1, to: 0, dryRun: true });
});

test('a service is asked for anew after it went to sleep, twenty times over', async () => {
  const world = await World.started([service({ idleMs: 1000 })]);
  for (let i = 0; i < 20; i++) {
    const request = world.edge.request('hello');
    await world.run(4000);
    expect(request.outcome).toBe('answered');
  }
  expect(world.runtime.starts).toBe(20);
  expect(world.runtime.stops).toBe(20);
});

test('the policy names the moment at which the idle time will be over', () => {
  const inputs: IdleInputs = {
    now: 10_000,
    idleMs: 5000,
    min: 0,
    ready: 1,
    fresh: true,
    busy: false,
    lastActivityAt: 7000,
    readyAt: 1000,
    notBefore: 0,
  };
  expect(idleVerdict(inputs)).toEqual({ verdict: 'later', at: 12_000 });
  expect(idleVerdict({ ...inputs, now: 12_000 })).toEqual({ verdict: 'retire', idleForMs: 5000 });
  expect(idleVerdict({ ...inputs, readyAt: 9000 })).toEqual({ verdict: 'later', at: 14_000 });
  expect(idleVerdict({ ...inputs, notBefore: 60_000 })).toEqual({ verdict: 'later', at: 60_000 });
  for (const change of [{ fresh: false }, { busy: true }, { ready: 0 }, { min: 1 }, { idleMs: 'never' as const }]) {
    expect(idleVerdict({ ...inputs, now: 99_000, ...change })).toEqual({ verdict: 'stay' });
  }
});

test('quiet streams that are closed for a retire are told of', async () => {
  const world = await World.started([service()]);
  const stream = world.edge.request('hello', { bodyMs: 3_600_000, quiet: true });
  await world.run(8000);
  expect(stream.outcome).toBe('reset');
  expect(world.messagesOf('closed-quiet')).toEqual(['hello closed 1 quiet stream on hello-1: nothing passed for 5m']);
});

test('whoever comes back as soon as a service sleeps can be seen in its decisions', async () => {
  const world = await World.started([service()]);
  for (let turn = 0; turn < 3; turn++) {
    world.edge.request('hello');
    await world.run(5400);
  }
  expect(world.runtime.starts).toBeGreaterThan(1);
  const { lastDecision } = await world.status('hello');
  const told = world.messagesOf('waking');
  expect(told[0]).toBe('hello waking (1 request waits)');
  expect(told.at(-1)).toMatch(
    /^hello waking \(1 request waits; \d+(\.\d+)?(ms|s| ms| s) after it was put to sleep(, 2 times in a row)?\)$/,
  );
  expect(lastDecision).not.toBeNull();
});
