import { expect, test } from 'vitest';
import { testRun, testService, testSettings } from '../support/settings.ts';
import { World } from '../support/world.ts';

const awake = { idleMs: 'never' } as const;

/** The only replica of a service with a request a second ends so long after it was ready. @returns its starts so far */
async function stormOf(livesMs: number | 'never ready'): Promise<{ world: World; starts: (ms: number) => number }> {
  const world = await World.started([testService('hello', { scale: { ...awake, max: 1 } })]);
  const startedAt: number[] = [];
  world.runtime.onStart = () => startedAt.push(world.clock.now());
  const { behaviour } = world.runtime;
  if (livesMs === 'never ready') Object.assign(behaviour, { readyMs: 'never', exitAfterMs: 100 });
  else behaviour.exitAfterMs = behaviour.readyMs === 'never' ? 0 : behaviour.readyMs + livesMs;
  const began = world.clock.now();
  world.clock.every(1000, () => world.edge.request('hello'));
  await world.run(3_600_000, 500);
  return { world, starts: (ms) => startedAt.filter((at) => at - began < ms).length };
}

test.each([
  // 1, 2, 4 … 60 s after each failure.
  ['never ready', 7, 64],
  [3000, 7, 20],
  [15_000, 5, 20],
  [120_000, 1, 15],
] as const)(
  'one that ends %s after it is ready is started no more than %i times in 95 s and %i times in an hour',
  async (livesMs, soon, hour) => {
    const { starts } = await stormOf(livesMs);
    expect(starts(95_000)).toBe(soon);
    expect(starts(3_600_000)).toBe(hour);
  },
  60_000,
);

test('crashes are told with how long it lived, how many there were in a row, and when the next start is', async () => {
  const world = await World.started([testService('hello', { scale: awake })]);
  world.runtime.behaviour.exitAfterMs = 15_050;
  const requests = [world.edge.request('hello')];
  world.clock.every(1000, () => requests.push(world.edge.request('hello')));
  await world.run(50_000);
  expect(world.messagesOf('exited')).toEqual([
    'hello lost hello-1: it ended by itself (exit code 1); crashed after 15s',
    'hello lost hello-1: it ended by itself (exit code 1); crashed after 15s, 2 times in a row; next start in 1s',
    'hello lost hello-1: it ended by itself (exit code 1); crashed after 15s, 3 times in a row; next start in 2s',
  ]);
  // Nobody waits for what is held back: it is a blocked start.
  expect(requests.some(({ outcome }) => outcome === 'blocked')).toBe(true);
  await world.run(2000);
  const { state, troubles } = await world.status('hello');
  expect(state).toBe('ready');
  expect(troubles[0]?.message).toBe('hello-1 crashed after 15s, 3 times in a row');
  world.runtime.behaviour.exitAfterMs = undefined;
  await world.run(630_000, 1000);
  expect((await world.status('hello')).troubles).toEqual([]);
});

test('while one place crashes again and again, the others serve, and it is filled in ever longer intervals', async () => {
  const world = await World.started([testService('hello', { scale: { ...awake, min: 3, max: 3 } })]);
  await world.run(1000);
  const requests = [world.edge.request('hello')];
  world.clock.every(100, () => requests.push(world.edge.request('hello')));
  for (let i = 0; i < 5; i++) {
    await world.run(20_000);
    world.runtime.exit('hello-2');
  }
  await world.run(500);
  // The fifth waits for 8 s.
  expect(world.runtime.running).toEqual(['hello-1', 'hello-3']);
  await world.run(8500);
  expect(world.runtime.running).toHaveLength(3);
  const lost = requests.filter(({ outcome }) => outcome !== undefined && outcome !== 'answered');
  expect(lost).toEqual([]);
});

test.each(['wake', 'run'] as const)('a %s forgives crashes', async (what) => {
  const world = await World.started([testService('hello', { scale: awake })]);
  world.runtime.behaviour.exitAfterMs = 15_000;
  world.clock.every(1000, () => world.edge.request('hello'));
  await world.run(120_000);
  expect((await world.status('hello')).state).toBe('failing');
  world.runtime.behaviour.exitAfterMs = undefined;
  if (what === 'wake') await world.settle(world.control.wake('hello'));
  else world.control.reconfigure(testSettings([testService('hello', { scale: awake, run: testRun(2) })]));
  await world.run(2000);
  expect((await world.status('hello')).state).toBe('ready');
});

test('one that somebody ends is no crash', async () => {
  const world = await World.started([testService('hello', { scale: awake })]);
  world.clock.every(1000, () => world.edge.request('hello'));
  for (let i = 0; i < 4; i++) {
    await world.run(20_000);
    world.runtime.exit('hello-1', undefined, 143, false, { endedByHand: 'yes' });
    await world.run(2000);
    expect((await world.status('hello')).state).toBe('ready');
  }
});
