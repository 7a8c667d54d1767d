import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { memoryFreezes, openFreezes } from '../../../src/control/service/freezes.ts';
import { silentLogger } from '../../../src/model/observe.ts';
import { testService } from '../support/settings.ts';
import { World } from '../support/world.ts';

const freeze = (world: World, name: string | null, forMs: number, reason: string | null = null) =>
  world.settle(world.control.freeze(name, forMs, reason, false));

/** Whoever waits for a slot waits on. */
const patient = { ...testService('a').hold, timeoutMs: 3_600_000 };

test('what is frozen is not put to sleep until its time is over', async () => {
  const world = await World.started([testService('a', { scale: { idleMs: 5000 } })]);
  await world.settle(world.control.wake('a'));
  await world.run(500);
  const [status] = await freeze(world, 'a', 30_000, 'release');
  expect(status?.frozen).toEqual({ until: '2026-01-01T00:00:30.510Z', reason: 'release' });
  await world.run(28_000);
  expect(world.edge.ready('a')).toHaveLength(1);
  await world.run(10_000);
  expect(world.edge.ready('a')).toEqual([]);
  expect((await world.status('a')).frozen).toBeNull();
  expect(world.messagesOf('frozen')).toEqual(['a frozen for 30s: release']);
  expect(world.messagesOf('unfrozen')).toEqual(['a no longer frozen (its time is over)']);
});

test('what is frozen is not scaled, and is again once it is unfrozen', async () => {
  const world = await World.started([testService('a', { hold: patient, scale: { max: 5, concurrency: 1 } })]);
  await world.settle(world.control.wake('a'));
  await world.run(1000);
  await freeze(world, null, 3_600_000);
  for (let i = 0; i < 4; i++) world.edge.request('a', { bodyMs: 200_000 });
  await world.run(30_000);
  expect(world.edge.ready('a')).toHaveLength(1);
  await world.settle(world.control.unfreeze(null, false));
  await world.run(5000);
  expect(world.edge.ready('a').length).toBeGreaterThan(1);
});

test('what sleeps wakes though it is frozen, and its freeze ends though nobody asks for it', async () => {
  const world = await World.started([testService('a'), testService('b')]);
  await freeze(world, null, 10_000);
  world.edge.request('a');
  await world.run(500);
  expect(world.runtime.starts).toBe(1);
  await world.run(12_000);
  expect(world.messagesOf('unfrozen')).toHaveLength(2);
});

test('a dry run says how they would stand, and changes nothing', async () => {
  const world = await World.started([testService('a'), testService('b')]);
  await freeze(world, 'a', 30_000, 'release');
  const would = await world.settle(world.control.freeze(null, 60_000, null, true));
  expect(would.map(({ name, frozen }) => [name, frozen?.until])).toEqual([
    ['a', '2026-01-01T00:01:00.010Z'],
    ['b', '2026-01-01T00:01:00.010Z'],
  ]);
  expect((await world.settle(world.control.unfreeze('a', true)))[0]?.frozen).toBeNull();
  expect((await world.status('a')).frozen).toMatchObject({ reason: 'release' });
  expect((await world.status('b')).frozen).toBeNull();
  expect(world.messagesOf('unfrozen')).toEqual([]);
});

test('what is asked for while a successor takes over is refused, as that has read already what holds', async () => {
  const world = await World.started([testService('a')]);
  const asked: string[] = [];
  await world.settle(world.control.letGo((service) => asked.push(service), new AbortController().signal));
  const { control } = world;
  for (const act of [
    () => control.freeze('a', 60_000, null, false),
    () => control.unfreeze(null, false),
    () => control.scale('a', 2, false),
    () => control.sleep('a'),
  ]) {
    await expect(act()).rejects.toMatchObject({ code: 'HANDING_OVER', retrySafe: true });
  }
  // The successor wakes it.
  await world.settle(control.wake('a'));
  await world.run(1000);
  expect([asked.includes('a'), world.runtime.starts]).toEqual([true, 0]);
  control.resume();
  expect((await freeze(world, 'a', 60_000))[0]?.frozen).not.toBeNull();
});

test('a freeze outlives a restart', async () => {
  const freezes = memoryFreezes();
  const before = await World.started([testService('a')], { freezes });
  await freeze(before, 'a', 3_600_000, 'release');
  const after = await World.started([testService('a')], { freezes });
  expect((await after.status('a')).frozen).toMatchObject({ reason: 'release' });
});

test('freezes are kept in a file, and one that cannot be read is none', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pilotlight-freezes-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'freezes.json');
  const first = openFreezes(file, silentLogger);
  first.put('a', { until: 5, reason: null });
  first.put('b', { until: 6, reason: 'x' });
  first.put('a', undefined);
  const again = openFreezes(file, silentLogger);
  expect([again.of('a'), again.of('b')]).toEqual([undefined, { until: 6, reason: 'x' }]);
  writeFileSync(file, '{"a":');
  expect(openFreezes(file, silentLogger).of('b')).toBeUndefined();
});
