import { networkInterfaces } from 'node:os';
import { expect, test } from 'vitest';
import { adminAddressCheck } from '../../../src/control/endpoints/admin-address.ts';
import { FakeSource } from '../support/fake-discovery.ts';
import { testService, testSettings } from '../support/settings.ts';
import { World } from '../support/world.ts';

const isAdmin = (admin: string, host: string, port = 9400) =>
  adminAddressCheck({ host: admin, port: 9400 })({ host, port });

test.each([
  '127.0.0.1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  'localhost',
  'LocalHost.',
  'x.localhost',
  '0.0.0.0',
  '::ffff:0.0.0.0',
  '0:0::0',
])('%s is the admin API on loopback', (host) => {
  expect(isAdmin('127.0.0.1', host)).toBe(true);
  expect(isAdmin('127.0.0.1', host, 9401)).toBe(false);
});

test.each(['10.0.0.1', '127.0.0.2', '::1', 'example.com'])('%s is not', (host) => {
  expect(isAdmin('127.0.0.1', host)).toBe(false);
});

test('on all addresses it is every address of this machine', () => {
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  for (const { address } of own) expect(isAdmin('::', address)).toBe(true);
  expect(isAdmin('0.0.0.0', '127.9.9.9')).toBe(true);
  expect(isAdmin('0.0.0.0', '192.0.2.1')).toBe(false);
});

test('an endpoint that a source lists is not used where it is the admin API', async () => {
  const found = { consul: { service: 'found', tag: undefined } };
  const source = new FakeSource();
  const { admin } = testSettings([]);
  const world = await World.started([testService('routed', { run: undefined, endpoints: found })], {
    sources: [source],
  });
  source.say('routed', 7001, admin.address.port);
  await world.run(51);
  expect(world.edge.service('routed').state.endpoints.map(({ port }) => port)).toEqual([7001]);
});
