import { afterEach, expect, test } from 'vitest';
import { silentLogger } from '../../../src/model/observe.ts';
import type { Runtime } from '../../../src/model/runtime.ts';
import { createDockerRuntime } from '../../../src/runtime/docker/runtime.ts';
import type { DockerSettings } from '../../../src/runtime/docker/settings.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { type ContainerFacts, containerSpec, imageSpec, inspected, never, OWN_LABELS } from './containers.ts';
import { FakeEngine } from './fake-engine.ts';

const engines: FakeEngine[] = [];
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.remove();
});

interface World {
  engine: FakeEngine;
  runtime: Runtime;
  /** What there is under the name of replica 1 of `shop`. */
  container: ContainerFacts | undefined;
  /** What `shop:1.4` stands for. */
  image: { Id: string; Config: { Entrypoint: string[] | null; Cmd: string[] | null } } | undefined;
}

/** An engine with an image and at most one container. */
async function world(container?: ContainerFacts, reach: DockerSettings['reach'] = 'container'): Promise<World> {
  const engine = await FakeEngine.listen();
  engines.push(engine);
  const settings = { socket: engine.socket, reach };
  const runtime = await createDockerRuntime({ settings, clock: systemClock, logger: silentLogger, instance: 'bench' });
  const image = { Id: 'sha256:1', Config: { Entrypoint: null, Cmd: ['node', 'app.js'] } };
  const found: World = { engine, runtime, container, image };
  engine.answer(({ route }) => {
    switch (route) {
      case 'GET /images/shop:1.4/json':
        return found.image === undefined ? [404, { message: 'No such image: shop:1.4' }] : [200, found.image];
      case 'POST /containers/create':
        found.container = { id: 'new', status: 'created' };
        return [201, { Id: 'new' }];
      case 'POST /containers/new/start':
      case 'POST /containers/c1/start':
      case 'POST /containers/c1/unpause':
        found.container = { ...found.container, status: 'running' };
        return 204;
      case 'DELETE /containers/c1':
        found.container = undefined;
        return 204;
      case 'POST /networks/second/connect':
        return 200;
      default:
        if (!/^GET \/containers\/(c1|new|pilotlight-bench-shop-1)\/json$/.test(route)) return undefined;
        return found.container && [200, inspected(found.container)];
    }
  });
  return found;
}

const CREATE = 'POST /containers/create';
const REMOVE = 'DELETE /containers/c1';

test('what is there and up to date is kept; a start then only starts it', async () => {
  const { engine, runtime } = await world({ status: 'exited' });
  await runtime.prepare(imageSpec(), never);
  expect(await runtime.start(imageSpec(), never)).toMatchObject({ id: 'c1', state: 'running' });
  expect([engine.count(CREATE), engine.count(REMOVE)]).toEqual([0, 0]);
});

test('a wake asks the engine no more than it must', async () => {
  const { engine, runtime } = await world({ status: 'created' });
  await runtime.start(imageSpec(), never);
  const routes = engine.requests.map(({ route }) => route);
  const named = 'GET /containers/pilotlight-bench-shop-1/json';
  expect(routes).toEqual([named, 'POST /containers/c1/start', 'GET /containers/c1/json']);
});

test.each<[string, ContainerFacts, DockerSettings['reach']?]>([
  ['an older configuration', { labels: { ...OWN_LABELS, 'pilotlight.hash': 'h0' } }],
  ['an older image', { image: 'sha256:0' }],
  ['no published port where one is needed', {}, 'host'],
])('a leftover with %s is replaced', async (_what, facts, reach) => {
  const { engine, runtime } = await world({ status: 'exited', ...facts }, reach);
  await runtime.prepare(imageSpec(), never);
  expect(engine.requests.map(({ route }) => route)).toEqual(expect.arrayContaining([REMOVE, CREATE]));
  expect(engine.requests.find(({ route }) => route === REMOVE)?.query.get('force')).toBeNull();
});

test('a container whose image lost its name is kept', async () => {
  const found = await world({ status: 'exited' });
  found.image = undefined;
  await found.runtime.prepare(imageSpec(), never);
  expect([found.engine.count(REMOVE), found.engine.count(CREATE)]).toEqual([0, 0]);
});

test('without standby a stopped container is not used again', async () => {
  const { engine, runtime } = await world({ status: 'exited' });
  expect(await runtime.start(imageSpec({ standby: 'none' }), never)).toMatchObject({ id: 'new' });
  expect(engine.count(REMOVE)).toBe(1);
  const { body } = engine.requests.find(({ route }) => route === CREATE) ?? {};
  expect(JSON.stringify(body)).toContain('"pilotlight.standby":"none"');
});

test.each(['running', 'paused'] as const)('a %s container is left alone whatever it is', async (status) => {
  const { engine, runtime } = await world({ status, labels: { ...OWN_LABELS, 'pilotlight.hash': 'h0' } });
  await runtime.prepare(imageSpec(), never);
  await expect(runtime.start(imageSpec(), never)).rejects.toMatchObject({ code: 'RUNTIME_FAILED' });
  expect(engine.requests.every(({ route }) => route.startsWith('GET'))).toBe(true);
});

test('a paused container is thawed, not started', async () => {
  const { engine, runtime } = await world({ status: 'paused' });
  expect(await runtime.start(imageSpec(), never)).toMatchObject({ state: 'running' });
  expect([engine.count('POST /containers/c1/unpause'), engine.count('POST /containers/c1/start')]).toEqual([1, 0]);
});

test.each([{}, { ...OWN_LABELS, 'pilotlight.instance': 'neighbour' }])(
  'a container of someone else that has the name is never touched',
  async (labels) => {
    const { engine, runtime } = await world({ status: 'exited', labels });
    for (const call of [runtime.prepare(imageSpec(), never), runtime.start(imageSpec(), never)]) {
      await expect(call).rejects.toMatchObject({
        code: 'RUNTIME_FAILED',
        message: expect.stringContaining('not ours'),
      });
    }
    await expect(runtime.inspect('c1', never)).resolves.toBeUndefined();
    expect(engine.requests.every(({ route }) => route.startsWith('GET'))).toBe(true);
  },
);

test('what is not ours is not stopped either', async () => {
  const { engine, runtime } = await world({ status: 'running', labels: {} });
  const stop = runtime.stop('c1', { signal: 'SIGTERM', graceMs: 1_000 }, never);
  await expect(stop).rejects.toMatchObject({ code: 'RUNTIME_FAILED' });
  expect(engine.requests.every(({ route }) => route.startsWith('GET'))).toBe(true);
});

test('those who ask for the same container at once share one creation, and one of them may give up', async () => {
  const { engine, runtime } = await world();
  const impatient = new AbortController();
  const given = expect(runtime.prepare(imageSpec(), impatient.signal)).rejects.toBe('enough');
  const others = [runtime.prepare(imageSpec(), never), runtime.prepare(imageSpec(), never)];
  impatient.abort('enough');
  await Promise.all([given, ...others]);
  expect(engine.count(CREATE)).toBe(1);
});

test('the environment is in the body of the call and not in its address', async () => {
  const { engine, runtime } = await world();
  await runtime.prepare(imageSpec({ env: { PASSWORD: 'hunter2' } }), never);
  const create = engine.requests.find(({ route }) => route === CREATE);
  expect([...(create?.query.entries() ?? [])]).toEqual([['name', 'pilotlight-bench-shop-1']]);
  expect(create?.body).toMatchObject({ Env: ['PASSWORD=hunter2'] });
});

test('an image with an init of its own gets no second one', async () => {
  const found = await world();
  found.image = { Id: 'sha256:1', Config: { Entrypoint: ['/usr/bin/tini', '--'], Cmd: ['node'] } };
  await found.runtime.prepare(imageSpec(), never);
  expect(found.engine.requests.at(-2)?.body).toMatchObject({ HostConfig: { Init: false } });
});

test('further networks are joined before the first start', async () => {
  const { engine, runtime } = await world();
  await runtime.prepare(imageSpec({ networks: ['first', 'second'] }), never);
  const connect = engine.requests.find(({ route }) => route === 'POST /networks/second/connect');
  expect(connect?.body).toMatchObject({ Container: 'new' });
  expect(engine.requests.find(({ route }) => route === CREATE)?.body).toMatchObject({
    HostConfig: { NetworkMode: 'first' },
  });
});

test('reach host refuses an existing container without the published port, before it is started', async () => {
  const { engine, runtime } = await world({ name: 'till', status: 'exited', labels: {} }, 'host');
  await expect(runtime.start(containerSpec('c1'), never)).rejects.toMatchObject({
    code: 'RUNTIME_FAILED',
    message: 'container till does not publish port 3000: publish it, or set docker.reach to container',
  });
  expect(engine.requests.every(({ route }) => route.startsWith('GET'))).toBe(true);
});
