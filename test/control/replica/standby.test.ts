import { expect, test } from 'vitest';
import { PilotlightError } from '../../../src/model/errors.ts';
import { runHash } from '../../../src/util/hash.ts';
import type { FakeBehaviour } from '../support/fake-runtime.ts';
import { type ServiceChange, testRun, testService, testSettings } from '../support/settings.ts';
import { World } from '../support/world.ts';

const run = (version = 1) => ({ ...testRun(version), standby: 'paused' as const });
const service = ({ scale, ...change }: ServiceChange = {}) =>
  testService('hello', { run: run(), ...change, scale: { idleMs: 5000, max: 2, ...scale } });

/** A service that was used and is paused now. */
async function paused(change: ServiceChange = {}, behaviour: Partial<FakeBehaviour> = {}): Promise<World> {
  const world = await World.started([service(change)]);
  Object.assign(world.runtime.behaviour, behaviour);
  world.edge.request('hello');
  await world.run(7000);
  expect(world.runtime.calls).toEqual(['start hello-1', 'pause hello-1']);
  return world;
}

const states = async (world: World) => (await world.status('hello')).replicas.map(({ state }) => state);

test('what is idle is frozen after its cordon, is no endpoint any more, and sleeps', async () => {
  const world = await World.started([service()]);
  const views: string[] = [];
  world.runtime.onPause = () => views.push(...world.edge.service('hello').state.endpoints.map(({ state }) => state));
  world.edge.request('hello');
  await world.run(7000);
  expect(world.runtime.paused).toEqual(['hello-1']);
  expect(views).toEqual(['cordoned']);
  expect(world.edge.service('hello').state.endpoints).toEqual([]);
  expect(await world.status('hello')).toMatchObject({ state: 'asleep', replicas: [{ state: 'paused' }] });
  expect(world.messagesOf('paused')).toEqual(['hello paused hello-1 in 20 ms']);
  expect(world.messagesOf('asleep')).toEqual(['hello asleep after 5s idle']);
  await world.run(3_600_000, 60_000);
  expect(world.runtime.calls).toEqual(['start hello-1', 'pause hello-1']);
});

test('a request has it go on, as another endpoint, and that is no cold start', async () => {
  const world = await paused();
  const request = world.edge.request('hello');
  await world.run(200);
  expect(request.outcome).toBe('answered');
  expect(world.runtime.calls).toEqual(['start hello-1', 'pause hello-1', 'resume hello-1']);
  expect(world.edge.ready('hello')).toEqual(['hello-1#2']);
  expect(world.messagesOf('ready').at(-1)).toMatch(/^hello ready in \d+ ms \(hello-1, which was paused\)$/);
  const labels = { service: 'hello' };
  expect(world.metrics.get('pilotlight_resumes_total', { ...labels, outcome: 'ready' })).toBe(1);
  expect(world.metrics.get('pilotlight_cold_starts_total', labels)).toBe(1);
});

test('a request that comes while it is being frozen waits for that, and has it go on', async () => {
  const world = await World.started([service()]);
  world.runtime.behaviour.pauseMs = 1000;
  let request: ReturnType<typeof world.edge.request> | undefined;
  world.runtime.onPause = () => {
    request = world.edge.request('hello');
  };
  world.edge.request('hello');
  await world.run(8500);
  expect(request?.outcome).toBe('answered');
  expect(world.runtime.calls).toEqual(['start hello-1', 'pause hello-1', 'resume hello-1']);
});

test('one that does not answer when it goes on is given up for a fresh one, and who waits is answered', async () => {
  const world = await paused({ scale: { max: 1 } }, { isDeafAfterPause: true });
  const request = world.edge.request('hello');
  await world.run(7000);
  expect(request.outcome).toBe('answered');
  expect(world.runtime.calls.slice(2)).toEqual(['resume hello-1', 'stop hello-1', 'start hello-1']);
  expect(world.messagesOf('resume-failed')).toEqual([expect.stringContaining('replaces hello-1, which was paused')]);
  expect(world.metrics.get('pilotlight_resumes_total', { service: 'hello', outcome: 'failed' })).toBe(1);
  expect(world.errors).toEqual([]);
});

test('one that does not go on, where it was on trial after a failed start, keeps no other start from beginning', async () => {
  const world = await paused({ scale: { max: 2 } });
  world.runtime.behaviour.failures.push(new PilotlightError('RUNTIME_FAILED', 'no'));
  await world.settle(world.control.scale('hello', 2, false));
  await world.run(7000);
  expect(world.messagesOf('start-failed')).toHaveLength(1);
  await world.settle(world.control.sleep('hello'));
  await world.run(7000);
  world.runtime.behaviour.isDeafAfterPause = true;
  const request = world.edge.request('hello');
  await world.run(20_000);
  expect(world.messagesOf('resume-failed').length).toBeGreaterThan(0);
  expect(request.outcome).toBe('answered');
});

test('one that somebody freezes before it is ready is stopped, and the next request gets a fresh one', async () => {
  const world = await World.started([service()]);
  Object.assign(world.runtime.behaviour, { startMs: 10, readyMs: 500 });
  world.edge.request('hello');
  await world.run(100);
  world.runtime.freeze('hello-1');
  await world.run(5000);
  expect(world.messagesOf('start-failed')).toEqual([expect.stringContaining('somebody paused it before it was ready')]);
  expect([world.runtime.calls, world.runtime.paused]).toEqual([['start hello-1', 'stop hello-1'], []]);
  const request = world.edge.request('hello');
  await world.run(1000);
  expect(request.outcome).toBe('answered');
});

test('where freezing fails it is stopped, and that is told', async () => {
  const world = await World.started([service()]);
  world.runtime.behaviour.unpausable = new PilotlightError('RUNTIME_FAILED', 'no freezer');
  world.edge.request('hello');
  await world.run(8000);
  expect(world.runtime.calls).toEqual(['start hello-1', 'pause hello-1', 'stop hello-1']);
  expect(world.messagesOf('paused')).toEqual(['hello cannot pause hello-1, which is stopped instead: no freezer']);
});

test('one that ends while it is frozen is known to be gone, and the next request gets a fresh one', async () => {
  const world = await paused();
  world.runtime.exit('hello-1', undefined, 137, false, { outOfMemory: 'yes' });
  await world.run(100);
  expect(await states(world)).toEqual(['stopped']);
  expect(world.messagesOf('exited')).toEqual([expect.stringContaining('it ran out of memory')]);
  const request = world.edge.request('hello');
  await world.run(500);
  expect(request.outcome).toBe('answered');
  expect(world.runtime.calls.at(-1)).toBe('start hello-1');
});

test('one that ends while it goes on is replaced, and who waits is answered', async () => {
  const world = await paused({}, { resumeMs: 500 });
  const request = world.edge.request('hello');
  await world.run(100);
  world.runtime.exit('hello-1');
  await world.run(3000);
  expect(request.outcome).toBe('answered');
  expect(world.runtime.calls.slice(2)).toEqual(['resume hello-1', 'start hello-1']);
});

test('one that somebody has go on is taken into service', async () => {
  const world = await paused();
  world.runtime.thaw('hello-1');
  await world.run(500);
  expect(world.edge.ready('hello')).toHaveLength(1);
  expect(world.runtime.calls).toEqual(['start hello-1', 'pause hello-1']);
});

test('one that somebody freezes while it serves goes on for the next request', async () => {
  const world = await World.started([service()]);
  world.edge.request('hello');
  await world.run(3000);
  world.runtime.freeze('hello-1');
  await world.run(100);
  const request = world.edge.request('hello');
  await world.run(500);
  expect(request.outcome).toBe('answered');
  expect(world.runtime.calls.filter((call) => call.startsWith('start'))).toHaveLength(1);
});

test('what is found frozen at boot stays so until a request comes', async () => {
  const world = new World([service()]);
  world.runtime.launch('hello', 1, runHash(run()));
  world.runtime.freeze('hello-1');
  await world.start();
  await world.run(30_000);
  expect(world.runtime.calls).toEqual([]);
  expect(await states(world)).toEqual(['paused']);
  const request = world.edge.request('hello');
  await world.run(200);
  expect(request.outcome).toBe('answered');
  expect(world.runtime.calls).toEqual(['resume hello-1']);
});

test('a new run, a removal, and an end of the proxy that stops replicas leave none that is frozen', async () => {
  const renewed = await paused();
  renewed.control.reconfigure(testSettings([service({ run: run(2) })]));
  await renewed.run(1000);
  expect([renewed.runtime.paused, renewed.runtime.running]).toEqual([[], []]);
  expect(renewed.messagesOf('dropped')).toEqual(['hello stopping hello-1, paused until now: it has an older run']);

  const removed = await paused();
  removed.control.reconfigure(testSettings([testService('other')]));
  await removed.run(1000);
  expect(removed.runtime.paused).toEqual([]);
  expect(removed.runtime.cleaned).toEqual(['hello']);

  const ended = await paused();
  await ended.settle(ended.control.shutdown(new AbortController().signal));
  expect(ended.runtime.paused).toEqual([]);

  const kept = await paused({ onExit: 'keep' });
  await kept.settle(kept.control.shutdown(new AbortController().signal));
  expect(kept.runtime.paused).toEqual(['hello-1']);
});

test('one that is about to be frozen when its service is removed is stopped', async () => {
  const world = await World.started([service()]);
  world.runtime.behaviour.pauseMs = 1000;
  world.runtime.onPause = () => world.control.reconfigure(testSettings([testService('other')]));
  world.edge.request('hello');
  await world.run(10_000);
  expect(world.runtime.calls).toEqual(['start hello-1', 'pause hello-1', 'stop hello-1']);
  expect([world.runtime.paused, world.runtime.running]).toEqual([[], []]);
});

test('a process that takes over leaves what is frozen, and what it has go on serves the one before it too', async () => {
  const world = await paused();
  const letGo = world.control.letGo(() => world.runtime.thaw('hello-1'), new AbortController().signal);
  await world.settle(letGo);
  const request = world.edge.request('hello');
  await world.run(1000);
  expect(request.outcome).toBe('answered');
  expect(world.runtime.calls).toEqual(['start hello-1', 'pause hello-1']);
});

test('what operators put to sleep is frozen, and what they wake goes on', async () => {
  const world = await World.started([service({ scale: { idleMs: 'never' } })]);
  await world.settle(world.control.wake('hello'));
  await world.run(500);
  await world.settle(world.control.sleep('hello'));
  await world.run(500);
  expect(world.runtime.paused).toEqual(['hello-1']);
  await world.settle(world.control.scale('hello', 2, false));
  await world.run(500);
  expect(world.runtime.calls).toEqual(['start hello-1', 'pause hello-1', 'resume hello-1', 'start hello-2']);
  await world.settle(world.control.scale('hello', 1, false));
  await world.run(1000);
  expect([world.runtime.paused, world.runtime.running.length]).toEqual([[], 1]);
});

test('a frozen replica holds no place of the budget, and none beyond max is kept', async () => {
  const budget = { replicas: 1, concurrentStarts: 4, startsPerMinute: 60, heldBytes: 2 ** 20 };
  const world = await World.started(testSettings([service(), testService('other')], { budget }));
  world.edge.request('hello');
  await world.run(7000);
  expect(world.runtime.paused).toEqual(['hello-1']);
  const request = world.edge.request('other');
  await world.run(500);
  expect(request.outcome).toBe('answered');

  const both = await World.started([service({ scale: { min: 0, initial: 2 } })]);
  both.edge.request('hello');
  await both.run(8000);
  expect(both.runtime.paused).toEqual(['hello-1', 'hello-2']);
  both.control.reconfigure(testSettings([service({ scale: { max: 1 } })]));
  await both.run(1000);
  expect(both.runtime.paused).toHaveLength(1);
});

test('with auto it is paused for as long as pays, and then stopped; why tells both', async () => {
  const auto = { ...testRun(), standby: 'auto' as const };
  const world = await World.started([service({ run: auto, scale: { idleMs: 'auto', weight: 100 } })]);
  world.runtime.behaviour.startMs = 950;
  world.edge.request('hello');
  await world.run(2000);
  const { idle } = await world.settle(world.control.why('hello'));
  // A start takes 1 s, and a resume is taken to take 100 ms: 101 s and 10.1 s of an idle replica, half of it paused.
  const keepMs = idle?.keepMs as number;
  const pausedMs = idle?.standby?.pausedMs as number;
  expect(keepMs).toBeGreaterThan(19_000);
  expect(keepMs).toBeLessThan(25_000);
  expect(pausedMs).toBeGreaterThan(150_000);
  expect(pausedMs).toBeLessThan(200_000);
  await world.run(keepMs + 3000, 500);
  expect(world.runtime.paused).toEqual(['hello-1']);
  await world.run(pausedMs - 6000, 500);
  expect(world.runtime.paused).toEqual(['hello-1']);
  await world.run(8000, 500);
  expect(world.runtime.paused).toEqual([]);
  expect(world.runtime.calls).toEqual(['start hello-1', 'pause hello-1', 'stop hello-1']);
  expect(world.messagesOf('dropped')).toEqual([
    'hello stopping hello-1, paused until now: it was paused for as long as pays',
  ]);
  const request = world.edge.request('hello');
  await world.run(2000);
  expect(request.outcome).toBe('answered');
});

test('a frozen service keeps what is paused of it for longer than pays', async () => {
  const auto = { ...testRun(), standby: 'auto' as const };
  const world = await World.started([service({ run: auto, scale: { weight: 0.01 } })]);
  world.runtime.behaviour.startMs = 20_000;
  world.edge.request('hello');
  await world.run(27_500);
  expect(world.runtime.paused).toEqual(['hello-1']);
  await world.settle(world.control.freeze('hello', 600_000, null, false));
  await world.run(500_000, 1000);
  expect(world.runtime.paused).toEqual(['hello-1']);
  await world.settle(world.control.unfreeze('hello', false));
  await world.run(2000);
  expect(world.runtime.paused).toEqual([]);
});
