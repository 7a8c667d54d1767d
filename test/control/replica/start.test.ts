import { expect, test } from 'vitest';
import { PilotlightError } from '../../../src/model/errors.ts';
import { silentLogger } from '../../../src/model/observe.ts';
import { testService } from '../support/settings.ts';
import { World } from '../support/world.ts';

const clash = () => new PilotlightError('PORT_CLASH', 'port is taken');
const missing = () => new PilotlightError('IMAGE_MISSING', 'image "a:b" not found');

test.each<[string, (world: World, count: number) => void]>([
  [
    'that the runtime tells',
    ({ runtime }, count) => runtime.behaviour.failures.push(...Array.from({ length: count }, clash)),
  ],
  ['that ends the replica before it listens', ({ runtime }, count) => (runtime.behaviour.clashes = count)],
])('a port clash %s is retried at once and is not another start', async (_which, clashes) => {
  const world = await World.started([testService('hello')]);
  clashes(world, 2);
  const request = world.edge.request('hello');
  await world.run(1000);
  expect(request.outcome).toBe('answered');
  expect(world.runtime.starts).toBe(3);
  expect(world.messagesOf('start-failed')).toEqual([]);
  expect((await world.status('hello')).state).toBe('ready');
});

test('a port that another program takes again and again is a failed start, and nothing of it stays', async () => {
  const world = await World.started([testService('hello')]);
  world.runtime.behaviour.clashes = 100;
  const request = world.edge.request('hello');
  await world.run(1500);
  expect(request.outcome).toBe('failed');
  expect(world.runtime.starts).toBe(6);
  expect(world.runtime.stops).toBe(0);
  expect(world.messagesOf('start-failed')[0]).toContain('another program took its port');
  expect((await world.status('hello')).replicas).toMatchObject([{ state: 'failed', address: null }]);
  expect(world.runtime.running).toEqual([]);
});

test('a start that is called off between two such attempts is not tried again', async () => {
  const world = await World.started([testService('hello')]);
  world.runtime.behaviour.clashes = 100;
  await world.control.wake('hello');
  await world.run(400);
  const before = world.runtime.starts;
  expect(before).toBeGreaterThan(1);
  await world.control.sleep('hello');
  await world.run(5000);
  expect(world.runtime.starts).toBe(before);
  expect(world.runtime.running).toEqual([]);
});

test('a port that clashes again and again is a failed start after five retries', async () => {
  const world = await World.started([testService('hello')]);
  world.runtime.behaviour.broken = clash();
  world.runtime.behaviour.startMs = 20;
  const request = world.edge.request('hello');
  await world.run(500);
  expect(request.outcome).toBe('failed');
  expect(world.runtime.starts).toBe(6);
});

test('who waits for a start that fails is answered at once; who comes during the back-off is not held', async () => {
  const world = await World.started([testService('hello')]);
  world.runtime.behaviour.broken = missing();
  const first = world.edge.request('hello');
  await world.run(160);
  expect(first.outcome).toBe('failed');
  expect(world.edge.service('hello').state.blocked?.retryAfterMs).toBeCloseTo(10_000, -2);
  expect(world.edge.request('hello').outcome).toBe('blocked');
  expect(world.messagesOf('start-failed')).toEqual(['hello start failed: image "a:b" not found; next try in 10s']);
});

test('what cannot pass by itself is tried at most twice in ten seconds', async () => {
  const world = await World.started([testService('hello')], { random: () => 0.999 });
  world.runtime.behaviour.broken = missing();
  for (let i = 0; i < 20; i++) {
    world.edge.request('hello');
    await world.run(500);
  }
  expect(world.runtime.starts).toBeLessThanOrEqual(2);
  expect(world.edge.service('hello').state.failures).toBe(world.runtime.starts);
});

test('after three failures the service is failing; one trial after the back-off closes the circuit', async () => {
  const world = await World.started([testService('hello', { scale: { initial: 3 } })]);
  world.runtime.behaviour.broken = new PilotlightError('RUNTIME_FAILED', 'no');
  const steps: number[] = [];
  for (let i = 0; i < 3; i++) {
    world.edge.request('hello');
    await world.run(200);
    steps.push(world.runtime.starts);
    await world.run(world.edge.service('hello').blockedUntil - world.clock.now() + 10);
    expect(world.edge.service('hello').state.blocked).toBeNull();
  }
  // Three are asked for together at first, one at a time as long as the circuit is not closed.
  expect(steps).toEqual([3, 4, 5]);
  expect((await world.status('hello')).state).toBe('failing');
  world.runtime.behaviour.broken = undefined;
  const trial = world.edge.request('hello');
  await world.run(100);
  expect(world.runtime.starts).toBe(6);
  await world.run(500);
  expect(trial.outcome).toBe('answered');
  expect((await world.status('hello')).state).toBe('ready');
});

test('the back-off grows from one second, doubled each time, to a minute', async () => {
  const world = await World.started([testService('hello')]);
  world.runtime.behaviour.broken = new PilotlightError('RUNTIME_FAILED', 'no');
  const waits: number[] = [];
  for (let i = 0; i < 8; i++) {
    world.edge.request('hello');
    await world.run(160);
    const wait = world.edge.service('hello').state.blocked?.retryAfterMs ?? 0;
    waits.push(Math.round(wait / 1000));
    await world.run(wait);
  }
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
});

test('a replica that never gets ready is a failed start: it is stopped, and who waits is answered', async () => {
  const ready = { ...testService('x').ready, timeoutMs: 3000 };
  const world = await World.started([testService('hello', { ready })]);
  world.runtime.behaviour.readyMs = 'never';
  const request = world.edge.request('hello');
  await world.run(3000);
  expect(request.outcome).toBeUndefined();
  await world.run(500);
  expect(request.outcome).toBe('failed');
  expect(world.runtime.calls).toEqual(['start hello-1', 'stop hello-1']);
  expect(world.messagesOf('start-failed')[0]).toContain('not ready within 3s');
});

test('an exit while starting fails the start at once', async () => {
  const world = await World.started([testService('hello')]);
  Object.assign(world.runtime.behaviour, { readyMs: 'never', exitAfterMs: 100 });
  const request = world.edge.request('hello');
  await world.run(300);
  expect(request.outcome).toBe('failed');
  expect(request.endedAt).toBeLessThan(300);
  expect(world.messagesOf('start-failed')[0]).toContain('exit code 1');
  expect(world.runtime.stops).toBe(0);
});

test('what a replica said last is told to operators when its start fails, and to no edge', async () => {
  const lines: object[] = [];
  const logger = { ...silentLogger, warn: (fields: object) => void lines.push(fields) };
  const world = await World.started([testService('hello')], { logger });
  Object.assign(world.runtime.behaviour, { readyMs: 'never', exitAfterMs: 100 });
  world.runtime.output = async () => ['Error: no database'];
  world.edge.request('hello');
  await world.run(500);
  expect(lines).toContainEqual({ service: 'hello', replica: 'hello-1', output: ['Error: no database'] });
  const [failed] = world.events.filter(({ type }) => type === 'start-failed');
  expect(failed?.data).toMatchObject({ code: 'REPLICA_EXITED', exitCode: 1, output: 'Error: no database' });
  expect(JSON.stringify(world.edge.messages)).not.toContain('database');
});

test('what ended before its start returned is said to have ended, with its exit code', async () => {
  const world = await World.started([testService('hello')]);
  const start = world.runtime.start.bind(world.runtime);
  world.runtime.start = async (spec, signal) => {
    const instance = await start(spec, signal);
    world.runtime.exit('hello-1', instance.id, 127);
    return { ...instance, state: 'stopped', address: undefined, exitCode: 127 };
  };
  world.edge.request('hello');
  await world.run(500);
  expect(world.messagesOf('start-failed')[0]).toContain('it ended at once: its command was not found (exit code 127)');
});

test('an exit that is reported before the start call returns is not missed', async () => {
  const world = await World.started([testService('hello')]);
  Object.assign(world.runtime.behaviour, { readyMs: 'never', exitAfterMs: 0 });
  const request = world.edge.request('hello');
  await world.run(300);
  expect(request.outcome).toBe('failed');
});

test('an exit within ten seconds of ready is a failed start and counts towards the circuit', async () => {
  const world = await World.started([testService('hello')]);
  world.runtime.behaviour.exitAfterMs = 3000;
  world.edge.request('hello');
  await world.run(3500);
  expect(world.messagesOf('start-failed')[0]).toContain('soon after it was ready');
  await world.run(1000);
  world.edge.request('hello');
  await world.run(3500);
  expect((await world.status('hello')).state).toBe('failing');
  expect(world.edge.service('hello').state.blocked?.retryAfterMs).toBeGreaterThan(1000);
  expect(world.edge.request('hello').outcome).toBe('blocked');
});

test('who asks for what was killed right after it was ready waits the back-off out', async () => {
  const world = await World.started([testService('hello')]);
  world.runtime.behaviour.exitAfterMs = 3000;
  world.edge.request('hello');
  await world.run(3300);
  world.runtime.behaviour.exitAfterMs = undefined;
  const waiting = world.edge.request('hello');
  await world.run(300);
  expect((await world.status('hello')).state).toBe('waking');
  expect([waiting.outcome, world.runtime.starts]).toEqual([undefined, 1]);
  await world.run(2000);
  expect([waiting.outcome, world.runtime.starts]).toEqual(['answered', 2]);
});

test('a request that waits when the only replica is killed right after it was ready is not turned away', async () => {
  const world = await World.started([testService('hello', { scale: { concurrency: 1, max: 1 } })]);
  Object.assign(world.runtime.behaviour, { exitAfterMs: 1000, serviceMs: 2000 });
  world.edge.request('hello');
  await world.run(500);
  world.runtime.behaviour.exitAfterMs = undefined;
  const waiting = world.edge.request('hello');
  await world.run(6000);
  expect([waiting.outcome, world.runtime.starts]).toEqual(['answered', 2]);
});

test('what answers the probe must still be what was started', async () => {
  const world = await World.started([testService('hello')]);
  world.runtime.inspect = async (id) => ({
    ...world.runtime.launch('other', 1, 'h'),
    id,
    service: 'hello',
    startedAt: 1,
  });
  const request = world.edge.request('hello');
  await world.run(500);
  expect(request.outcome).toBe('failed');
  expect(world.edge.messages.some((message) => JSON.stringify(message).includes('"state":"ready"'))).toBe(false);
  expect(world.messagesOf('start-failed')[0]).toContain('is not what was started');
});

test('of several that start, a failure rejects nobody while another may still become ready', async () => {
  const world = await World.started([testService('hello', { scale: { initial: 2 } })]);
  world.runtime.behaviour.failures = [missing()];
  const request = world.edge.request('hello');
  await world.run(180);
  expect(request.outcome).toBeUndefined();
  await world.run(300);
  expect(request.outcome).toBe('answered');
  expect(world.edge.service('hello').state.failures).toBe(0);
});

test('ready replicas go on serving while starts are blocked', async () => {
  const world = await World.started([testService('hello', { scale: { concurrency: 1, max: 3 } })]);
  world.edge.request('hello');
  await world.run(15_000);
  world.runtime.behaviour.broken = missing();
  world.runtime.behaviour.serviceMs = 500;
  const requests = Array.from({ length: 4 }, () => world.edge.request('hello'));
  await world.run(5000);
  expect(requests.every(({ outcome }) => outcome === 'answered')).toBe(true);
  expect((await world.status('hello')).state).toBe('ready');
});

test('min is tried again by itself after a failure', async () => {
  const world = new World([testService('hello', { scale: { min: 1 } })]);
  world.runtime.behaviour.failures = [new PilotlightError('RUNTIME_FAILED', 'no')];
  await world.start();
  await world.run(3000);
  expect(world.runtime.starts).toBe(2);
  expect(world.edge.ready('hello')).toHaveLength(1);
});

test('a probe goes to another edge when its own goes away', async () => {
  const world = await World.started([testService('hello')]);
  world.runtime.behaviour.readyMs = 3000;
  const other = world.addEdge('edge-2');
  world.edge.request('hello');
  await world.run(1000);
  const waiting = other.request('hello');
  world.edge.die();
  await world.run(3000);
  expect(waiting.outcome).toBe('answered');
  expect(world.runtime.starts).toBe(1);
});

test('with docker-health the engine decides, whatever the port answers', async () => {
  const world = await World.started([testService('hello', { ready: { kind: 'own-check', timeoutMs: 60_000 } })]);
  const inspect = world.runtime.inspect.bind(world.runtime);
  let health: 'starting' | 'healthy' = 'starting';
  world.runtime.inspect = async (id) => {
    const instance = await inspect(id);
    return instance && { ...instance, health };
  };
  const request = world.edge.request('hello');
  await world.run(3000);
  expect(request.outcome).toBeUndefined();
  health = 'healthy';
  await world.run(500);
  expect(request.outcome).toBe('answered');
  const probe = world.edge.messages.find(({ type }) => type === 'probe');
  expect(probe).toMatchObject({ check: { kind: 'connect' } });
});

test('the health check is run at once, since the first one of the engine comes an interval after the start', async () => {
  const world = await World.started([testService('hello', { ready: { kind: 'own-check', timeoutMs: 60_000 } })]);
  const inspect = world.runtime.inspect.bind(world.runtime);
  world.runtime.inspect = async (id) => {
    const instance = await inspect(id);
    return instance && { ...instance, health: 'starting' };
  };
  let runs = 0;
  const checkHealth = async () =>
    ++runs < 4 ? ({ verdict: 'failed', detail: 'exit code 1' } as const) : ({ verdict: 'passed', detail: '' } as const);
  Object.assign(world.runtime, { checkHealth });
  const request = world.edge.request('hello');
  await world.run(3000);
  expect([request.outcome, runs]).toEqual(['answered', 4]);
});

test.each([
  ['failed', 'exit code 1', 60],
  ['late', 'no result within 30s', 1],
  ['unknown', 'not run before its interval of 2m is over', 1],
] as const)(
  'a health check that is %s is said when the time is over, and not begun without end',
  async (verdict, detail, most) => {
    const world = await World.started([testService('hello', { ready: { kind: 'own-check', timeoutMs: 30_000 } })]);
    const inspect = world.runtime.inspect.bind(world.runtime);
    world.runtime.inspect = async (id) => {
      const instance = await inspect(id);
      return instance && { ...instance, health: 'starting' };
    };
    let runs = 0;
    Object.assign(world.runtime, { checkHealth: async () => ({ verdict, detail, runs: ++runs }) });
    world.edge.request('hello');
    await world.run(33_000);
    expect(world.messagesOf('start-failed')[0]).toContain(
      `not ready within 30s; the last probe of HEALTHCHECK ended with: ${detail}`,
    );
    expect(runs).toBeGreaterThan(0);
    expect(runs).toBeLessThanOrEqual(most);
  },
);

test('the probe asks with a Host that the app knows', async () => {
  const world = await World.started([
    testService('named', {
      routes: [
        { host: '*.a.test', path: '/' },
        { host: 'b.test', path: '/' },
      ],
    }),
    testService('any', { routes: [{ host: undefined, path: '/' }] }),
    testService('fixed', { upstreamHost: 'inner.test' }),
  ]);
  for (const name of ['named', 'any', 'fixed']) world.edge.request(name);
  await world.run(1000);
  const hosts = world.edge.messages.flatMap((m) =>
    m.type === 'probe' && m.check.kind === 'http' ? [m.check.hostHeader] : [],
  );
  expect(hosts).toEqual(['b.test', 'localhost', 'inner.test']);
});

test('an operator may try again before the back-off is over', async () => {
  const world = await World.started([testService('hello')]);
  world.runtime.behaviour.failures = [missing()];
  world.edge.request('hello');
  await world.run(200);
  const waking = await world.settle(world.control.wake('hello'));
  expect(waking.state).toBe('waking');
  await world.run(500);
  expect(world.edge.ready('hello')).toHaveLength(1);
});
