import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { idleForm } from '../../../src/control/scale/idle-learnt.ts';
import { LearntFiles } from '../../../src/control/scale/learnt-store.ts';
import { ALL_SERVICES, siblingForm } from '../../../src/control/scale/sibling-store.ts';
import { type Logger, silentLogger } from '../../../src/model/observe.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { testService, testSettings } from '../support/settings.ts';
import { World } from '../support/world.ts';

const auto = (scale = {}) => testService('hello', { scale: { idleMs: 'auto', ...scale } });
const idleOf = async (world: World) => (await world.control.why('hello')).idle;

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** Starts of the service that learns. */
const startsOf = ({ runtime }: World) => runtime.calls.filter((call) => call.startsWith('start hello')).length;

/** A request so often, ms, so many times. */
async function calls(world: World, everyMs: number, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    world.edge.request('hello');
    await world.run(everyMs, 250);
  }
}

test('before enough gaps are known it is kept for as long as a wake costs', async () => {
  const world = await World.started([auto()]);
  world.runtime.behaviour.readyMs = 850;
  world.edge.request('hello');
  await world.run(5000);
  const idle = await idleOf(world);
  expect(idle).toMatchObject({ mode: 'learning', gaps: 0, expected: null, weight: 150 });
  // A start of a second, which is waited for at 150 times the price.
  expect(idle?.startMs).toBeGreaterThanOrEqual(1000);
  expect(idle?.startMs).toBeLessThan(1200);
  const keepMs = 151 * (idle?.startMs as number);
  expect(Math.abs((idle?.keepMs as number) - keepMs)).toBeLessThan(1000);
  await world.run(keepMs - 10_000, 1000);
  expect(world.runtime.stops).toBe(0);
  await world.run(20_000, 250);
  expect(world.runtime.stops).toBe(1);
  expect(world.errors).toEqual([]);
});

test('a service that is called seldom is soon put to sleep right after each call', async () => {
  const world = await World.started([auto({ weight: 10 })]);
  await calls(world, 120_000, 25);
  const idle = await idleOf(world);
  expect(idle).toMatchObject({ mode: 'learnt', keepMs: 1000, raise: 1 });
  expect(idle?.expected?.never.idleMs).toBeGreaterThan(100_000);
  expect(idle?.expected?.kept.wakes).toBe(1);
  world.events.length = 0;
  const request = world.edge.request('hello');
  await world.run(5000);
  expect(request.outcome).toBe('answered');
  expect(world.timeOf('retiring') - request.endedAt).toBeLessThanOrEqual(2000);
});

test('one that is called often is kept between the calls', async () => {
  const world = await World.started([auto()]);
  await calls(world, 10_000, 30);
  expect(await idleOf(world)).toMatchObject({ mode: 'learnt' });
  expect(world.runtime.starts).toBe(1);
  // More weight keeps it no shorter, and less no longer.
  const keeps = (await idleOf(world))?.byWeight.map(({ keepMs }) => keepMs) ?? [];
  expect(keeps).toEqual(keeps.toSorted((a, b) => a - b));
});

test('a fixed time, never and min are what they were, and it is told what auto would do', async () => {
  for (const idleMs of [5000, 'never'] as const) {
    const world = await World.started([testService('hello', { scale: { idleMs } })]);
    await calls(world, 2000, 25);
    expect(await idleOf(world)).toMatchObject({ mode: 'fixed', keepMs: idleMs });
    expect((await idleOf(world))?.byWeight[1]?.weight).toBe(150);
    await world.run(8000);
    expect(world.runtime.stops).toBe(idleMs === 'never' ? 0 : 1);
  }
  const world = await World.started([auto({ min: 1 })]);
  await calls(world, 3000, 3);
  await world.run(3_600_000, 1000);
  expect(world.runtime.stops).toBe(0);
});

test('a service that others run has no idle time', async () => {
  const world = await World.started([testService('hello', { run: undefined, scale: { idleMs: 'auto' } })]);
  expect(await idleOf(world)).toBeNull();
});

test('what was learnt outlives the process; rubbish in its place is told of and begun anew', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'idle-'));
  folders.push(folder);
  const said: string[] = [];
  const logger: Logger = {
    debug() {},
    info() {},
    warn: (_, text) => said.push(text),
    error: (_, text) => said.push(text),
  };
  const clock = new VirtualClock();
  const store = () => new LearntFiles(join(folder, 'idle'), ['hello'], clock, logger, idleForm);
  const first = store();
  const before = await World.started([auto({ weight: 10 })], { idleLearnt: first });
  await calls(before, 120_000, 25);
  await first.release();
  expect(readdirSync(join(folder, 'idle'))).toEqual(['hello.json']);
  expect(readFileSync(join(folder, 'idle', 'hello.json')).length).toBeLessThan(1000);

  const second = store();
  const after = await World.started([auto({ weight: 10 })], { idleLearnt: second });
  expect(await idleOf(after)).toMatchObject({ mode: 'learnt', keepMs: 1000 });
  await second.release();

  writeFileSync(join(folder, 'idle', 'hello.json'), '{"version":1,"gaps":[9');
  const third = store();
  const anew = await World.started([auto({ weight: 10 })], { idleLearnt: third });
  expect(await idleOf(anew)).toMatchObject({ mode: 'learning', gaps: 0 });
  expect(said).toEqual(['what was learnt of hello before is not used: it is no JSON']);
  await third.release();
});

test('a service that is called for the first time goes by what others have shown, also after a restart', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'siblings-'));
  folders.push(folder);
  const clock = new VirtualClock();
  const store = () => new LearntFiles(join(folder, 'siblings'), [ALL_SERVICES], clock, silentLogger, siblingForm);
  const names = Array.from({ length: 60 }, (_, i) => `old-${i}`);
  const first = store();
  const before = await World.started(
    names.map((name) => testService(name, { scale: { idleMs: 'auto', weight: 10 } })),
    { siblingsLearnt: first },
  );
  for (let i = 0; i < 2; i++) {
    for (const name of names) before.edge.request(name);
    await before.run(3_600_000, 1000);
  }
  await first.release();

  const second = store();
  const after = await World.started([auto({ weight: 10 })], { siblingsLearnt: second });
  after.edge.request('hello');
  await after.run(5000);
  const idle = await idleOf(after);
  expect(idle).toMatchObject({ mode: 'learning', gaps: 0, siblingGaps: 60 });
  // On its own it would be kept for as long as a wake costs; to none of the others anything came soon.
  expect(11 * (idle?.startMs as number)).toBeGreaterThan(2000);
  expect(idle?.keepMs).toBe(1000);
  await second.release();
});

test('what is called every two minutes is started ahead of each call, and nobody waits any more', async () => {
  const world = await World.started([auto({ weight: 10 })]);
  await calls(world, 120_000, 14);
  expect((await idleOf(world))?.forecast).toMatchObject({ isTrusted: true, wrong: 0 });
  const before = world.runtime.starts;
  world.events.length = 0;
  await calls(world, 120_000, 5);
  expect(world.runtime.starts - before).toBe(5);
  const waking = world.messagesOf('waking');
  expect(waking).toHaveLength(5);
  expect(waking.every((line) => line.includes('a call is expected'))).toBe(true);
  // It stays away: the replica goes soon after the time at which it was expected.
  const stops = world.runtime.stops;
  await world.run(30_000, 250);
  expect(world.runtime.stops - stops).toBe(1);
  expect(world.messagesOf('retiring').at(-1)).toContain('the call that was expected did not come');
  expect(world.errors).toEqual([]);
});

test('a call that comes in time, and waits all the same, is no forecast that was right', async () => {
  const world = await World.started([auto({ weight: 10 })]);
  await calls(world, 120_000, 14);
  expect((await idleOf(world))?.forecast).toMatchObject({ isTrusted: true, wrong: 0 });
  world.runtime.behaviour.readyMs = 20_000;
  // The replica for the next call is there already: the one after it comes too late.
  await calls(world, 120_000, 3);
  expect((await idleOf(world))?.forecast?.wrong).toBeGreaterThan(0);
});

test('while it is frozen it is not started ahead of calls', async () => {
  const world = await World.started([auto({ weight: 10 })]);
  await calls(world, 120_000, 13);
  world.edge.request('hello');
  await world.run(10_000, 250);
  await world.control.freeze('hello', 3_600_000, null, false);
  const { starts } = world.runtime;
  await world.run(150_000, 250);
  expect(world.runtime.starts).toBe(starts);
});

test('a schedule keeps replicas while its window is open, started ahead of it', async () => {
  const schedule = [{ from: '* * * * *', forMs: 20_000, timeZone: 'UTC', min: 2 }];
  const world = await World.started([testService('hello', { scale: { idleMs: 1000, schedule } })]);
  const to = (second: number) => world.run(second * 1000 - (world.clock.wall() % 60_000), 250);
  await to(19);
  expect([world.runtime.starts, world.runtime.stops]).toEqual([2, 0]);
  expect((await world.control.why('hello')).schedule).toMatchObject({ min: 2 });
  await to(30);
  expect(world.runtime.stops).toBe(2);
  expect((await world.control.why('hello')).schedule).toMatchObject({ min: 0, until: null });
  await to(55);
  expect(world.runtime.starts).toBe(2);
  await to(60);
  expect((await world.control.service('hello')).replicas.filter(({ state }) => state === 'ready')).toHaveLength(2);
  expect((await world.control.why('hello')).decisions.map(({ reason }) => reason)).toContain('min 2 by the schedule');
});

test('a service whose wakes take more than their share of the starts is kept longer, and that is told', async () => {
  const other = testService('other', { scale: { idleMs: 1000 } });
  const settings = testSettings([auto({ weight: 0.1 }), other], {
    budget: { replicas: 50, concurrentStarts: 1, startsPerMinute: 60, heldBytes: 2 ** 26 },
  });
  const world = await World.started(settings);
  world.runtime.behaviour.startMs = 2500;
  // Each call comes too late for what pays, and together the starts take most of the one permit.
  const timer = world.clock.every(7000, () => world.edge.request('other'));
  await world.run(3500);
  await calls(world, 7000, 300);
  expect(world.messagesOf('idle-raised')[0]).toMatch(
    /^hello is kept for .* when it is idle: its wakes take more than their share of the starts$/,
  );
  const starts = startsOf(world);
  const idle = await idleOf(world);
  expect(idle?.raise).toBeGreaterThan(1);
  await calls(world, 7000, 40);
  timer.cancel();
  expect(startsOf(world) - starts).toBeLessThan(30);
});
