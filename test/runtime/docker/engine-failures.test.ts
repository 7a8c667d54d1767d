import { createServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { silentLogger } from '../../../src/model/observe.ts';
import type { Runtime } from '../../../src/model/runtime.ts';
import { createDockerRuntime } from '../../../src/runtime/docker/runtime.ts';
import { toEngineError } from '../../../src/runtime/engine-errors.ts';
import { type Clock, systemClock } from '../../../src/util/clock.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { freePort } from '../../support/free-port.ts';
import { until } from '../../support/until.ts';
import { containerSpec, imageSpec, inspected, never } from './containers.ts';
import { type EngineHandler, FakeEngine } from './fake-engine.ts';

const engines: FakeEngine[] = [];
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.remove();
});

async function fakeEngine(handler?: EngineHandler): Promise<FakeEngine> {
  const engine = await FakeEngine.listen(handler);
  engines.push(engine);
  return engine;
}

function runtimeOn(socket: string, clock: Clock = systemClock): Promise<Runtime> {
  const settings = { socket, reach: 'container' } as const;
  return createDockerRuntime({ settings, clock, logger: silentLogger, instance: 'bench' });
}

test('an engine that is not there is said so, by every way of not being there', async () => {
  const engine = await fakeEngine();
  await engine.stop();
  const code = 'RUNTIME_UNREACHABLE';
  const message = `no Docker engine at ${engine.socket}`;
  const runtime = await runtimeOn(engine.socket);
  await expect(runtime.list([], never)).rejects.toMatchObject({ code, message });
  await expect(runtime.start(imageSpec(), never)).rejects.toMatchObject({ code, message });
  await expect(runtime.inspect('c1', never)).rejects.toMatchObject({ code, message });

  const port = await freePort();
  const remote = await runtimeOn(`tcp://127.0.0.1:${port}`);
  const nobody = { code, message: `no Docker engine at tcp://127.0.0.1:${port}` };
  await expect(remote.list([], never)).rejects.toMatchObject(nobody);
});

test('an engine over tcp is spoken to', async () => {
  const server = createServer((connection) => {
    connection.once('data', () =>
      connection.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n[]'),
    );
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
  await expect((await runtimeOn(`tcp://127.0.0.1:${port}`)).list([], never)).resolves.toEqual([]);
  await new Promise((resolve) => server.close(resolve));
});

test('an address that is none is an error of the configuration', async () => {
  await expect(runtimeOn('tcp://')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
});

test.each([
  [404, 'No such image: shop:1.4', 'IMAGE_MISSING', 'no such image: shop:1.4 (pull or build it first)'],
  [
    404,
    'no such image: shop:1.4: No such image: shop:1.4',
    'IMAGE_MISSING',
    'no such image: shop:1.4 (pull or build it first)',
  ],
  [404, 'No such container: abc', 'CONTAINER_MISSING', 'No such container: abc'],
  [500, 'Bind for 127.0.0.1:32768 failed: port is already allocated', 'PORT_CLASH', undefined],
  [500, 'listen tcp4 127.0.0.1:80: bind: address already in use', 'PORT_CLASH', undefined],
  [400, 'exec: "nope": executable file not found in $PATH: unknown', 'COMMAND_NOT_FOUND', undefined],
  [400, 'runc: exec: "/app/run": stat /app/run: no such file or directory', 'COMMAND_NOT_FOUND', undefined],
  [400, 'runc: exec: "/app/run": permission denied: unknown', 'COMMAND_NOT_FOUND', undefined],
  [403, 'denied by policy', 'RUNTIME_FORBIDDEN', undefined],
  [500, 'no space left on device\nand a second line', 'RUNTIME_FAILED', 'Docker: no space left on device'],
])('a %i with “%s” is %s', (statusCode, message, code, text) => {
  const error = toEngineError({ statusCode, json: { message }, message: 'wrapped' }, '/run/docker.sock');
  expect(error).toMatchObject({ code, message: text ?? expect.stringContaining(message) });
});

test.each([
  ['a sentence', { message: 'denied by policy' }, 'POST /containers/create: 403 denied by policy'],
  ['a page, as of a proxy before the socket', '<html><body><h1>403 Forbidden</h1>', 'POST /containers/create: 403'],
])('what is refused with %s is said with the call that was', async (_how, body, words) => {
  const engine = await fakeEngine(({ route }) => {
    if (route === 'GET /images/shop:1.4/json') return [200, { Id: 'sha256:1', Config: {} }];
    if (!route.startsWith('POST')) return undefined;
    return typeof body === 'string' ? (response) => response.writeHead(403).end(body) : [403, body];
  });
  const runtime = await runtimeOn(engine.socket);
  await expect(runtime.prepare(imageSpec(), never)).rejects.toMatchObject({
    code: 'RUNTIME_FORBIDDEN',
    message: `the Docker engine at ${engine.socket} refuses ${words}`,
  });
});

test('a socket that we may not use is a matter of rights, and a broken connection one of reach', () => {
  const errorOf = (code: string) => toEngineError(Object.assign(new Error('it broke'), { code }), '/run/docker.sock');
  expect(errorOf('EACCES')).toMatchObject({
    code: 'RUNTIME_FORBIDDEN',
    message: 'no right to use the Docker engine at /run/docker.sock',
  });
  expect(errorOf('ECONNRESET')).toMatchObject({ code: 'RUNTIME_UNREACHABLE' });
});

test('an engine that does not answer is given up after ten seconds, not before', async () => {
  const engine = await fakeEngine(() => () => undefined);
  const clock = new VirtualClock();
  const runtime = await runtimeOn(engine.socket, clock);
  let failure: unknown;
  const call = runtime.inspect('c1', never).catch((thrown) => {
    failure = thrown;
  });
  await until('it was asked', () => engine.requests.length === 1);
  await clock.advanceAsync(9_999);
  expect(failure).toBeUndefined();
  await clock.advanceAsync(1);
  await call;
  expect(failure).toMatchObject({
    code: 'RUNTIME_UNREACHABLE',
    message: `the Docker engine at ${engine.socket} did not answer within 10 s`,
  });
  expect(clock.pending).toBe(0);
});

test('an answer that breaks off in the middle does not hang', async () => {
  const engine = await fakeEngine(() => (response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('{"Id":', () => response.destroy());
  });
  const clock = new VirtualClock();
  const runtime = await runtimeOn(engine.socket, clock);
  const call = expect(runtime.inspect('c1', never)).rejects.toMatchObject({ code: 'RUNTIME_UNREACHABLE' });
  await until('it was asked', () => engine.requests.length === 1);
  await clock.advanceAsync(10_000);
  await call;
});

test('an abort ends a call at once, with its reason', async () => {
  const engine = await fakeEngine(() => () => undefined);
  const runtime = await runtimeOn(engine.socket);
  const caller = new AbortController();
  const call = expect(runtime.inspect('c1', caller.signal)).rejects.toBe('changed my mind');
  await until('it was asked', () => engine.requests.length === 1);
  caller.abort('changed my mind');
  await call;
});

test('a missing image is found out before anything is created', async () => {
  const engine = await fakeEngine(({ route }) => {
    return route === 'GET /images/shop:1.4/json' ? [404, { message: 'No such image: shop:1.4' }] : undefined;
  });
  const runtime = await runtimeOn(engine.socket);
  await expect(runtime.start(imageSpec(), never)).rejects.toMatchObject({ code: 'IMAGE_MISSING' });
  await expect(runtime.prepare(imageSpec(), never)).rejects.toMatchObject({ code: 'IMAGE_MISSING' });
  expect(engine.count('POST /containers/create')).toBe(0);
});

test('a configured container that does not exist is missing at the start, and no part of the list', async () => {
  const noContainer = { message: 'No such container: shop-1' };
  const engine = await fakeEngine(({ route }) => (route === 'GET /containers/json' ? [200, []] : [404, noContainer]));
  const runtime = await runtimeOn(engine.socket);
  const start = runtime.start(containerSpec('shop-1'), never);
  await expect(start).rejects.toMatchObject({ code: 'CONTAINER_MISSING', message: 'no such container: shop-1' });
  expect(await runtime.list([containerSpec('shop-1')], never)).toEqual([]);
});

test('where the engine has no init of its own, the container is made again without', async () => {
  let bodies: { HostConfig: { Init: boolean } }[] = [];
  let state: 'none' | 'created' | 'running' = 'none';
  const engine = await fakeEngine(({ route, body }) => {
    switch (route) {
      case 'GET /images/shop:1.4/json':
        return [200, { Id: 'sha256:1', Config: { Cmd: ['node', 'app.js'], Entrypoint: null } }];
      case 'POST /containers/create':
        bodies = [...bodies, body as (typeof bodies)[number]];
        state = 'created';
        return [201, { Id: 'c1' }];
      case 'POST /containers/c1/start':
        if (bodies.at(-1)?.HostConfig.Init === true) {
          return [400, { message: 'exec: "docker-init": executable file not found in $PATH' }];
        }
        state = 'running';
        return 204;
      case 'DELETE /containers/c1':
        state = 'none';
        return 204;
      case 'GET /containers/c1/json':
      case 'GET /containers/pilotlight-bench-shop-1/json':
        return state === 'none' ? undefined : [200, inspected({ status: state })];
      default:
        return undefined;
    }
  });
  const runtime = await runtimeOn(engine.socket);
  expect(await runtime.start(imageSpec(), never)).toMatchObject({ state: 'running' });
  expect(bodies.map(({ HostConfig }) => HostConfig.Init)).toEqual([true, false]);
});
