import { expect, test } from 'vitest';
import { PilotlightError } from '../../../src/model/errors.ts';
import type { ContainerRun, ImageRun } from '../../../src/runtime/docker/settings.ts';
import { sleep } from '../../../src/util/clock.ts';
import { runHash } from '../../../src/util/hash.ts';
import { type ServiceChange, testImage, testRun, testService, testSettings } from '../support/settings.ts';
import { World } from '../support/world.ts';

const service = (change: ServiceChange = {}) =>
  testService('hello', { ...change, scale: { idleMs: 'never', ...change.scale } });
const other = testService('other', { scale: { idleMs: 'never' } });

/** Both services awake, with a request every 20 ms for `hello`. */
async function underLoad(change: ServiceChange = {}) {
  const world = await World.started([service(change), other]);
  world.edge.request('hello');
  world.edge.request('other');
  await world.run(1000);
  const requests = [world.edge.request('hello')];
  world.clock.every(20, () => requests.push(world.edge.request('hello')));
  return { world, requests };
}

const failures = (requests: { outcome: unknown }[]) =>
  requests.filter(({ outcome }) => outcome !== undefined && outcome !== 'answered');

test('a changed run starts new replicas before the old ones retire, one at a time, without a failed request', async () => {
  const { world, requests } = await underLoad({ scale: { initial: 3, max: 3 } });
  const most: number[] = [];
  const least: number[] = [];
  world.edge.onDispatch = () => {
    most.push(world.runtime.running.length);
    least.push(world.edge.ready('hello').length);
  };
  world.control.reconfigure(testSettings([service({ run: testRun(2), scale: { initial: 3, max: 3 } }), other]));
  await world.run(35_000);
  const hashes = new Set(
    (await world.runtime.list()).filter((i) => i.service === 'hello' && i.state === 'running').map((i) => i.hash),
  );
  expect(hashes.size).toBe(1);
  expect(world.runtime.calls.filter((call) => call.startsWith('stop hello'))).toHaveLength(3);
  expect(world.edge.ready('hello')).toHaveLength(3);
  expect(failures(requests)).toEqual([]);
  // Three of hello, one more while one is replaced, and the other service.
  expect(Math.max(...most)).toBeLessThanOrEqual(5);
  expect(Math.min(...least)).toBeGreaterThanOrEqual(3);
});

test('a new run that does not start leaves the old replica serving, and says so', async () => {
  const { world, requests } = await underLoad();
  world.runtime.behaviour.broken = new PilotlightError('IMAGE_MISSING', 'image "x" not found');
  world.control.reconfigure(testSettings([service({ run: testRun(2) }), other]));
  await world.run(5000);
  expect(world.edge.ready('hello')).toEqual(['hello-1#1']);
  expect(failures(requests)).toEqual([]);
  expect(world.messagesOf('start-failed')).toEqual([
    'hello start failed: image "x" not found; what runs with the older configuration stays; next try in 10s',
  ]);
  world.runtime.behaviour.broken = undefined;
  await world.run(15_000);
  expect(world.edge.ready('hello')).toHaveLength(1);
  expect(world.edge.ready('hello')).not.toEqual(['hello-1#1']);
  expect(failures(requests)).toEqual([]);
});

test('a run that changes while replicas start has them started anew, and nobody is turned away', async () => {
  const world = await World.started([service(), other]);
  world.runtime.behaviour.readyMs = 'never';
  const request = world.edge.request('hello');
  await world.run(500);
  world.runtime.behaviour.readyMs = 50;
  world.control.reconfigure(testSettings([service({ run: testRun(2) }), other]));
  await world.run(1000);
  expect(request.outcome).toBe('answered');
  expect(world.messagesOf('start-failed')).toEqual([]);
});

test('a run that changes while replicas of the one before are prepared is prepared after it', async () => {
  const world = new World([service({ run: testImage('app:1'), scale: { max: 1 } })], {}, 'docker');
  const prepared: unknown[] = [];
  world.runtime.prepare = async ({ run }) => {
    await sleep(world.clock, 500, world.life.signal);
    prepared.push((run as ImageRun).image);
  };
  await world.start();
  for (const version of [2, 3]) {
    world.control.reconfigure(testSettings([service({ run: testImage(`app:${version}`), scale: { max: 1 } })]));
    await world.run(20);
  }
  await world.run(2000);
  expect(prepared).toEqual(['app:1', 'app:3']);
});

test('a sleeping service with a changed run only has its replicas prepared anew', async () => {
  const world = new World([service({ run: testImage('app:1') })], {}, 'docker');
  await world.start();
  world.runtime.prepared.clear();
  world.control.reconfigure(testSettings([service({ run: testImage('app:2') })]));
  await world.run(1000);
  expect(world.runtime.calls).toEqual([]);
  expect([...world.runtime.prepared].sort()).toEqual(['hello-1', 'hello-2', 'hello-3', 'hello-4']);
});

test('a reload of one service tells the edges nothing new of another', async () => {
  const { world } = await underLoad();
  const held = world.edge.service('other').state;
  const before = world.edge.messages.length;
  world.control.reconfigure(testSettings([service({ run: testRun(2) }), other]));
  await world.run(3000);
  const about = world.edge.messages.slice(before).filter((m) => m.type === 'service' && m.state.service === 'other');
  expect(about).toEqual([]);
  expect(world.edge.service('other').state.endpoints.map(({ id }) => id)).toEqual(held.endpoints.map(({ id }) => id));
});

test('a removed service is drained, stopped and forgotten', async () => {
  const { world } = await underLoad();
  const long = world.edge.request('other', { bodyMs: 3000 });
  await world.run(100);
  world.control.reconfigure(testSettings([service()]));
  await world.run(1000);
  expect(world.edge.table?.services.map(({ name }) => name)).toEqual(['hello']);
  expect(world.runtime.calls).not.toContain('stop other-1');
  await world.run(3000);
  expect(long.outcome).toBe('answered');
  expect(world.runtime.calls).toContain('stop other-1');
  expect(world.runtime.cleaned).toEqual(['other']);
  expect(world.metrics.forgotten).toEqual(['other']);
  await expect(world.control.service('other')).rejects.toMatchObject({ code: 'SERVICE_UNKNOWN' });
});

test('a service that comes back while it leaves goes on', async () => {
  const { world } = await underLoad();
  world.edge.request('other', { bodyMs: 3000 });
  await world.run(100);
  world.control.reconfigure(testSettings([service()]));
  await world.run(500);
  world.control.reconfigure(testSettings([service(), other]));
  await world.run(100);
  const request = world.edge.request('other');
  await world.run(5000);
  expect(request.outcome).toBe('answered');
  expect((await world.status('other')).state).toBe('ready');
});

test('a new service can be woken', async () => {
  const { world } = await underLoad();
  world.control.reconfigure(testSettings([service(), other, testService('third')]));
  const request = world.edge.request('third');
  await world.run(500);
  expect(request.outcome).toBe('answered');
});

test('fewer than max: the surplus retires; a lower min lets idle ones go', async () => {
  const { world, requests } = await underLoad({ scale: { initial: 3, max: 3 } });
  world.control.reconfigure(testSettings([service({ scale: { initial: 1, max: 1 } }), other]));
  await world.run(2000);
  expect(world.edge.ready('hello')).toHaveLength(1);
  expect(failures(requests)).toEqual([]);
});

test('a lower max together with another run leaves as many as it allows, all of the new run', async () => {
  const { world, requests } = await underLoad({ scale: { initial: 3, max: 3 } });
  world.control.reconfigure(testSettings([service({ run: testRun(2), scale: { initial: 1, max: 1 } }), other]));
  await world.run(15_000);
  const running = (await world.runtime.list()).filter((i) => i.service === 'hello' && i.state === 'running');
  expect(running.map(({ hash }) => hash)).toEqual([runHash(testRun(2))]);
  expect(world.edge.ready('hello')).toHaveLength(1);
  expect(failures(requests)).toEqual([]);
});

test('a lower max calls off what waits for its turn and what only starts', async () => {
  const budget = { replicas: 50, concurrentStarts: 2, startsPerMinute: 60, heldBytes: 2 ** 26 };
  const world = await World.started(testSettings([service({ scale: { min: 4, max: 4 } })], { budget }));
  world.control.reconfigure(testSettings([service({ scale: { min: 1, max: 1 } })]));
  await world.run(2000);
  expect(world.edge.ready('hello')).toHaveLength(1);
  expect(world.runtime.running).toHaveLength(1);
  expect(world.runtime.starts).toBe(2);
});

test('a reload of something else leaves a replacement under way alone', async () => {
  const one = { scale: { min: 1, max: 1 }, run: testRun(2) };
  const world = await World.started(testSettings([service({ ...one, run: testRun(1) })]));
  await world.run(1000);
  world.runtime.behaviour.startMs = 2000;
  world.control.reconfigure(testSettings([service(one)]));
  await world.run(500);
  world.control.reconfigure(testSettings([service({ ...one, timeouts: { drainMs: 1500 } })]));
  await world.run(15_000);
  expect(world.runtime.calls).toEqual(['start hello-1', 'start hello-2', 'stop hello-1']);
});

test('a service that loses its run keeps nothing of its own', async () => {
  const { world } = await underLoad();
  world.control.reconfigure(testSettings([service(), testService('other', { run: undefined })]));
  await world.run(1000);
  expect(world.runtime.running).toEqual(['hello-1']);
  expect((await world.status('other')).state).toBe('unavailable');
  await expect(world.control.wake('other')).rejects.toMatchObject({ code: 'SERVICE_NOT_RUNNABLE' });
});

test('an existing container is not run twice: it ends, and the next request starts it as configured now', async () => {
  const { stop } = testRun();
  const kept = (port: number) =>
    testService('kept', {
      run: { runtime: 'docker', kind: 'docker-container', container: 'c', port, stop } as ContainerRun,
      scale: { max: 1, idleMs: 'never' },
    });
  const world = new World([kept(1)], {}, 'docker');
  await world.start();
  world.edge.request('kept');
  await world.run(15_000);
  world.control.reconfigure(testSettings([kept(2)]));
  await world.run(500);
  expect(world.runtime.running).toEqual([]);
  const request = world.edge.request('kept');
  await world.run(500);
  expect(request.outcome).toBe('answered');
  expect(world.runtime.calls).toEqual(['start kept-1', 'stop kept-1', 'start kept-1']);
});
