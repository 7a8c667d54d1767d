import { expect, test } from 'vitest';
import { PilotlightError } from '../../../src/model/errors.ts';
import { runHash } from '../../../src/util/hash.ts';
import { type ServiceChange, testRun, testService, testSettings } from '../support/settings.ts';
import { World } from '../support/world.ts';

const hello = (version: number, change: ServiceChange = {}) =>
  testService('hello', { run: testRun(version), ...change, scale: { idleMs: 'never', max: 1, ...change.scale } });

/** A service awake under load, whose new `run` ends so long after it is ready; undefined: it does not end. */
async function deployed(livesMs: number | undefined, change: ServiceChange = {}) {
  const world = await World.started([hello(1, change)]);
  world.edge.request('hello');
  await world.run(1000);
  const requests = [world.edge.request('hello')];
  world.clock.every(20, () => requests.push(world.edge.request('hello')));
  if (livesMs !== undefined) world.runtime.behaviour.exitAfterMs = 50 + livesMs;
  world.control.reconfigure(testSettings([hello(2, change)]));
  const lost = () => requests.filter(({ outcome }) => outcome !== undefined && outcome !== 'answered');
  const versions = async () =>
    (await world.runtime.list())
      .filter(({ state }) => state === 'running')
      .map(({ hash }) => (hash === runHash(testRun(1)) ? 1 : 2));
  return { world, requests, lost, versions };
}

test('a new run that ends 3 s after it was ready costs what was in flight on it, and the old one serves again', async () => {
  const { world, lost, versions } = await deployed(3000);
  await world.run(3300);
  expect(world.edge.ready('hello')).toEqual(['hello-1#1']);
  expect(world.messagesOf('revoked')).toEqual([
    'hello retire revoked (hello-1): one with the present run ended 3s after it was ready',
  ]);
  await world.run(60_000);
  // Each further try costs no more, and there are ever fewer.
  expect(lost().length).toBeLessThanOrEqual(world.messagesOf('start-failed').length);
  expect(world.messagesOf('start-failed').length).toBeLessThanOrEqual(7);
  expect(await versions()).toContain(1);
  world.runtime.behaviour.exitAfterMs = undefined;
  await world.run(180_000);
  expect(await versions()).toEqual([2]);
});

test('why tells what came of a replacement that is undone', async () => {
  const { world } = await deployed(3000);
  await world.run(3300);
  const { decisions } = await world.control.why('hello');
  const why = 'one with the present run ended 3s after it was ready';
  expect(decisions.slice(-2)).toMatchObject([
    { action: 'replace', from: 2, to: 1, outcome: { text: `undone: ${why}; next try in 1s` } },
    { action: 'revoke', reason: why, outcome: null },
  ]);
});

test('why tells of a new run that never gets ready, as one decision however often it is tried', async () => {
  const { world } = await deployed(undefined);
  await world.run(15_000);
  world.runtime.behaviour.broken = new PilotlightError('REPLICA_EXITED', 'it ended before it was ready (exit code 3)');
  world.control.reconfigure(testSettings([hello(3)]));
  await world.run(10_000);
  const failed = world.messagesOf('start-failed').length;
  expect(failed).toBeGreaterThan(2);
  const { decisions } = await world.control.why('hello');
  expect(decisions.filter(({ action }) => action === 'replace')).toMatchObject([
    { from: 2, to: 1, outcome: null },
    {
      from: 1,
      to: 1,
      outcome: { text: expect.stringMatching(`^failed ${failed} times: it ended .*stays; next try in`) },
    },
  ]);
});

test('the old one is stopped when the new one has lived through its probation, and not before', async () => {
  const { world, lost, versions } = await deployed(undefined);
  await world.run(9900);
  expect(await versions()).toEqual([1, 2]);
  expect(world.edge.ready('hello')).toEqual(['hello-2#2']);
  await world.run(600);
  expect(await versions()).toEqual([2]);
  expect(lost()).toEqual([]);
});

test('one of several goes at a time, and what they served before is never less', async () => {
  const { world, lost, versions } = await deployed(3000, { scale: { min: 3, max: 3, initial: 3 } });
  const least: number[] = [];
  const most: number[] = [];
  world.clock.every(100, () => {
    least.push(world.edge.ready('hello').length);
    most.push(world.runtime.running.length);
  });
  await world.run(40_000);
  expect(Math.min(...least)).toBeGreaterThanOrEqual(3);
  expect(Math.max(...most)).toBeLessThanOrEqual(4);
  expect(lost().length).toBeLessThanOrEqual(world.messagesOf('start-failed').length);
  world.runtime.behaviour.exitAfterMs = undefined;
  await world.run(240_000);
  expect(await versions()).toEqual([2, 2, 2]);
});

test('who goes back to the old run while it is in reserve has it at once', async () => {
  const { world, lost, versions } = await deployed(undefined);
  await world.run(2000);
  world.control.reconfigure(testSettings([hello(1)]));
  await world.run(50);
  expect(world.edge.ready('hello')).toEqual(['hello-1#1']);
  await world.run(11_000);
  expect(await versions()).toEqual([1]);
  expect(world.runtime.starts).toBe(2);
  expect(lost()).toEqual([]);
});

test('a third run during the probation of the second is started once the first is gone', async () => {
  const { world, lost } = await deployed(undefined);
  await world.run(2000);
  world.control.reconfigure(testSettings([hello(3)]));
  await world.run(25_000);
  const running = (await world.runtime.list()).filter(({ state }) => state === 'running');
  expect(running.map(({ hash }) => hash)).toEqual([runHash(testRun(3))]);
  expect(lost()).toEqual([]);
});

test.each(['removal', 'sleep', 'idleness'] as const)(
  'a %s during the probation comes to rest with nothing left',
  async (what) => {
    const world = await World.started([hello(1, { scale: { idleMs: 3000 } })]);
    world.edge.request('hello');
    await world.run(1000);
    world.control.reconfigure(testSettings([hello(2, { scale: { idleMs: 3000 } })]));
    await world.run(1000);
    expect(world.runtime.running).toHaveLength(2);
    if (what === 'removal') world.control.reconfigure(testSettings([]));
    if (what === 'sleep') await world.settle(world.control.sleep('hello'));
    await world.run(15_000);
    expect(world.runtime.running).toEqual([]);
    expect(world.errors).toEqual([]);
  },
);

test('a shutdown during the probation stops both at once', async () => {
  const { world } = await deployed(undefined);
  await world.run(1000);
  await world.settle(world.control.shutdown(new AbortController().signal));
  expect(world.runtime.running).toEqual([]);
});

test('a hand-over during the probation leaves both serving, and goes on with it where the successor came to nothing', async () => {
  const { world, lost, versions } = await deployed(undefined);
  await world.run(1000);
  await world.settle(world.control.letGo(() => {}, new AbortController().signal));
  await world.run(20_000);
  expect(world.edge.ready('hello')).toHaveLength(2);
  world.control.resume();
  await world.run(15_000);
  expect(await versions()).toEqual([2]);
  expect(lost()).toEqual([]);
});
