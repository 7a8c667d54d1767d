import { expect, test } from 'vitest';
import type { ServiceSettings } from '../../../src/model/settings.ts';
import { sleep } from '../../../src/util/clock.ts';
import { FakeRegistrar } from '../support/fake-discovery.ts';
import { testService, testSettings } from '../support/settings.ts';
import { World } from '../support/world.ts';

const at = '10.0.0.9:8443';

const services = [
  testService('hello', { scale: { idleMs: 5000 } }),
  testService('shop', {
    endpoints: { consul: { service: 'shop-v2', tags: ['blue'] } },
    scale: { idleMs: 5000 },
  }),
];

async function worldWith(registrar: FakeRegistrar) {
  const world = await World.started(services, { registrar });
  return { world, registrar };
}

test('the proxy is registered under the name of every service, and taken out when it drains', async () => {
  const { world, registrar } = await worldWith(new FakeRegistrar('edge', at));
  await world.run(100);
  expect([...registrar.entries.values()]).toEqual([
    { id: 'pilotlight-test-hello', name: 'hello', tags: [], host: '10.0.0.9', port: 8443 },
    { id: 'pilotlight-test-shop', name: 'shop-v2', tags: ['blue'], host: '10.0.0.9', port: 8443 },
  ]);
  world.control.beginDrain();
  await world.run(100);
  expect(registrar.entries.size).toBe(0);
});

test('the proxy is not registered for what others run, unless the service asks for it', async () => {
  const endpoints = { consul: { service: 'theirs' } };
  const routed = testService('routed', { endpoints, run: undefined });
  const asking = testService('asking', { endpoints, run: undefined, register: true });
  const silent = testService('silent', { register: false });
  const registrar = new FakeRegistrar('edge', at);
  const world = await World.started([routed, asking, silent], { registrar });
  await world.run(100);
  expect([...registrar.entries.keys()]).toEqual(['pilotlight-test-asking']);
});

test('without a port the first listener is advertised', async () => {
  const { world, registrar } = await worldWith(new FakeRegistrar('edge', 'proxy.test'));
  await world.run(100);
  expect(registrar.entries.get('pilotlight-test-hello')).toMatchObject({ host: 'proxy.test', port: 8080 });
});

test('a reload that changes the name or tags in the catalogue changes the entry of a replica that serves', async () => {
  const { world, registrar } = await worldWith(new FakeRegistrar('replicas', at));
  world.edge.request('shop');
  await world.run(1000);
  const [hello, shop] = services;
  const moved = {
    ...(shop as ServiceSettings),
    endpoints: { consul: { service: 'shop-v3', tags: ['a', 'b'] } },
  };
  const next = testSettings([hello as ServiceSettings, moved]);
  world.control.reconfigure(next);
  await world.run(100);
  expect([...registrar.entries.values()]).toMatchObject([
    { id: 'pilotlight-test-shop-1', name: 'shop-v3-replica', tags: ['a', 'b'] },
  ]);
  const { length } = registrar.calls;
  world.control.reconfigure(next);
  await world.run(100);
  expect(registrar.calls).toHaveLength(length);
});

test('a replica is registered when it is ready and taken out before it is drained', async () => {
  const { world, registrar } = await worldWith(new FakeRegistrar('replicas', at));
  world.runtime.behaviour.readyMs = 1000;
  world.edge.request('shop', { bodyMs: 2000 });
  await world.run(1000);
  expect(registrar.entries.size).toBe(0);
  await world.run(500);
  expect([...registrar.entries.values()]).toEqual([
    { id: 'pilotlight-test-shop-1', name: 'shop-v2-replica', tags: ['blue'], host: '10.0.0.9', port: 10_001 },
  ]);
  await world.settle(world.control.sleep('shop'));
  expect(registrar.entries.size).toBe(0);
  expect(world.runtime.stops).toBe(0);
});

test('a replica that is revoked is registered again, one that is gone is not', async () => {
  const { world, registrar } = await worldWith(new FakeRegistrar('replicas', at));
  world.edge.request('hello', { bodyMs: 30_000 });
  await world.run(500);
  await world.settle(world.control.sleep('hello'));
  world.edge.request('hello');
  await world.run(100);
  expect(registrar.entries.size).toBe(1);
  world.runtime.exit('hello-1');
  await world.run(100);
  expect(registrar.entries.size).toBe(0);
});

test('a catalogue that does not answer holds nothing up and gets its entries later', async () => {
  const registrar = new FakeRegistrar('replicas', at);
  registrar.unreachable = true;
  const { world } = await worldWith(registrar);
  const request = world.edge.request('hello', { bodyMs: 60_000 });
  await world.run(500);
  expect(request.endpoint).toBe('hello-1#1');
  registrar.unreachable = false;
  await world.run(5000);
  expect([...registrar.entries.keys()]).toEqual(['pilotlight-test-hello-1']);
  expect(world.messagesOf('registration')).toHaveLength(2);
});

test('what was wanted last is what comes about, in order', async () => {
  const { world, registrar } = await worldWith(new FakeRegistrar('replicas', at));
  registrar.unreachable = true;
  world.edge.request('hello');
  await world.run(12_000);
  expect(world.runtime.stops).toBe(1);
  registrar.unreachable = false;
  await world.run(60_000);
  expect(registrar.entries.size).toBe(0);
});

test('what the catalogue loses is put back, and said once', async () => {
  const { world, registrar } = await worldWith(new FakeRegistrar('edge', at));
  await world.run(100);
  const entries = [...registrar.entries.values()];
  registrar.entries.clear();
  await world.run(11_000);
  expect([...registrar.entries.values()]).toEqual(entries);
  expect(world.messagesOf('registration')).toHaveLength(1);
  registrar.entries.delete('pilotlight-test-shop');
  registrar.unreachable = true;
  await world.run(60_000);
  registrar.unreachable = false;
  await world.run(11_000);
  expect([...registrar.entries.keys()].sort()).toEqual(['pilotlight-test-hello', 'pilotlight-test-shop']);
  const calls = registrar.calls.length;
  await world.run(60_000);
  expect(registrar.calls.slice(calls).every((call) => call === 'list')).toBe(true);
});

test('what is taken out while the catalogue is looked at stays out, and is not said to be gone', async () => {
  const { world, registrar } = await worldWith(new FakeRegistrar('replicas', at));
  const deregister = registrar.deregister.bind(registrar);
  registrar.deregister = async (id) => {
    await deregister(id);
    // Done, but not answered yet.
    await sleep(world.clock, 2000, world.life.signal);
  };
  registrar.registered = async () => {
    await sleep(world.clock, 1000, world.life.signal);
    return [...registrar.entries.keys()];
  };
  world.edge.request('hello', { bodyMs: 20_000 });
  await world.run(10_500);
  expect(registrar.entries.size).toBe(1);
  world.runtime.exit('hello-1');
  await world.run(30_000);
  expect(registrar.calls.filter((call) => call.startsWith('register'))).toHaveLength(1);
  expect(registrar.entries.size).toBe(0);
  expect(world.messagesOf('registration')).toEqual([]);
});

test('what an earlier run left in the catalogue is taken out', async () => {
  const registrar = new FakeRegistrar('edge', at);
  for (const id of ['pilotlight-test-hello-1', 'pilotlight-test-old', 'pilotlight-test-shop']) {
    registrar.entries.set(id, { id, name: id, tags: [], host: 'h', port: 1 });
  }
  const { world } = await worldWith(registrar);
  await world.run(1000);
  expect([...registrar.entries.keys()].sort()).toEqual(['pilotlight-test-hello', 'pilotlight-test-shop']);
});

test('nothing is registered without an address to advertise', async () => {
  const { world, registrar } = await worldWith(new FakeRegistrar('replicas', undefined));
  world.edge.request('hello');
  await world.run(1000);
  expect(registrar.entries.size).toBe(0);
});

test('a process that has let go changes nothing in the catalogue, until its successor came to nothing', async () => {
  const { world, registrar } = await worldWith(new FakeRegistrar('replicas', at));
  const never = new AbortController().signal;
  world.edge.request('hello');
  await world.run(500);
  expect(registrar.entries.size).toBe(1);
  await world.settle(world.control.letGo(() => undefined, never));
  world.runtime.exit('hello-1');
  await world.run(1000);
  expect(registrar.entries.size).toBe(1);
  world.control.resume();
  await world.run(1000);
  expect(registrar.entries.size).toBe(0);
});

test('a process that has let go leaves its entries when it ends', async () => {
  const { world, registrar } = await worldWith(new FakeRegistrar('edge', at));
  await world.run(100);
  await world.settle(world.control.letGo(() => undefined, new AbortController().signal));
  world.control.beginDrain();
  await world.settle(world.control.shutdown(new AbortController().signal));
  expect(registrar.entries.size).toBe(2);
});
