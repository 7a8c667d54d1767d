import { afterEach, expect, test } from 'vitest';
import { silentLogger } from '../../../src/model/observe.ts';
import type { Runtime, RuntimeEvent } from '../../../src/model/runtime.ts';
import { createDockerRuntime } from '../../../src/runtime/docker/runtime.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { until } from '../../support/until.ts';
import { containerSpec, eventLine, imageSpec, inspected, never } from './containers.ts';
import { FakeEngine } from './fake-engine.ts';

const T0 = Date.UTC(2026, 0, 1);
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Bench {
  engine: FakeEngine;
  clock: VirtualClock;
  runtime: Runtime;
  events: RuntimeEvent[];
  watch: AbortController;
}

/** A watch over a fake engine, with its stream open. */
async function watching(): Promise<Bench> {
  const engine = await FakeEngine.listen();
  cleanups.push(() => engine.remove());
  const clock = new VirtualClock(T0);
  const settings = { socket: engine.socket, reach: 'container' } as const;
  const runtime = await createDockerRuntime({
    settings,
    clock,
    logger: silentLogger,
    instance: 'bench',
    random: () => 0,
  });
  const watch = new AbortController();
  cleanups.push(() => watch.abort());
  const events: RuntimeEvent[] = [];
  runtime.watch((event) => events.push(event), watch.signal);
  await until('the stream is open', () => engine.streams === 1);
  return { engine, clock, runtime, events, watch };
}

const SHOP = { id: 'c1', service: 'shop', ordinal: 1 };

test('what happens to a replica is told; pausing and removing are ends as well', async () => {
  const { engine, events } = await watching();
  const actions = ['start', 'health_status: healthy', 'pause', 'unpause', 'exec_die', 'die', 'destroy'];
  actions.forEach((action, i) => {
    engine.write(eventLine(action, T0 + i));
  });
  await until('all are told', () => events.length >= 5);
  expect(events.map(({ type }) => type)).toEqual(['started', 'exited', 'started', 'exited', 'exited']);
  expect(events[0]).toEqual({ type: 'started', ...SHOP });
});

test('containers that are not ours are not spoken of, until one is configured', async () => {
  const { engine, runtime, events } = await watching();
  const foreign = { id: 'f00', name: 'someone-else', labels: { 'pilotlight.instance': 'neighbour' } };
  const configured = { id: 'cafe', name: 'till', labels: {} };
  engine.write(eventLine('die', T0 + 1, foreign) + eventLine('die', T0 + 2, configured) + eventLine('start', T0 + 3));
  await until('our own is told', () => events.length > 0);
  await runtime.prepare(containerSpec('till', { service: 'till' }), never).catch(() => undefined);
  engine.write(eventLine('die', T0 + 4, foreign) + eventLine('start', T0 + 5, configured));
  await until('the other is told', () => events.length > 1);
  expect(events).toEqual([
    { type: 'started', ...SHOP },
    { type: 'started', id: 'cafe', service: 'till', ordinal: 1 },
  ]);
});

test('events arrive whole, however the stream is cut, and garbage between them does no harm', async () => {
  const { engine, events } = await watching();
  const named = { name: 'pilotlight-bench-shop-1-größe' };
  const bytes = Buffer.from(
    `${eventLine('start', T0 + 1, named)}\n{"Type":\nnull\n7\n${eventLine('die', T0 + 2, named)}`,
  );
  for (const byte of bytes) engine.write(Buffer.of(byte));
  await until('both are told', () => events.length === 2);
  expect(events.map(({ type }) => type)).toEqual(['started', 'exited']);
});

test('a broken stream is told, opened again where it broke, and what was missed comes once', async () => {
  const { engine, clock, events } = await watching();
  expect(engine.requests.at(-1)?.query.get('since')).toBe(String(T0 / 1000));
  const [first, second] = [eventLine('start', T0 + 5_200), eventLine('die', T0 + 5_700)];
  engine.write(first);
  await until('the first is told', () => events.length === 1);

  await engine.stop();
  await until('the loss is told', () => events.at(-1)?.type === 'lost');
  for (let tries = 0; tries < 5; tries++) {
    await clock.advanceAsync(4_000);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await engine.start();
  await until('the return is told', async () => {
    // In steps that leave a call many turns before its own limit of 10 s.
    if (engine.streams === 0) await clock.advanceAsync(250);
    return events.at(-1)?.type === 'restored';
  });
  expect(engine.requests.at(-1)?.query.get('since')).toBe(String(T0 / 1000 + 5));
  engine.write(first + second);
  await until('the missed one is told', () => events.length === 4);
  expect(events.map(({ type }) => type)).toEqual(['started', 'lost', 'restored', 'exited']);
});

test('an engine in trouble is asked again at growing intervals, four seconds at most', async () => {
  const { engine, clock, events } = await watching();
  const pauses: number[] = [];
  const after = clock.after.bind(clock);
  clock.after = (ms, fn) => {
    // The others bound a call.
    if (ms < 10_000) pauses.push(ms);
    return after(ms, fn);
  };
  engine.answer(() => [500, { message: 'starting up' }]);
  engine.dropStreams();
  await until('the loss is told', () => events.at(-1)?.type === 'lost');
  const before = engine.count('GET /events');
  await until(
    'many tries',
    async () => {
      await clock.advanceAsync(250);
      return engine.count('GET /events') - before >= 10;
    },
    30_000,
    10,
  );
  expect(pauses.slice(0, 10)).toEqual([100, 200, 400, 800, 1600, 3200, 4000, 4000, 4000, 4000]);
  expect(events.filter(({ type }) => type === 'lost')).toHaveLength(1);
});

test('the end of an earlier run, told late, is not taken for the end of the present one', async () => {
  const { engine, runtime, events } = await watching();
  let startedAt = T0 + 1_000;
  let status: 'exited' | 'running' = 'exited';
  engine.answer(({ route }) => {
    if (route === 'POST /containers/c1/start') {
      // Written while the start is under way, as the engine does when a stop and a start follow each other.
      engine.write(eventLine('die', startedAt + 4_000));
      startedAt += 5_000;
      engine.write(eventLine('start', startedAt));
      status = 'running';
      return 204;
    }
    if (!route.endsWith('/json')) return undefined;
    return [200, inspected({ status, startedAt: new Date(startedAt).toISOString() })];
  });
  await runtime.start(imageSpec(), never);
  await until('the start is told', () => events.length > 0);
  engine.write(eventLine('die', startedAt + 1));
  await until('the end is told', () => events.length > 1);
  expect(events.map(({ type }) => type)).toEqual(['started', 'exited']);
});

test('an aborted watch closes its stream and waits for nothing', async () => {
  const { engine, clock, events, watch } = await watching();
  watch.abort();
  await until('the stream is closed', () => engine.streams === 0);
  engine.write(eventLine('start', T0 + 1));
  expect(events).toEqual([]);
  expect(clock.pending).toBe(0);
});
