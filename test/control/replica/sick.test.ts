import { expect, test } from 'vitest';
import { type ServiceChange, testGuards, testScale, testService, testSettings } from '../support/settings.ts';
import { World } from '../support/world.ts';

/** Sick is what is unhealthy for three of these. */
const health = {
  check: { kind: 'http' as const, path: '/', statusMin: 200, statusMax: 399 },
  intervalMs: 5000,
  timeoutMs: 2000,
  rise: 2,
  fall: 3,
};

/** However few are well, nothing is scaled: only what is replaced counts here. */
const unscaled = {
  latency: { ...testScale.latency, aboveMs: 86_400_000 },
  guards: { ...testGuards, saturatedArrivals: 1_000_000, shed: 1 },
};

/** A service awake under load, a request each `everyMs`, with its health checked. */
async function checked(
  { scale, ...change }: ServiceChange,
  replicas: number,
  { budget, everyMs = 100 }: { budget?: number; everyMs?: number } = {},
) {
  const service = testService('hello', {
    health,
    ...change,
    scale: { idleMs: 'never', min: replicas, ...unscaled, ...scale },
  });
  const settings = testSettings([service]);
  if (budget !== undefined) settings.budget.replicas = budget;
  const world = await World.started(settings);
  await world.run(2000);
  const requests = [world.edge.request('hello')];
  world.clock.every(everyMs, () => requests.push(world.edge.request('hello')));
  // Past what counts as a crash.
  await world.run(600_000, 200);
  const sicken = (...endpoints: string[]) => {
    world.edge.isUnhealthy = (endpoint) => endpoints.some((each) => endpoint.startsWith(each));
  };
  const lost = () => requests.filter(({ outcome }) => outcome !== undefined && outcome !== 'answered');
  return { world, sicken, lost };
}

test('one of three that stays unhealthy is replaced, and costs nothing', async () => {
  const { world, sicken, lost } = await checked({ scale: { max: 4 } }, 3);
  sicken('hello-2#');
  await world.run(14_000);
  expect(world.runtime.starts).toBe(3);
  expect((await world.status('hello')).state).toBe('ready');
  await world.run(5000);
  expect(world.runtime.running).toEqual(['hello-1', 'hello-3', 'hello-4']);
  expect(world.runtime.calls.slice(3)).toEqual(['start hello-4', 'stop hello-2']);
  const [sick] = world.messagesOf('sick');
  expect(sick).toMatch(/^hello hello-2 is sick: unhealthy for 1[56](\.\d)?s$/);
  expect(lost()).toEqual([]);
  await world.run(600_000, 500);
  expect(world.runtime.starts).toBe(4);
});

test('without room for one more, the sick one goes first', async () => {
  for (const [max, budget] of [
    [3, 50],
    [4, 3],
  ] as const) {
    const { world, sicken, lost } = await checked({ scale: { max } }, 3, { budget });
    sicken('hello-2#2');
    await world.run(20_000);
    expect(world.runtime.calls.slice(3)).toEqual(['stop hello-2', expect.stringMatching(/^start/)]);
    expect(world.runtime.running).toHaveLength(3);
    expect(lost()).toEqual([]);
  }
});

test.each([1, 2])(
  'the only one is replaced where it stays unhealthy, with room for %i; until then the service is failing',
  async (max) => {
    const { world, sicken } = await checked({ scale: { max } }, 1);
    sicken('hello-1#1');
    await world.run(2000);
    expect((await world.status('hello')).state).toBe('failing');
    await world.run(17_000);
    expect((await world.status('hello')).state).toBe('ready');
    expect(world.runtime.running).toHaveLength(1);
    const request = world.edge.request('hello');
    await world.run(100);
    expect(request.outcome).toBe('answered');
  },
);

test.each([
  [1, 1],
  [1, 2],
  [3, 4],
])(
  'where all of %i are sick, and a fresh one falls sick too, that is said once and none is replaced',
  async (count, max) => {
    const { world, sicken } = await checked({ scale: { max } }, count, { everyMs: 1000 });
    sicken('hello-');
    await world.run(3_600_000, 500);
    expect(world.runtime.starts).toBe(count + 1);
    expect(world.messagesOf('sick').filter((message) => message.includes('a fresh one fell sick too'))).toHaveLength(1);
    expect((await world.status('hello')).state).toBe('failing');
    // One that is well shows that replicas can be: the others are replaced.
    const [fit] = world.edge.service('hello').state.endpoints;
    world.edge.isUnhealthy = (endpoint) => endpoint !== fit?.id && /#[1-4]$/.test(endpoint);
    await world.run(240_000, 200);
    expect(world.edge.ready('hello').filter((endpoint) => world.edge.isUnhealthy(endpoint))).toEqual([]);
  },
);

test('fresh ones that fall sick while others are well are replaced ever less often', async () => {
  const { world, sicken, lost } = await checked({ scale: { max: 3 } }, 2, { everyMs: 1000 });
  const [first] = world.edge.ready('hello');
  world.edge.isUnhealthy = (endpoint) => endpoint !== first;
  await world.run(3_600_000, 500);
  expect(world.runtime.starts).toBeLessThanOrEqual(2 + 24);
  expect(lost()).toEqual([]);
  sicken();
});

test('one that is well again before it is sick stays, and so does one whose replacement has not begun', async () => {
  const { world, sicken } = await checked({ scale: { max: 3 } }, 2);
  sicken('hello-2#');
  await world.run(10_000);
  sicken();
  await world.run(20_000);
  expect(world.runtime.starts).toBe(2);
  expect(world.messagesOf('sick')).toEqual([]);
});

test('without health checks nothing is replaced', async () => {
  const { world, sicken } = await checked({ health: undefined, scale: { max: 3 } }, 2);
  sicken('hello-2#');
  await world.run(60_000);
  expect(world.runtime.starts).toBe(2);
});

test('a scale-down takes the sick one first', async () => {
  const { world, sicken } = await checked({ scale: { max: 3 } }, 2);
  sicken('hello-1#');
  await world.run(5000);
  const service = testService('hello', { health, scale: { idleMs: 'never', min: 1, max: 1 } });
  world.control.reconfigure(testSettings([service]));
  await world.run(2000);
  expect(world.edge.ready('hello')).toEqual(['hello-2#2']);
});
