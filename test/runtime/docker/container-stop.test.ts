import { afterEach, expect, test } from 'vitest';
import { silentLogger } from '../../../src/model/observe.ts';
import { createDockerRuntime } from '../../../src/runtime/docker/runtime.ts';
import { type Clock, systemClock } from '../../../src/util/clock.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { type ContainerFacts, inspected, never, OWN_LABELS } from './containers.ts';
import { type EngineHandler, FakeEngine } from './fake-engine.ts';

const engines: FakeEngine[] = [];
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.remove();
});

/** What a stop with these settings asks of the engine, as `route?query`. */
async function asked(
  facts: ContainerFacts,
  stop: { signal: string; graceMs: number },
  handler: EngineHandler = () => undefined,
  clock: Clock = systemClock,
): Promise<string[]> {
  const engine = await FakeEngine.listen((request) => {
    if (request.route === 'GET /containers/c1/json') return [200, inspected(facts)];
    return handler(request) ?? (request.route.endsWith('/wait') ? [200, { StatusCode: 0 }] : 204);
  });
  engines.push(engine);
  const settings = { socket: engine.socket, reach: 'container' } as const;
  const runtime = await createDockerRuntime({ settings, clock, logger: silentLogger, instance: 'bench' });
  await runtime.stop('c1', stop, never);
  return engine.requests.slice(1).map(({ route, query }) => `${route.replace('POST /containers/c1/', '')}?${query}`);
}

test('the grace is whole seconds, never less than asked for', async () => {
  expect(await asked({}, { signal: 'SIGTERM', graceMs: 1_200 })).toEqual(['stop?t=2']);
  expect(await asked({}, { signal: 'TERM', graceMs: 0 })).toEqual(['stop?t=0']);
});

test('what does not run is not stopped', async () => {
  for (const status of ['created', 'exited'] as const) {
    expect(await asked({ status }, { signal: 'SIGTERM', graceMs: 1_000 })).toEqual([]);
  }
});

test('what is not to stand by is removed', async () => {
  const labels = { ...OWN_LABELS, 'pilotlight.standby': 'none' };
  const calls = await asked({ labels }, { signal: 'SIGTERM', graceMs: 1_000 });
  expect(calls).toEqual(['stop?t=1', 'DELETE /containers/c1?v=true']);
});

test('a paused or ever restarting container is stopped like any other', async () => {
  for (const status of ['paused', 'restarting'] as const) {
    expect(await asked({ status }, { signal: 'SIGTERM', graceMs: 1_000 })).toEqual(['stop?t=1']);
  }
});

test('another signal than the container’s own is sent first, and the stop follows in any case', async () => {
  const expected = ['kill?signal=SIGINT', 'wait?condition=not-running', 'stop?t=0'];
  expect(await asked({}, { signal: 'SIGINT', graceMs: 1_000 })).toEqual(expected);
  // It does not end: its time passes once it is waited for.
  const clock = new VirtualClock();
  const graceMs = 1_000;
  const goesOn: EngineHandler = ({ route }) => (route.endsWith('/wait') ? () => clock.advance(graceMs) : undefined);
  expect(await asked({}, { signal: 'SIGINT', graceMs }, goesOn, clock)).toEqual(expected);
});

test.each([304, 404])('a container that ended meanwhile (%i) counts as stopped', async (status) => {
  const gone: EngineHandler = ({ route }) => (route.endsWith('/stop') ? status : undefined);
  expect(await asked({}, { signal: 'SIGTERM', graceMs: 1_000 }, gone)).toEqual(['stop?t=1']);
});
