import { expect, test } from 'vitest';
import { FakeSource } from '../support/fake-discovery.ts';
import { testService } from '../support/settings.ts';
import { World } from '../support/world.ts';

const found = { consul: { service: 'found', tag: undefined } };

async function listed(world: World, service: string): Promise<string[]> {
  const endpoints = await world.settle(world.control.endpoints(service));
  return endpoints.map(({ address, source, replica, state, reason }) =>
    [address, source, replica, state, reason].filter((part) => part !== null).join(' '),
  );
}

test('what sources list is shown with who says so, and what is out of use with the reason', async () => {
  const source = new FakeSource();
  const world = await World.started([testService('routed', { run: undefined, endpoints: found })], {
    sources: [source],
  });
  source.say('routed', 7002, 7001);
  source.sayUnused('routed', [7002, 7001], { host: '127.0.0.1', port: 7003, reason: 'maintenance' });
  await world.run(100);
  expect(await listed(world, 'routed')).toEqual([
    '127.0.0.1:7001 consul in-use',
    '127.0.0.1:7002 consul in-use',
    '127.0.0.1:7003 consul out-of-use maintenance',
  ]);
  source.say('routed', 7001);
  expect(await listed(world, 'routed')).toEqual(['127.0.0.1:7001 consul in-use']);
});

test('an address that was not proved yet is unverified, and a replica is told with its name', async () => {
  const source = new FakeSource();
  const world = await World.started([testService('woken', { endpoints: found })], { sources: [source] });
  source.say('woken', 7009);
  await world.run(100);
  expect(await listed(world, 'woken')).toEqual(['127.0.0.1:7009 consul out-of-use unverified']);
  world.edge.request('woken');
  await world.run(5000);
  const own = await listed(world, 'woken');
  expect(own[0]).toMatch(/ pilotlight woken-1 in-use$/);
});

test('a service that is not there is an error', async () => {
  const world = await World.started([]);
  await expect(world.control.endpoints('nope')).rejects.toMatchObject({ code: 'SERVICE_UNKNOWN' });
});
