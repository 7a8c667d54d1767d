import { expect, onTestFinished, test } from 'vitest';
import { createConsulSource } from '../../../src/discovery/consul/source.ts';
import type { EndpointSet } from '../../../src/model/discovery.ts';
import { silentLogger } from '../../../src/model/observe.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { until } from '../../support/until.ts';
import { FakeConsul, healthEntry } from './fake-consul.ts';
import { consulSettings, follows, runSource } from './harness.ts';

async function openFake(): Promise<FakeConsul> {
  const fake = await FakeConsul.open();
  onTestFinished(() => fake.close());
  return fake;
}

test('what Consul lists is pushed as a whole set, and each change of it once', async () => {
  const fake = await openFake();
  fake.set('shop', [healthEntry({ port: 1 })]);
  const { source, sets, now } = runSource(consulSettings(fake.address), [follows('shop')]);
  expect(source.answered()).toBe(false);
  expect(source.staleness('shop')).toBeUndefined();
  await until('the first set', () => sets.length === 1);
  expect(sets[0]).toEqual({
    service: 'shop',
    source: 'consul',
    endpoints: [{ host: '10.0.0.1', port: 1, weight: 1 }],
  });
  expect(source.answered()).toBe(true);
  expect(source.staleness('shop')).toBe(0);

  fake.set('shop', [healthEntry({ port: 1 }), healthEntry({ id: 'two', port: 2 })]);
  await until('the second set', () => sets.length === 2);
  expect(now('shop')).toEqual(['10.0.0.1:1', '10.0.0.1:2']);
});

test('an index that moves without a change pushes nothing', async () => {
  const fake = await openFake();
  fake.set('shop', [healthEntry({})]);
  const { sets } = runSource(consulSettings(fake.address), [follows('shop')]);
  await until('the first set', () => sets.length === 1);
  for (let i = 0; i < 3; i++) {
    const before = fake.asked.length;
    fake.move();
    await until('another question', () => fake.asked.length > before);
  }
  expect(sets).toHaveLength(1);
});

test('a service that was never listed is known to be empty', async () => {
  const fake = await openFake();
  const { source, sets } = runSource(consulSettings(fake.address), [follows('shop')]);
  await until('the first set', () => sets.length === 1);
  expect(sets[0]?.endpoints).toEqual([]);
  expect(source.answered()).toBe(true);
});

test('nothing is known from an empty list without a leader', async () => {
  const fake = await openFake();
  fake.knownLeader = false;
  const { source, sets } = runSource(consulSettings(fake.address), [follows('shop')]);
  await until('two questions', () => fake.asked.length >= 2);
  expect(sets).toEqual([]);
  expect(source.answered()).toBe(false);
});

test('several services with tags of their own share one watch', async () => {
  const fake = await openFake();
  fake.set('shop', [healthEntry({ id: 'a', port: 1, tags: ['v1'] }), healthEntry({ id: 'b', port: 2, tags: ['v2'] })]);
  const queries = [follows('old', 'shop', ['v1']), follows('new', 'shop', ['v2']), follows('both', 'shop')];
  const { sets, now } = runSource(consulSettings(fake.address), queries);
  await until('all sets', () => sets.length === 3);
  expect([now('old'), now('new'), now('both')]).toEqual([['10.0.0.1:1'], ['10.0.0.1:2'], ['10.0.0.1:1', '10.0.0.1:2']]);
  await until('the blocking question', () => fake.asked.length === 2);
  fake.set('shop', [healthEntry({ id: 'a', port: 1, tags: ['v1'] })]);
  await until('the change', () => now('new')?.length === 0);
  expect(sets.filter(({ service }) => service === 'old')).toHaveLength(1);
});

test('following others leaves unchanged watches alone, starts new ones and ends dropped ones', async () => {
  const fake = await openFake();
  for (const [i, name] of ['shop', 'blog', 'wiki'].entries()) fake.set(name, [healthEntry({ port: i + 1 })]);
  const { source, sets, now } = runSource(consulSettings(fake.address), [follows('shop'), follows('blog')]);
  await until('the first sets', () => sets.length === 2 && fake.asked.length === 4);

  source.follow([follows('shop'), follows('wiki')]);
  expect(now('blog')).toEqual([]);
  await until('the new watch', () => now('wiki') !== undefined && fake.count('/v1/health/service/wiki') === 2);
  expect(fake.count('/v1/health/service/shop')).toBe(2);
  await until('the end of the dropped watch', () => fake.sockets.size === 2);
  expect(source.staleness('blog')).toBeUndefined();
});

test('a service that moves to another name in Consul keeps its endpoints until the new name answers', async () => {
  const fake = await openFake();
  fake.set('shop', [healthEntry({ port: 1 })]);
  fake.set('shop-2', [healthEntry({ port: 2 })]);
  const { source, sets, now } = runSource(consulSettings(fake.address), [follows('shop')]);
  await until('the first set', () => sets.length === 1);
  source.follow([follows('shop', 'shop-2')]);
  expect(now('shop')).toEqual(['10.0.0.1:1']);
  await until('the new set', () => now('shop')?.[0] === '10.0.0.1:2');
  expect(sets).toHaveLength(2);
});

test('endpoints of a Consul service that is named no more are dropped after 5 s, also while Consul is away', async () => {
  const fake = await openFake();
  fake.set('shop', [healthEntry({ id: 'a', port: 1 })]);
  const clock = new VirtualClock();
  const sets: EndpointSet[] = [];
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  const settings = consulSettings(fake.address);
  const source = createConsulSource({ settings, clock, logger: silentLogger, instance: 'test' });
  source.follow([follows('shop')]);
  source.run((set) => sets.push(set), abort.signal);
  await until('the first set', () => sets.length === 1);
  fake.lie = () => ({ status: 500, body: 'away' });
  source.follow([follows('shop', 'other')]);
  await clock.advanceAsync(4900);
  expect(sets).toHaveLength(1);
  await clock.advanceAsync(200);
  expect(sets.slice(1)).toEqual([{ service: 'shop', source: 'consul', endpoints: [] }]);
});

test('another tag of a service that is known is answered within the call', async () => {
  const fake = await openFake();
  fake.set('shop', [healthEntry({ id: 'a', port: 1 }), healthEntry({ id: 'b', port: 2, tags: ['v2'] })]);
  const { source, sets, now } = runSource(consulSettings(fake.address), [follows('shop')]);
  await until('the first set', () => sets.length === 1);
  source.follow([follows('shop', 'shop', ['v2']), follows('beta', 'shop')]);
  expect(now('shop')).toEqual(['10.0.0.1:2']);
  expect(now('beta')).toEqual(['10.0.0.1:1', '10.0.0.1:2']);
});

test('the index going back starts over without losing the set', async () => {
  const fake = await openFake();
  fake.set('shop', [healthEntry({ port: 1 })]);
  const { sets, now } = runSource(consulSettings(fake.address), [follows('shop')]);
  await until('the blocking question', () => fake.asked.length === 2);
  // An answer to a question that blocks, with an index lower than asked for: another server, or the same one anew.
  fake.index = 3;
  fake.lie = (url) => {
    const index = Number(/index=(\d+)/.exec(url)?.[1] ?? 0);
    return index > 3
      ? { body: JSON.stringify([healthEntry({ port: 1 })]), headers: { 'X-Consul-Index': '3' } }
      : undefined;
  };
  for (const socket of fake.sockets) socket.destroy();
  await until('questions from the start', () => fake.asked.at(-1)?.url.includes('index=3&') === true);
  expect(sets).toHaveLength(1);
  fake.set('shop', [healthEntry({ port: 2 })]);
  await until('the next change', () => now('shop')?.[0] === '10.0.0.1:2');
});

test('a bad entry is warned of once and the others are used', async () => {
  const fake = await openFake();
  fake.set('shop', [healthEntry({ id: 'bad', port: 0 }), healthEntry({ port: 1 })]);
  const { log, now } = runSource(consulSettings(fake.address), [follows('shop')]);
  await until('the good entry', () => now('shop')?.length === 1);
  fake.set('shop', [healthEntry({ id: 'bad', port: 0 }), healthEntry({ port: 1 }), healthEntry({ id: 'b', port: 2 })]);
  await until('the change', () => now('shop')?.length === 2);
  expect(log.lines).toEqual(['warn Consul service shop: "bad" on node "n1" is skipped: its port is 0']);
});

test('who takes the sets cannot end the watch by throwing', async () => {
  const fake = await openFake();
  fake.set('shop', [healthEntry({ port: 1 })]);
  const { sets, log, now } = runSource(consulSettings(fake.address), [follows('shop')]);
  const push = sets.push.bind(sets);
  sets.push = () => {
    sets.push = push;
    throw new Error('full');
  };
  await until('the complaint', () => log.lines.length === 1);
  expect(log.lines[0]).toBe('error the endpoints of shop were not taken: full');
  await until('the blocking question', () => fake.asked.length === 2);
  fake.set('shop', [healthEntry({ port: 2 })]);
  await until('the next change', () => now('shop')?.[0] === '10.0.0.1:2');
});
