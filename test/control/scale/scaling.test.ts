import { expect, test } from 'vitest';
import { decideScale } from '../../../src/control/scale/scaler.ts';
import { testGuards, testRun, testScale, testService, testSettings } from '../support/settings.ts';
import { World } from '../support/world.ts';

/** An app that manages fifty requests a second: eight at once, each 160 ms. */
const FIFTY = { workers: 8, serviceMs: 160 };
const latency = { ...testScale.latency, aboveMs: 500 };

async function saturated(scale = {}) {
  const world = await World.started([testService('slow', { scale: { latency, max: 10, ...scale } })]);
  Object.assign(world.runtime.behaviour, FIFTY);
  await world.load('slow', 10, 10_000);
  return world;
}

test('what one replica cannot carry gets the replicas that it needs, and no more', async () => {
  const world = await saturated();
  await world.load('slow', 130, 90_000);
  const { length } = world.runtime.running;
  expect(length).toBeGreaterThanOrEqual(2);
  expect(length).toBeLessThanOrEqual(4);
  const scaled = world.messagesOf('scaled');
  expect(scaled[0]).toMatch(/^slow scaled 1→2 because 50 of 130 requests\/s are answered, \d+ are in flight or wait$/);
  // New requests are quick again.
  const requests = Array.from({ length: 20 }, () => world.edge.request('slow'));
  await world.run(2000);
  const slowest = Math.max(...requests.map(({ arrivedAt, endedAt }) => endedAt - arrivedAt));
  expect(slowest).toBeLessThan(1000);
  expect(world.errors).toEqual([]);
}, 20_000);

test('when the load is gone replicas go one at a time, not before the window has passed', async () => {
  const guards = { ...testGuards, downWindowMs: 60_000, stepDownEveryMs: 20_000, downTrialMs: 20_000 };
  const world = await saturated({ guards });
  await world.load('slow', 130, 60_000);
  const most = world.runtime.running.length;
  expect(most).toBeGreaterThan(1);
  const quietAt = world.clock.now();
  const stops: number[] = [];
  world.runtime.onStop = () => stops.push(world.clock.now());
  await world.load('slow', 10, 240_000);
  expect(world.runtime.running).toHaveLength(1);
  expect(stops).toHaveLength(most - 1);
  // What was only there for the backlog may go before; the peak is that of 15 s.
  expect((stops[most - 3] ?? 0) - quietAt).toBeGreaterThanOrEqual(45_000);
  for (let i = 1; i < stops.length; i++) expect((stops[i] ?? 0) - (stops[i - 1] ?? 0)).toBeGreaterThanOrEqual(20_000);
}, 20_000);

test('a spike of three seconds adds one replica at most', async () => {
  const world = await saturated();
  await world.load('slow', 150, 3000);
  await world.load('slow', 10, 60_000);
  expect(world.runtime.starts).toBeLessThanOrEqual(2);
}, 20_000);

test.each([20, 30])(
  'after a spike the replica that carried %i/s before carries them alone again',
  async (rate) => {
    const guards = { ...testGuards, downWindowMs: 20_000, surplusMs: 20_000, stepDownEveryMs: 5000, warmUpMs: 1000 };
    const quick = { ...latency, windowMs: 3000 };
    const world = await World.started([
      testService('slow', { scale: { latency: quick, min: 1, idleMs: 'never', guards } }),
    ]);
    Object.assign(world.runtime.behaviour, FIFTY);
    await world.load('slow', rate, 3000);
    await world.load('slow', 150, 3000);
    await world.load('slow', rate, 10_000);
    expect(world.runtime.starts).toBe(2);
    await world.load('slow', rate, 120_000);
    expect(world.runtime.running).toHaveLength(1);
    expect(world.runtime.starts).toBe(2);
    expect(world.messagesOf('scaled').at(-1)).toMatch(
      /^slow scaled 2→1 because p95 \d+ ms < 300 ms for \d+ s, at most/,
    );
  },
  20_000,
);

test('where hardly anybody comes after a spike, its replica goes too', async () => {
  const world = await World.started([testService('slow', { scale: { latency, min: 1, idleMs: 'never' } })]);
  Object.assign(world.runtime.behaviour, FIFTY);
  await world.load('slow', 1, 3000);
  await world.load('slow', 150, 3000);
  await world.load('slow', 1, 700_000);
  expect(world.runtime.running).toHaveLength(1);
  expect(world.runtime.starts).toBe(2);
}, 20_000);

test('what one replica carried when requests were lighter is no reason to go back to it', async () => {
  const guards = { ...testGuards, downWindowMs: 20_000, stepDownEveryMs: 5000, warmUpMs: 1000 };
  const world = await World.started([testService('slow', { scale: { latency, min: 1, idleMs: 'never', guards } })]);
  Object.assign(world.runtime.behaviour, { workers: 8, serviceMs: 20 });
  await world.load('slow', 40, 30_000);
  // From here on one replica manages 32 a second, and two with ease what comes.
  for (const app of world.runtime.apps) app.serviceMs = 250;
  world.runtime.behaviour.serviceMs = 250;
  await world.load('slow', 40, 300_000);
  expect(world.messagesOf('scaled')).toHaveLength(1);
  expect(world.runtime.running).toHaveLength(2);
}, 20_000);

test('a dry run makes the same decisions and calls nothing', async () => {
  const world = await saturated({ dryRun: true });
  await world.load('slow', 130, 10_000);
  expect(world.runtime.starts).toBe(1);
  const { lastDecision } = await world.status('slow');
  expect(lastDecision?.dryRun).toBe(true);
  expect(world.messagesOf('scaled')[0]).toMatch(/^slow would scale 1→2 \(dry run\) because 50 of 130/);
}, 20_000);

test('latency that is low keeps one replica, whatever the rate', async () => {
  const world = await World.started([testService('quick', { scale: { latency } })]);
  await world.load('quick', 200, 30_000);
  expect(world.runtime.starts).toBe(1);
  expect(world.messagesOf('scaled')).toEqual([]);
}, 20_000);

test('requests that hang without a first byte count as slow', async () => {
  const world = await World.started([
    testService('hung', { scale: { latency, guards: { ...testGuards, warmUpMs: 0, warmUpRequests: 0 } } }),
  ]);
  Object.assign(world.runtime.behaviour, { workers: 1000, serviceMs: 60_000 });
  await world.load('hung', 10, 12_000);
  expect(world.runtime.running.length).toBeGreaterThan(1);
});

test('requests that hang on a replica younger than its warm-up say nothing yet', async () => {
  const world = await World.started([
    testService('hung', { scale: { latency, guards: { ...testGuards, warmUpRequests: 0 } } }),
  ]);
  Object.assign(world.runtime.behaviour, { workers: 5, serviceMs: 2000 });
  // By what it has answered so far it would not be enough.
  await world.load('hung', 20, 5000);
  expect(world.runtime.starts).toBe(1);
  await world.load('hung', 20, 5000);
  expect(world.runtime.starts).toBeGreaterThan(1);
}, 20_000);

test('without a report nothing is scaled', async () => {
  const world = await saturated();
  world.edge.reports = false;
  await world.run(3500);
  await world.load('slow', 130, 30_000);
  expect(world.runtime.starts).toBe(1);
}, 20_000);

test('few samples are no verdict', async () => {
  const world = await World.started([testService('rare', { scale: { latency } })]);
  Object.assign(world.runtime.behaviour, { workers: 1, serviceMs: 900 });
  await world.load('rare', 0.05, 300_000);
  expect(world.runtime.starts).toBe(1);
  expect((await world.status('rare')).heldBack?.guards).toContain('samples');
}, 20_000);

test('the budget of all services limits scaling', async () => {
  const world = await saturated({ max: 2 });
  await world.load('slow', 130, 30_000);
  expect(world.runtime.running).toHaveLength(2);
  const { heldBack } = await world.status('slow');
  expect(heldBack?.guards).toContain('budget');
  expect(heldBack?.reason).toContain('max 2');
  expect(world.metrics.get('pilotlight_guard_blocks_total', { service: 'slow', guard: 'budget' })).toBeGreaterThan(0);
}, 20_000);

test('a replica started by somebody else is adopted, and scaling leaves the service alone for a while', async () => {
  const world = await saturated({ guards: { ...testGuards, cooldownMs: 15_000 } });
  const { hash } = (await world.runtime.list())[0] ?? { hash: '' };
  world.runtime.launch('slow', 2, hash);
  await world.run(500);
  expect(world.edge.ready('slow')).toHaveLength(2);
  await world.load('slow', 120, 14_000);
  expect(world.runtime.running).toHaveLength(2);
  await world.load('slow', 120, 6000);
  expect(world.runtime.running.length).toBeGreaterThan(2);
}, 20_000);

test('requests that wait for a slot on a warm service bring up what concurrency asks for, but no queue that is soon gone', async () => {
  const world = await World.started([
    testService('slots', {
      scale: { concurrency: 10, max: 10 },
      hold: { max: 1000, maxBytes: 2 ** 24, perClient: 0, timeoutMs: 120_000, page: 'off' },
    }),
  ]);
  world.runtime.behaviour.serviceMs = 20_000;
  world.edge.request('slots');
  await world.run(2000);
  const requests = Array.from({ length: 40 }, () => world.edge.request('slots'));
  await world.run(12_000);
  expect(world.runtime.running.length).toBeGreaterThanOrEqual(5);
  expect(world.runtime.running.length).toBeLessThanOrEqual(6);
  await world.run(60_000);
  expect(requests.every(({ outcome }) => outcome === 'answered')).toBe(true);
  const brief = await World.started([testService('brief', { scale: { concurrency: 2, max: 10 } })]);
  brief.runtime.behaviour.serviceMs = 40;
  brief.edge.request('brief');
  await brief.run(2000);
  for (let i = 0; i < 16; i++) brief.edge.request('brief');
  await brief.run(10_000);
  expect(brief.runtime.starts).toBe(1);
});

test('a replica that dies under load is replaced, an idle one is not', async () => {
  const world = await saturated();
  await world.load('slow', 130, 60_000);
  const before = world.runtime.running.length;
  const load = world.clock.every(20, () => world.edge.request('slow'));
  world.runtime.exit('slow-1');
  await world.run(2000);
  expect(world.runtime.running).toHaveLength(before);
  load.cancel();
  await world.run(30_000);
  world.runtime.exit('slow-1');
  await world.run(2000);
  expect(world.runtime.running).toHaveLength(before - 1);
}, 20_000);

test('what is started in place of one that died, or for a higher min, is logged as a decision', async () => {
  const world = await World.started([testService('kept', { scale: { min: 2, initial: 2 } })]);
  await world.load('kept', 10, 1000);
  world.runtime.exit('kept-1');
  await world.load('kept', 10, 20_000);
  expect((await world.status('kept')).lastDecision).toMatchObject({
    action: 'scale-up',
    from: 1,
    to: 2,
    reason: 'min 2',
    inputs: { wanted: 2 },
  });
  const scaled = await saturated();
  await scaled.load('slow', 90, 30_000);
  expect(scaled.runtime.running).toHaveLength(2);
  const load = scaled.clock.every(20, () => scaled.edge.request('slow'));
  scaled.runtime.exit('slow-1');
  await scaled.run(100);
  load.cancel();
  const { lastDecision } = await scaled.status('slow');
  expect(lastDecision).toMatchObject({ action: 'replace', from: 1, to: 2, reason: '1 of 2 are there' });
}, 20_000);

test('every decision can be made again from its entry in the log', async () => {
  const world = await saturated();
  await world.load('slow', 130, 60_000);
  const { decisions } = await world.control.why('slow');
  const scaled = decisions.filter(({ kind }) => kind !== null);
  for (const { inputs, action, kind, from, to, reason, verdicts } of JSON.parse(JSON.stringify(scaled)))
    expect(decideScale(inputs)).toEqual({ action, kind, from, to, reason, verdicts });
  expect(scaled.length).toBeGreaterThan(2);
}, 20_000);

test('an increase that is still judged when the configuration of its run changes is told of as not judged', async () => {
  const world = await saturated();
  await world.load('slow', 130, 4000);
  expect(world.messagesOf('scaled')).toHaveLength(1);
  world.control.reconfigure(testSettings([testService('slow', { run: testRun(2), scale: { latency, max: 10 } })]));
  await world.run(1000);
  expect(world.messagesOf('outcome')).toEqual([expect.stringMatching(/not judged: there is another run$/)]);
}, 20_000);
