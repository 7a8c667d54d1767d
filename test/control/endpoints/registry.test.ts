import { expect, test, vi } from 'vitest';
import { LinkHub } from '../../../src/control/link/hub.ts';
import { createStaticSource } from '../../../src/discovery/static/source.ts';
import { silentLogger } from '../../../src/model/observe.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { FakeSource } from '../support/fake-discovery.ts';
import { testService, testSettings } from '../support/settings.ts';
import { World } from '../support/world.ts';

const found = { consul: { service: 'found', tag: undefined } };
const routed = testService('routed', { run: undefined, endpoints: found });
const woken = testService('woken', { endpoints: found });

async function worldWith(services = [routed, woken]) {
  const source = new FakeSource();
  const world = await World.started(services, { sources: [source] });
  return { world, source };
}

const addresses = (world: World, service: string) =>
  world.edge.service(service).state.endpoints.map(({ port, state }) => `${port} ${state}`);

test('what a source says of a service without run is used as it is, within 50 ms', async () => {
  const { world, source } = await worldWith();
  source.say('routed', 7001, 7002);
  await world.run(51);
  expect(addresses(world, 'routed')).toEqual(['7001 ready', '7002 ready']);
  expect(world.edge.ready('routed')).toEqual(['127.0.0.1:7001', '127.0.0.1:7002']);
  expect((await world.status('routed')).state).toBe('ready');
  source.say('routed');
  await world.run(51);
  expect(addresses(world, 'routed')).toEqual([]);
  expect((await world.status('routed')).state).toBe('unavailable');
});

test('many changes at once are one message', async () => {
  const { world, source } = await worldWith();
  const before = world.edge.messages.length;
  for (let port = 1; port <= 100; port++) source.say('routed', port);
  await world.run(200);
  expect(world.edge.messages.length - before).toBe(1);
});

test('the first change after a quiet time is told at once, what follows within 50 ms together', async () => {
  const { world, source } = await worldWith();
  await world.run(1000);
  source.say('routed', 7001);
  await world.run(1);
  expect(addresses(world, 'routed')).toEqual(['7001 ready']);
  const before = world.edge.messages.length;
  source.say('routed', 7001, 7002);
  source.say('routed', 7003);
  await world.run(40);
  expect(world.edge.messages.length).toBe(before);
  await world.run(10);
  expect(world.edge.messages.length).toBe(before + 1);
  expect(addresses(world, 'routed')).toEqual(['7003 ready']);
});

test('a change does not wait because another service has just changed', async () => {
  const { world, source } = await worldWith([routed, testService('other', { run: undefined, endpoints: found })]);
  await world.run(1000);
  source.say('routed', 7001);
  await world.run(1);
  source.say('routed', 7003);
  await world.run(1);
  expect(addresses(world, 'routed')).toEqual(['7001 ready']);
  source.say('other', 7002);
  await world.run(1);
  expect(addresses(world, 'other')).toEqual(['7002 ready']);
  await world.run(50);
  expect(addresses(world, 'routed')).toEqual(['7003 ready']);
});

test('a change that could not be told goes out with the next one', async () => {
  const { world, source } = await worldWith([routed, testService('other', { run: undefined, endpoints: found })]);
  const post = vi.spyOn(LinkHub.prototype, 'publish').mockImplementationOnce(() => {
    throw new Error('the link is broken');
  });
  source.say('routed', 7001);
  await world.run(100);
  expect(post).toHaveBeenCalledOnce();
  expect(world.errors).toHaveLength(1);
  expect(addresses(world, 'routed')).toEqual([]);
  source.say('other', 7002);
  await world.run(100);
  expect(addresses(world, 'routed')).toEqual(['7001 ready']);
  expect(addresses(world, 'other')).toEqual(['7002 ready']);
  post.mockRestore();
});

test('what went out with a table is what later changes are told against', async () => {
  const { world, source } = await worldWith();
  await world.run(1000);
  source.say('routed', 7001);
  await world.run(1);
  source.say('routed', 7002);
  world.control.reconfigure(testSettings([routed, woken]));
  source.say('routed', 7001);
  await world.run(100);
  expect(addresses(world, 'routed')).toEqual(['7001 ready']);
});

test('what a new edge is told first, all others know too', async () => {
  const { world, source } = await worldWith();
  await world.run(1000);
  source.say('routed', 7001);
  await world.run(1);
  source.say('routed', 7002);
  const late = world.addEdge('late');
  source.say('routed', 7001);
  await world.run(100);
  expect(addresses(world, 'routed')).toEqual(['7001 ready']);
  expect(late.ready('routed')).toEqual(['127.0.0.1:7001']);
});

test('what a source knows already goes out with the table of the configuration that asks for it', async () => {
  const source = createStaticSource({ clock: new VirtualClock(), logger: silentLogger });
  const fixed = (port: number) =>
    testService('routed', {
      run: undefined,
      endpoints: { static: { addresses: [{ host: '127.0.0.1', port, weight: 1 }] } },
    });
  const world = await World.started([fixed(7001)], { sources: [source] });
  world.control.reconfigure(testSettings([fixed(7002), { ...fixed(7003), name: 'added' }]));
  await world.run(0);
  const last = world.edge.messages.at(-1);
  const told = last?.type === 'table' ? last.states : [];
  expect(told.map(({ service, endpoints }) => [service, endpoints.map(({ port }) => port)])).toEqual([
    ['routed', [7002]],
    ['added', [7003]],
  ]);
});

test('what is said twice is told once', async () => {
  const { world, source } = await worldWith();
  source.say('routed', 7001);
  await world.run(100);
  const before = world.edge.messages.length;
  source.say('routed', 7001);
  await world.run(100);
  expect(world.edge.messages.length).toBe(before);
});

test('two sources are merged by address', async () => {
  const fixed = new FakeSource('static');
  const catalogue = new FakeSource('consul');
  const both = testService('routed', {
    run: undefined,
    endpoints: { ...found, static: { addresses: [{ host: '127.0.0.1', port: 1, weight: 1 }] } },
  });
  const world = await World.started([both], { sources: [fixed, catalogue] });
  fixed.say('routed', 7001, 7002);
  catalogue.say('routed', 7002, 7003);
  await world.run(100);
  expect(addresses(world, 'routed')).toEqual(['7001 ready', '7002 ready', '7003 ready']);
  catalogue.say('routed');
  await world.run(100);
  expect(addresses(world, 'routed')).toEqual(['7001 ready', '7002 ready']);
});

test('an entry of a service that can be started is used only after a probe of our own', async () => {
  const { world, source } = await worldWith();
  source.say('woken', 7001);
  await world.run(3000);
  expect(addresses(world, 'woken')).toEqual([]);
  const request = world.edge.request('woken');
  await world.run(500);
  expect(request.outcome).toBe('answered');
  expect(world.runtime.starts).toBe(1);
  expect(addresses(world, 'woken')).toEqual(['10001 ready']);
});

test('an entry that answers is used, until a connect to it fails', async () => {
  const { world, source } = await worldWith();
  const other = world.runtime.launch('elsewhere', 1, 'h');
  const port = other.address?.port ?? 0;
  source.say('woken', port);
  await world.run(500);
  expect(addresses(world, 'woken')).toEqual([`${port} ready`]);
  const request = world.edge.request('woken');
  await world.run(50);
  expect(request.outcome).toBe('answered');
  expect(world.runtime.starts).toBe(0);
  world.runtime.exit('elsewhere-1');
  const next = world.edge.request('woken');
  await world.run(500);
  expect(next.outcome).toBe('answered');
  expect(world.runtime.starts).toBe(1);
  expect(addresses(world, 'woken')).toEqual(['10002 ready']);
});

test('a listed entry that did not answer is tried again while it is listed', async () => {
  const { world, source } = await worldWith();
  world.runtime.behaviour.readyMs = 20_000;
  const other = world.runtime.launch('elsewhere', 1, 'h');
  source.say('woken', other.address?.port ?? 0);
  await world.run(19_000);
  expect(addresses(world, 'woken')).toEqual([]);
  await world.run(31_000);
  expect(addresses(world, 'woken')).toHaveLength(1);
});

test('the catalogue naming a replica of our own adds nothing; a late entry of an old one is not used', async () => {
  const { world, source } = await worldWith();
  world.edge.request('woken');
  await world.run(300);
  expect(world.edge.ready('woken')).toEqual(['woken-1#1']);
  source.say('woken', 10_001);
  await world.run(1000);
  expect(world.edge.ready('woken')).toEqual(['woken-1#1']);
  await world.settle(world.control.sleep('woken'));
  await world.run(1000);
  const request = world.edge.request('woken');
  await world.run(500);
  expect(request.outcome).toBe('answered');
  expect(world.edge.ready('woken')).toEqual(['woken-1#2']);
});

test('an address where a replica of ours lives is used for no other service', async () => {
  const { world, source } = await worldWith();
  world.edge.request('woken');
  await world.run(300);
  source.say('routed', 10_001, 7001);
  await world.run(100);
  expect(addresses(world, 'routed')).toEqual(['7001 ready']);
  await world.settle(world.control.sleep('woken'));
  await world.run(1000);
  expect(addresses(world, 'routed')).toEqual(['10001 ready', '7001 ready']);
});

test('a service that can be started no more takes what is listed as it is', async () => {
  const { world, source } = await worldWith();
  source.say('woken', 7001);
  await world.run(3000);
  expect(addresses(world, 'woken')).toEqual([]);
  world.control.reconfigure(testSettings([routed, { ...woken, run: undefined }]));
  await world.run(100);
  expect(addresses(world, 'woken')).toEqual(['7001 ready']);
});

test('a source that falls silent leaves what it said', async () => {
  const { world, source } = await worldWith();
  source.say('routed', 7001);
  await world.run(600_000);
  expect(addresses(world, 'routed')).toEqual(['7001 ready']);
});

test('an exception in a handler breaks nothing', async () => {
  const { world, source } = await worldWith();
  world.edge.say({ type: 'report' } as never);
  world.edge.say({ type: 'ack', service: 'woken' } as never);
  await world.run(50);
  source.say('routed', 7001);
  const request = world.edge.request('woken');
  await world.run(1000);
  expect(request.outcome).toBe('answered');
  expect(addresses(world, 'routed')).toEqual(['7001 ready']);
});
