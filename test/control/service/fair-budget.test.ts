import { expect, test } from 'vitest';
import { PilotlightError } from '../../../src/model/errors.ts';
import type { ServiceSettings } from '../../../src/model/settings.ts';
import { testGuards, testScale, testService, testSettings } from '../support/settings.ts';
import { World } from '../support/world.ts';

/** Whoever waits for a slot waits on. */
const patient = { ...testService('a').hold, timeoutMs: 3_600_000 };

async function worldOf(replicas: number, ...services: ServiceSettings[]): Promise<World> {
  const settings = testSettings(services);
  return World.started({ ...settings, budget: { ...settings.budget, replicas } });
}

const shop = (scale: object = {}) =>
  testService('shop', { hold: patient, scale: { max: 5, idleMs: 'never', ...scale } });
const api = (scale: object = {}) => testService('api', { hold: patient, scale: { max: 5, idleMs: 5000, ...scale } });
const byHand = (world: World, name: string, to: number) => world.settle(world.control.scale(name, to, false));
const ready = (world: World, name: string) => world.edge.ready(name).length;

/** The shop has the whole budget, and its cooldown is over. */
async function crowded(scale: object = {}, other: object = {}): Promise<World> {
  const world = await worldOf(3, shop(scale), api(other));
  await byHand(world, 'shop', 3);
  await world.run(70_000);
  expect(ready(world, 'shop')).toBe(3);
  return world;
}

test('what sleeps gets its first replica from who has all of them, at once, and nothing is cut', async () => {
  const world = await crowded();
  const long = Array.from({ length: 3 }, () => world.edge.request('shop', { bodyMs: 8000 }));
  await world.run(100);
  const request = world.edge.request('api');
  await world.run(100);
  expect(world.messagesOf('retiring')).toEqual([
    'shop retiring shop-3 (more than its fair share of the budget: api gets one)',
  ]);
  await world.run(7000);
  expect([ready(world, 'shop'), ready(world, 'api')]).toEqual([2, 0]);
  await world.run(2000);
  expect([ready(world, 'shop'), ready(world, 'api')]).toEqual([2, 1]);
  expect([...long, request].map(({ outcome }) => outcome)).toEqual(['answered', 'answered', 'answered', 'answered']);
  expect((await world.status('shop')).lastDecision).toMatchObject({ action: 'scale-down', from: 3, to: 2 });
  expect(world.errors).toEqual([]);
});

test('where nobody has more than its share who sleeps waits until somebody has less', async () => {
  const world = await worldOf(1, shop({ idleMs: 10_000 }), api());
  world.edge.request('shop');
  await world.run(1000);
  const request = world.edge.request('api');
  await world.run(5000);
  expect([ready(world, 'shop'), ready(world, 'api')]).toEqual([1, 0]);
  await world.run(10_000);
  expect(request.outcome).toBe('answered');
});

test('what is frozen, in a dry run or changed by hand a moment ago gives up nothing', async () => {
  const frozen = await crowded();
  await frozen.settle(frozen.control.freeze('shop', 60_000, null, false));
  const dry = await crowded({ dryRun: true });
  const changed = await crowded();
  await byHand(changed, 'shop', 2);
  await changed.run(1000);
  await byHand(changed, 'shop', 3);
  for (const world of [frozen, dry, changed]) {
    world.edge.request('api');
    await world.run(50_000);
    expect(ready(world, 'shop')).toBe(3);
  }
  // And does so when its time is over.
  await changed.run(15_000);
  expect([ready(changed, 'shop'), ready(changed, 'api')]).toEqual([2, 1]);
});

test('min is reached by taking from who has more than its share', async () => {
  const settings = testSettings([shop(), api()]);
  const world = await World.started({ ...settings, budget: { ...settings.budget, replicas: 4 } });
  await byHand(world, 'shop', 4);
  await world.run(70_000);
  const raised = testSettings([shop(), api({ min: 2 })]);
  world.control.reconfigure({ ...raised, budget: { ...settings.budget, replicas: 4 } });
  await world.run(10_000);
  expect([ready(world, 'shop'), ready(world, 'api')]).toEqual([2, 2]);
});

test('who cannot start anything now takes nothing from others', async () => {
  const world = await worldOf(3, shop({ guards: { ...testGuards, cooldownMs: 1000 } }), api());
  const failure = () => new PilotlightError('IMAGE_MISSING', 'no such image');
  world.runtime.behaviour.failures.push(failure(), failure());
  world.edge.request('api');
  await world.run(12_000);
  world.edge.request('api');
  await world.run(1000);
  expect((await world.status('api')).state).toBe('failing');
  await byHand(world, 'shop', 3);
  await world.run(3000);
  world.edge.request('api');
  await world.run(3000);
  expect(ready(world, 'shop')).toBe(3);
  // Its next try does.
  await world.run(30_000);
  world.edge.request('api');
  await world.run(1000);
  expect([ready(world, 'shop'), ready(world, 'api')]).toEqual([2, 1]);
});

test('what scaling asks for is refused with who has what, and met by the share of it', async () => {
  const latency = { ...testScale.latency, aboveMs: 500 };
  const busy = { latency, max: 5, concurrency: 1 };
  const world = await worldOf(4, shop(busy), api({ ...busy, idleMs: 'never' }));
  const requests = Array.from({ length: 8 }, () => world.edge.request('shop', { bodyMs: 500_000 }));
  await world.run(20_000);
  expect(ready(world, 'shop')).toBe(4);
  expect((await world.status('shop')).heldBack?.reason).toContain(
    '0 more within the budget of all services: 4 of 4 replicas run: shop 4; fair share 4',
  );
  // Its requests end, and it keeps what it has: nothing says yet that fewer are enough.
  for (const request of requests) world.edge.abort(request);
  for (let i = 0; i < 8; i++) world.edge.request('api', { bodyMs: 500_000 });
  await world.run(60_000);
  expect([ready(world, 'shop'), ready(world, 'api')]).toEqual([2, 2]);
  expect((await world.status('api')).heldBack?.reason).toContain('4 of 4 replicas run: shop 2, api 2; fair share 2');
  await world.run(60_000);
  expect([ready(world, 'shop'), ready(world, 'api')]).toEqual([2, 2]);
  expect(world.messagesOf('retiring')).toHaveLength(2);
});
