import { expect, test } from 'vitest';
import { PilotlightError } from '../../../src/model/errors.ts';
import { runHash } from '../../../src/util/hash.ts';
import { type ServiceChange, testRun, testService } from '../support/settings.ts';
import { World } from '../support/world.ts';

const service = ({ scale, ...change }: ServiceChange = {}) =>
  testService('hello', { ...change, scale: { idleMs: 'never', max: 2, ...scale } });
const WHY = 'its host b is down';

/** A service with a request every 20 ms. */
async function underLoad(change: ServiceChange = {}) {
  const world = await World.started([service(change)]);
  world.edge.request('hello');
  await world.run(1000);
  const requests = [world.edge.request('hello')];
  world.clock.every(20, () => requests.push(world.edge.request('hello')));
  return { world, requests };
}

const failures = (requests: { outcome: unknown }[]) =>
  requests.filter(({ outcome }) => outcome !== undefined && outcome !== 'answered');

test('one whose host is lost serves until another one does, and never again', async () => {
  const { world, requests } = await underLoad({ scale: { max: 1 } });
  world.runtime.behaviour.readyMs = 2000;
  world.runtime.leave('hello-1', WHY);
  await world.run(1000);
  expect(world.edge.ready('hello')).toEqual(['hello-1#1']);
  expect(world.messagesOf('leaving')).toEqual([`hello hello-1 serves until another one does: ${WHY}`]);
  await world.run(5000);
  expect(world.edge.ready('hello')).toEqual(['hello-2#2']);
  expect(world.runtime.calls).toEqual(['start hello-1', 'start hello-2', 'stop hello-1']);
  expect(world.messagesOf('retiring')).toEqual([`hello retiring hello-1 (${WHY})`]);
  expect(failures(requests)).toEqual([]);
  // The new one ends soon: the old one is not had back.
  world.runtime.exit('hello-2');
  await world.run(5000);
  expect(world.edge.ready('hello')).toHaveLength(1);
  expect(world.edge.ready('hello')).not.toContain('hello-1#1');
});

test('where none can be started in its place it serves on', async () => {
  const { world, requests } = await underLoad();
  world.runtime.behaviour.broken = new PilotlightError('NO_NODE_FITS', 'no host of the swarm fits');
  world.runtime.leave('hello-1', WHY);
  await world.run(20_000);
  expect(world.edge.ready('hello')).toEqual(['hello-1#1']);
  world.runtime.behaviour.broken = undefined;
  await world.run(90_000);
  expect(world.edge.ready('hello')).toHaveLength(1);
  expect(world.edge.ready('hello')).not.toContain('hello-1#1');
  expect(failures(requests)).toEqual([]);
});

test('one that is idle is replaced as little as it is needed: it sleeps in its time', async () => {
  const world = await World.started([service({ scale: { min: 0, idleMs: 5000 } })]);
  world.edge.request('hello');
  await world.run(1000);
  world.runtime.leave('hello-1', WHY);
  await world.run(30_000);
  expect((await world.status('hello')).state).toBe('asleep');
  expect(world.runtime.running).toEqual([]);
});

test('what is found leaving at the boot is taken over, and replaced', async () => {
  const world = new World([service()]);
  world.runtime.launch('hello', 1, runHash(testRun()));
  world.runtime.leave('hello-1', WHY);
  await world.control.start(new AbortController().signal);
  await world.run(10_000);
  expect(world.runtime.running).toEqual(['hello-2']);
  expect(world.runtime.calls).toEqual(['start hello-2', 'stop hello-1']);
});

/** The host of a replica goes, and the replica with it. */
function lose(world: World, name: string): void {
  world.runtime.exit(name, undefined, 0, false, { lost: WHY });
}

test('one that goes with its host soon after it was ready is neither a crash nor a failed start', async () => {
  const { world } = await underLoad();
  for (let time = 0; time < 4; time++) {
    lose(world, world.runtime.running[0] ?? '');
    await world.run(1000);
    expect(world.edge.ready('hello')).toHaveLength(1);
  }
  expect(world.messagesOf('exited')).toHaveLength(4);
  expect(world.messagesOf('exited')[0]).toBe(`hello lost hello-1: ${WHY} (exit code 0)`);
  expect(world.messagesOf('start-failed')).toEqual([]);
});

test('one that closes its port and lives on has crashed, so that it is not replaced at once for ever', async () => {
  const { world } = await underLoad();
  const deaf = 'nothing listens there any more';
  for (let time = 0; time < 2; time++) {
    await world.run(15_000);
    world.runtime.exit(world.runtime.running[0] ?? '', undefined, undefined, false, { deaf });
    await world.run(3000);
  }
  expect(world.messagesOf('exited').map((line) => line.replace(/after \d+s/, 'soon'))).toEqual([
    `hello lost hello-1: ${deaf} (exit code 1); crashed soon`,
    `hello lost hello-1: ${deaf} (exit code 1); crashed soon, 2 times in a row; next start in 1s`,
  ]);
});

test('a start whose host is lost begins anew at once', async () => {
  const world = await World.started([service()]);
  world.runtime.behaviour.readyMs = 1000;
  const request = world.edge.request('hello');
  await world.run(500);
  lose(world, 'hello-1');
  await world.run(1500);
  expect(request.outcome).toBe('answered');
  expect(world.runtime.calls).toEqual(['start hello-1', 'start hello-1']);
  expect(world.messagesOf('start-failed')).toEqual([]);
});

test.each(['the end', 'the host'])(
  'a count set by hand is kept when %s is told first, though nobody asks',
  async (first) => {
    const world = await World.started([service({ scale: { max: 4 } })]);
    await world.settle(world.control.scale('hello', 3, false));
    await world.run(20_000);
    world.runtime.behaviour.readyMs = 2000;
    if (first === 'the host') {
      world.runtime.leave('hello-2', WHY);
      await world.run(1000);
    }
    lose(world, 'hello-2');
    await world.run(20_000);
    expect(world.edge.ready('hello')).toHaveLength(3);
    expect(world.runtime.starts).toBe(4);
  },
);
