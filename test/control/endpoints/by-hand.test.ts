import { expect, test } from 'vitest';
import { EndpointsByHand, ServicesByHand } from '../../../src/control/endpoints/by-hand.ts';
import { memoryKeptByHand } from '../../../src/control/service/kept-by-hand.ts';
import type { EndpointByHand } from '../../../src/model/status.ts';
import { FakeSource } from '../support/fake-discovery.ts';
import { testRun, testService, testSettings } from '../support/settings.ts';
import { World } from '../support/world.ts';

const found = { consul: { service: 'found', tag: undefined } };

async function routed() {
  const source = new FakeSource();
  const service = testService('routed', { run: undefined, endpoints: found });
  const world = await World.started([service], { sources: [source] });
  source.say('routed', 7001, 7002);
  await world.run(100);
  return { world, source };
}

const change = (world: World, service: string, address: string, what: Partial<EndpointByHand>) =>
  world.settle(world.control.changeEndpoint(service, address, what));
const told = (world: World, service: string) =>
  world.edge.service(service).state.endpoints.map(({ port, state, weight }) => `${port} ${state} ${weight}`);

test('what others run is cordoned until it is taken back, also while its source does not list it', async () => {
  const { world, source } = await routed();
  const [first] = await change(world, 'routed', '127.0.0.1:7001', { drain: true });
  expect(first).toMatchObject({ state: 'out-of-use', reason: 'drained', byHand: { drain: true, weight: null } });
  expect(told(world, 'routed')).toEqual(['7001 cordoned 1', '7002 ready 1']);
  expect(world.edge.ready('routed')).toEqual(['127.0.0.1:7002']);
  source.say('routed', 7002);
  await world.run(100);
  source.say('routed', 7001, 7002);
  await world.run(100);
  expect(told(world, 'routed')).toEqual(['7001 cordoned 1', '7002 ready 1']);
  await change(world, 'routed', '127.0.0.1:7001', { drain: false });
  expect(told(world, 'routed')).toEqual(['7001 ready 1', '7002 ready 1']);
  expect(world.messagesOf('endpoint-changed')).toEqual([
    'routed drains 127.0.0.1:7001 (by hand)',
    'routed uses 127.0.0.1:7001 again (by hand)',
  ]);
  expect(world.errors).toEqual([]);
});

test('what holds already is neither done nor told again', async () => {
  const { world } = await routed();
  const first = '127.0.0.1:7001';
  for (const what of [{ drain: true }, { weight: 5 }, { drain: true, weight: 5 }, { drain: false }]) {
    await change(world, 'routed', first, what);
    await change(world, 'routed', first, what);
  }
  await change(world, 'routed', '127.0.0.1:7002', { drain: false });
  await change(world, 'routed', '127.0.0.1:7002', { weight: null });
  expect(world.messagesOf('endpoint-changed')).toEqual([
    'routed drains 127.0.0.1:7001 (by hand)',
    'routed weighs 127.0.0.1:7001 with 5 (by hand)',
    'routed uses 127.0.0.1:7001 again (by hand)',
  ]);
});

test('a service of which every endpoint is drained is unavailable', async () => {
  const { world } = await routed();
  for (const port of [7001, 7002]) await change(world, 'routed', `127.0.0.1:${port}`, { drain: true });
  expect((await world.status('routed')).state).toBe('unavailable');
});

test('a weight holds until it is taken back', async () => {
  const { world, source } = await routed();
  expect((await change(world, 'routed', '127.0.0.1:7002', { weight: 5 }))[1]).toMatchObject({
    weight: 5,
    byHand: { drain: false, weight: 5 },
  });
  source.say('routed', 7001, 7002);
  await world.run(100);
  expect(told(world, 'routed')).toEqual(['7001 ready 1', '7002 ready 5']);
  expect(world.messagesOf('endpoint-changed')).toEqual(['routed weighs 127.0.0.1:7002 with 5 (by hand)']);
  expect((await change(world, 'routed', '127.0.0.1:7002', { weight: null }))[1]).toMatchObject({ byHand: null });
  expect(told(world, 'routed')).toEqual(['7001 ready 1', '7002 ready 1']);
});

test('a replica of ours that is drained retires in two phases, and the rest goes on', async () => {
  const world = await World.started([testService('own', { scale: { max: 3, min: 1 } })]);
  await world.settle(world.control.scale('own', 2, false));
  await world.run(1000);
  const [first] = await world.settle(world.control.endpoints('own'));
  const address = first?.address as string;
  await change(world, 'own', address, { weight: 4 });
  expect(
    world.edge
      .service('own')
      .state.endpoints.map(({ weight }) => weight)
      .sort(),
  ).toEqual([1, 4]);
  const [drained] = await change(world, 'own', address, { drain: true });
  expect(drained).toMatchObject({ reason: 'draining' });
  expect(world.edge.ready('own')).toHaveLength(1);
  await world.run(2000);
  expect(world.edge.ready('own')).toHaveLength(1);
  expect((await world.status('own')).lastDecision).toMatchObject({
    action: 'scale-down',
    from: 2,
    to: 1,
    reason: 'drained by hand',
  });
  // The last one that `min` asks for has a successor.
  const last = (await world.settle(world.control.endpoints('own'))).find(({ state }) => state === 'in-use');
  await change(world, 'own', last?.address as string, { drain: true });
  await world.run(3000);
  expect(world.edge.ready('own')).toHaveLength(1);
  expect(world.errors).toEqual([]);
});

test('a replica that is drained is stopped, also where a service that sleeps has them paused: who wants it away gets another', async () => {
  const run = { ...testRun(), standby: 'paused' as const };
  const world = await World.started([testService('own', { run, scale: { max: 2 } })]);
  await world.settle(world.control.scale('own', 1, false));
  await world.run(1000);
  const [first] = await world.settle(world.control.endpoints('own'));
  // It finishes what it has, without haste.
  const long = world.edge.request('own', { bodyMs: 100_000 });
  await world.run(1000);
  await change(world, 'own', first?.address as string, { drain: true });
  await world.run(110_000, 500);
  expect(long.outcome).toBe('answered');
  expect(world.messagesOf('drain-forced')).toEqual([]);
  expect([world.runtime.paused, world.runtime.stops]).toEqual([[], 1]);
  expect((await world.status('own')).lastDecision).toMatchObject({ action: 'sleep', reason: 'drained by hand' });
  world.edge.request('own');
  await world.run(1000);
  expect(world.runtime.starts).toBe(2);
});

test('a replica that drains is had back', async () => {
  const world = await World.started([testService('own', { scale: { max: 2 } })]);
  await world.settle(world.control.scale('own', 1, false));
  await world.run(1000);
  const [first] = await world.settle(world.control.endpoints('own'));
  const address = first?.address as string;
  world.edge.request('own', { bodyMs: 10_000 });
  await change(world, 'own', address, { drain: true });
  await change(world, 'own', address, { drain: false });
  await world.run(2000);
  expect(world.edge.ready('own')).toHaveLength(1);
  expect(world.runtime.starts).toBe(1);
});

test('a replica that starts is not drained: it takes nothing yet that it could finish', async () => {
  const world = await World.started([testService('own', { scale: { max: 2 } })]);
  world.runtime.behaviour.readyMs = 5000;
  void world.control.scale('own', 1, false);
  await world.run(1000);
  const [first] = await world.settle(world.control.endpoints('own'));
  const address = first?.address as string;
  expect(first).toMatchObject({ reason: 'starting' });
  await expect(change(world, 'own', address, { drain: true })).rejects.toMatchObject({ code: 'REPLICA_NOT_READY' });
  await world.run(6000);
  expect(world.edge.ready('own')).toHaveLength(1);
  expect(world.messagesOf('endpoint-changed')).toEqual([]);
});

test('the weight of a replica goes with it: another one at its address has its own', async () => {
  const world = await World.started([testService('own', { scale: { max: 2 } })]);
  await world.settle(world.control.scale('own', 1, false));
  await world.run(1000);
  const [first] = await world.settle(world.control.endpoints('own'));
  const address = first?.address as string;
  await change(world, 'own', address, { weight: 7 });
  expect(world.control.knownEndpoints().byHand).toEqual([{ service: 'own', address, drain: false, weight: 7 }]);
  await world.settle(world.control.scale('own', 0, false));
  await world.run(2000);
  expect(world.control.knownEndpoints().byHand).toEqual([]);
});

test('a replica that is started at an address of which an earlier control plane knew a weight has its own', async () => {
  const address = '127.0.0.1:10001';
  const byHand = memoryKeptByHand({ endpoints: [{ service: 'own', address, drain: false, weight: 7 }] });
  const world = await World.started([testService('own')], { byHand });
  world.edge.request('own');
  await world.run(1000);
  expect(world.edge.service('own').state.endpoints).toMatchObject([{ port: 10_001, weight: 1 }]);
  expect(byHand.endpoints).toEqual([]);
});

test('what is set of an address outlives a service that goes and returns', async () => {
  const { world, source } = await routed();
  const service = testService('routed', { run: undefined, endpoints: found });
  await change(world, 'routed', '127.0.0.1:7001', { drain: true });
  world.control.reconfigure(testSettings([]));
  await world.run(100);
  world.control.reconfigure(testSettings([service]));
  source.say('routed', 7001, 7002);
  await world.run(100);
  expect(world.edge.ready('routed')).toEqual(['127.0.0.1:7002']);
});

test('of more services that went than are remembered the one that went first is forgotten', () => {
  const byHand = new ServicesByHand();
  for (let count = 0; count <= 1000; count++) {
    byHand.of(`s${count}`).set('a:1', { weight: 2 });
    byHand.leave(`s${count}`);
  }
  const names = byHand.all.map(({ service }) => service);
  expect(names).toHaveLength(1000);
  expect(names).not.toContain('s0');
});

test('an address that is not there, and a service that is not, are errors', async () => {
  const { world } = await routed();
  await expect(change(world, 'routed', '127.0.0.1:9', { drain: true })).rejects.toMatchObject({
    code: 'ENDPOINT_UNKNOWN',
  });
  await expect(change(world, 'nope', '127.0.0.1:9', { drain: true })).rejects.toMatchObject({
    code: 'SERVICE_UNKNOWN',
  });
});

test('of more addresses than are remembered the one that was set first is forgotten', () => {
  const byHand = new EndpointsByHand();
  for (let port = 1; port <= 1001; port++) byHand.set(`a:${port}`, { weight: 2 });
  expect(byHand.of('a:1')).toBeUndefined();
  expect(byHand.of('a:1001')).toEqual({ drain: false, weight: 2 });
  expect(byHand.content).toHaveLength(1000);
});
