import { expect, onTestFinished, test } from 'vitest';
import type { ConsulService } from '../../../src/discovery/consul/settings.ts';
import { until } from '../../support/until.ts';
import { FakeConsul, healthEntry } from './fake-consul.ts';
import { consulSettings, runSource } from './harness.ts';

async function openFake(): Promise<FakeConsul> {
  const fake = await FakeConsul.open();
  onTestFinished(() => fake.close());
  return fake;
}

const sought = (more: Partial<ConsulService>) => [{ service: 'shop', sought: { service: 'shop', ...more } }];
const sick = [{ CheckID: 'service:one', Status: 'critical' }];

test('everything that is said of the choice reaches Consul', async () => {
  const fake = await openFake();
  fake.set('shop', [healthEntry({})], 'dc2');
  const choice = { filter: 'Service.Meta.v == "2"', namespace: 'shops', near: '_agent' };
  const { now } = runSource(
    consulSettings(fake.address, { ...choice, partition: 'eu', datacenters: ['dc1'] }),
    sought({ datacenters: ['dc2'] }),
  );
  await until('the set', () => now('shop') !== undefined);
  const { searchParams } = new URL(fake.asked[0]?.url ?? '', 'http://consul');
  expect(Object.fromEntries(searchParams)).toEqual({
    dc: 'dc2',
    ns: 'shops',
    partition: 'eu',
    filter: 'Service.Meta.v == "2"',
    near: '_agent',
    stale: '',
  });
});

test('who follows the catalogue sees the part in which services are looked for', async () => {
  const fake = await openFake();
  fake.set('shop', [healthEntry({ id: 'there' })], 'dc2');
  fake.set('mail', [healthEntry({ id: 'here' })]);
  const { source } = runSource(consulSettings(fake.address, { namespace: 'shops', datacenters: ['dc2', 'dc1'] }), []);
  const life = new AbortController();
  onTestFinished(() => life.abort());
  const names: string[] = [];
  source.catalog.follow(({ services }) => names.push(...services.keys()), life.signal);
  await until('the catalogue', () => names.length > 0);
  expect(names).toEqual(['shop']);
  expect(await source.catalog.instances('shop', life.signal)).toMatchObject([{ id: 'there' }]);
  expect(fake.asked.every(({ url }) => url.includes('dc=dc2&ns=shops'))).toBe(true);
});

test('a filter that Consul refuses is one line, and what was known stays', async () => {
  const fake = await openFake();
  fake.set('shop', [healthEntry({})]);
  const filter = { filter: 'Service.Meta.v ==' };
  const { source, log, now } = runSource(consulSettings(fake.address), sought(filter));
  await until('the set', () => now('shop') !== undefined);
  fake.lie = () => ({ status: 400, body: 'Failed to create boolean expression evaluator: 1:18: no match found' });
  fake.set('shop', []);
  await until('a refusal', () => log.lines.length > 0);
  const { length } = fake.asked;
  await until('two more', () => fake.asked.length > length + 1);
  expect(log.lines).toEqual([
    `warn Consul at ${fake.address} refuses the filter: Failed to create boolean expression evaluator: 1:18: no match found (asked for service shop); retrying`,
  ]);
  expect(source.trouble?.()?.message).toContain('refuses the filter');
  expect(now('shop')).toEqual(['10.0.0.1:8001']);
});

test('answers to another question about the same service do not end the trouble of one that fails', async () => {
  const fake = await openFake();
  fake.set('shop', [healthEntry({})]);
  fake.lie = (url) => (url.includes('filter=') ? { status: 400, body: 'no match found' } : undefined);
  const { source, log, now } = runSource(consulSettings(fake.address), [
    ...sought({}),
    { service: 'picked', sought: { service: 'shop', filter: 'Service.Meta.v ==' } },
  ]);
  await until('the refusal', () => log.lines.length > 0 && now('shop') !== undefined);
  const { length } = fake.asked;
  fake.set('shop', [healthEntry({ port: 2 })]);
  await until('the other answer', () => now('shop')?.[0] === '10.0.0.1:2');
  await until('two more refusals', () => fake.asked.length > length + 2);
  expect(log.lines).toHaveLength(1);
  expect(source.trouble?.()?.message).toContain('refuses the filter');
});

test('the next datacenter serves when the first one has no usable instance', async () => {
  const fake = await openFake();
  fake.set('shop', [healthEntry({ port: 1 })], 'dc1');
  fake.set('shop', [healthEntry({ port: 2 })], 'dc2');
  const { source, now, sets } = runSource(consulSettings(fake.address), sought({ datacenters: ['dc1', 'dc2'] }));
  await until('the first one', () => now('shop')?.[0] === '10.0.0.1:1');
  expect(source.answered()).toBe(true);
  fake.set('shop', [healthEntry({ port: 1, checks: sick })], 'dc1');
  await until('the next one', () => now('shop')?.[0] === '10.0.0.1:2');
  fake.set('shop', [healthEntry({ port: 1 })], 'dc1');
  fake.set('shop', [healthEntry({ port: 2 }), healthEntry({ id: 'two', port: 3 })], 'dc2');
  await until('its second instance', () => now('shop')?.length === 2);
  expect(sets).toHaveLength(3);
});

test('a datacenter of which Consul cannot tell stays in use, and the next one stands by', async () => {
  const fake = await openFake();
  fake.set('shop', [healthEntry({ port: 1 })], 'dc1');
  fake.set('shop', [healthEntry({ port: 2 })], 'dc2');
  const { sets, now } = runSource(consulSettings(fake.address), sought({ datacenters: ['dc1', 'dc2'] }));
  await until('the first one', () => now('shop')?.[0] === '10.0.0.1:1');
  fake.lie = (url) => (url.includes('dc=dc1') ? { status: 500, body: 'No path to datacenter' } : undefined);
  for (const socket of fake.sockets) socket.destroy();
  await until('both', () => now('shop')?.length === 2);
  expect(sets.at(-1)?.endpoints.map(({ port, backup }) => [port, backup === true])).toEqual([
    [1, false],
    [2, true],
  ]);
  fake.lie = () => undefined;
  await until('the first one alone', () => now('shop')?.length === 1);
}, 20_000);

test('over a hundred services of two datacenters are followed by two catalogues', async () => {
  const fake = await openFake();
  const names = Array.from({ length: 60 }, (_, place) => `s${place}`);
  for (const name of names) fake.set(name, [healthEntry({ id: name, port: 1 })], 'dc1');
  for (const name of names) fake.set(name, [healthEntry({ id: name, port: 2 })], 'dc2');
  const { source, now } = runSource(
    consulSettings(fake.address),
    names.map((name) => ({ service: name, sought: { service: name, datacenters: ['dc1', 'dc2'] } })),
  );
  await until('all', () => source.answered() && now('s59')?.[0] === '10.0.0.1:1');
  await until('four questions that wait', () => fake.blocked === 4);
  // A datacenter that falls silent shows at the end of the wait.
  expect(fake.asked.filter(({ url }) => url.includes('index=') && !url.includes('wait=30s'))).toEqual([]);
  fake.set('s7', [healthEntry({ id: 's7', port: 1, checks: [{ CheckID: 'service:s7', Status: 'critical' }] })], 'dc1');
  await until('the other one', () => now('s7')?.[0] === '10.0.0.1:2');
  expect(source.staleness('s7')).toBe(0);
});
