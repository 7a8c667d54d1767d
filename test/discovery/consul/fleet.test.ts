import { expect, onTestFinished, test } from 'vitest';
import { ConsulCatalog } from '../../../src/discovery/consul/catalog.ts';
import type { AskConsul } from '../../../src/discovery/consul/client.ts';
import { ConsulContact } from '../../../src/discovery/consul/contact.ts';
import { ConsulFleet } from '../../../src/discovery/consul/fleet.ts';
import { ConsulKnowledge } from '../../../src/discovery/consul/knowledge.ts';
import { LONG_WAIT_MS } from '../../../src/discovery/consul/loop.ts';
import type { CatalogNews } from '../../../src/model/catalog.ts';
import { silentLogger } from '../../../src/model/observe.ts';
import { sleep } from '../../../src/util/clock.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { until } from '../../support/until.ts';
import { FakeConsul, healthEntry } from './fake-consul.ts';
import { answer, consulSettings, follows, runSource } from './harness.ts';

const NAMES = Array.from({ length: 130 }, (_, i) => `s${i}`);
const QUERIES = NAMES.map((name) => follows(name));

async function openFleet(): Promise<FakeConsul> {
  const fake = await FakeConsul.open();
  onTestFinished(() => fake.close());
  for (const [i, name] of NAMES.entries())
    fake.set(name, [healthEntry({ id: name, port: 1000 + i, node: `n${i % 5}` })]);
  return fake;
}

const port = (number: number) => [`10.0.0.1:${number}`];
/**
 * Whether both blocking questions wait and no other was asked over many looks: as what is under way goes on between
 * any two of them, this holds however long a look is late.
 */
const quiet = (fake: FakeConsul) => {
  let [count, looks] = [0, 0];
  return () => {
    if (fake.asked.length !== count) [count, looks] = [fake.asked.length, 0];
    return fake.blocked === 2 && ++looks > 8;
  };
};

test('over 100 services are followed by two blocking questions, and only what changed is fetched', async () => {
  const fake = await openFleet();
  const { source, sets, now } = runSource(consulSettings(fake.address), QUERIES);
  await until('all sets', () => source.answered());
  expect(sets).toHaveLength(130);
  await until('quiet', quiet(fake));
  expect(source.staleness('s7')).toBe(0);

  const before = fake.asked.length;
  const checks = [{ CheckID: 'service:s7', Status: 'critical' }];
  fake.set('s7', [healthEntry({ id: 's7', port: 1007, node: 'n2', checks })]);
  await until('the change', () => now('s7')?.length === 0);
  await until('quiet', quiet(fake));
  const urls = fake.asked.slice(before).map(({ url }) => url.replace(/\?.*/, ''));
  expect(urls.sort()).toEqual(['/v1/health/service/s7', '/v1/health/state/any']);
  expect(sets).toHaveLength(131);
});

test('15 services are fetched at once, beside what asks for the catalogue', async () => {
  const fake = await openFleet();
  fake.lie = (url) => (url.startsWith('/v1/health/service/') ? 'hang' : undefined);
  runSource(consulSettings(fake.address), QUERIES);
  await until('the first', () => fake.count('/v1/health/service/') > 0);
  await until('quiet', quiet(fake));
  expect(fake.count('/v1/health/service/')).toBe(15);
});

test('a catalog that moves all the time has every service fetched twice, and then every 15 s', async () => {
  const clock = new VirtualClock();
  const fetches: number[] = [];
  let moves = 0n;
  const ask: AskConsul = async ({ path, index, waitMs }, signal) => {
    if (path === '/v1/catalog/services') return answer(Buffer.from('{"shop":[]}'), ++moves);
    if (path === '/v1/health/state/any') {
      if (index > 0n) await sleep(clock, waitMs, signal);
      return answer(Buffer.from('[]'), 5n);
    }
    fetches.push(clock.now());
    return answer([], 5n);
  };
  const knowledge = new ConsulKnowledge({ service: 'shop' }, clock, silentLogger);
  const contact = new ConsulContact('http://consul', silentLogger);
  const options = {
    ask,
    clock,
    random: () => 0,
    contact,
    longWaitMs: () => LONG_WAIT_MS,
    knowledge: () => knowledge,
    onNews: () => undefined,
  };
  const fleet = new ConsulFleet({ ...options, askOnce: ask, catalog: new ConsulCatalog({ ...options, scope: {} }) });
  fleet.follow(new Map([['shop', { service: 'shop' }]]));
  await clock.advanceAsync(1000);
  const soon = fetches.length;
  expect(soon).toBeGreaterThanOrEqual(2);
  expect(soon).toBeLessThanOrEqual(4);
  await clock.advanceAsync(150_000);
  expect(fetches.length - soon).toBe(10);
  fleet.stop();
  expect(clock.pending).toBe(0);
});

test('changes of services that nobody routes to do not make it deaf for those that somebody does', async () => {
  const clock = new VirtualClock();
  const asked: number[] = [];
  const ask: AskConsul = async ({ path, index }, signal) => {
    if (path === '/v1/catalog/services') {
      if (index > 0n) await sleep(clock, LONG_WAIT_MS, signal);
      return answer(Buffer.from('{"shop":[],"other":[]}'), 5n);
    }
    asked.push(clock.now());
    const check = { Node: 'n1', CheckID: 'c', Status: asked.length % 2 ? 'passing' : 'critical', ServiceName: 'other' };
    return answer(Buffer.from(JSON.stringify([check])), BigInt(asked.length));
  };
  const contact = new ConsulContact('http://consul', silentLogger);
  const options = { ask, clock, random: () => 0, contact, longWaitMs: () => LONG_WAIT_MS, scope: {} };
  const abort = new AbortController();
  new ConsulCatalog(options).follow(
    () => undefined,
    abort.signal,
    (service) => service === 'shop',
  );
  await clock.advanceAsync(10_000);
  abort.abort();
  const gaps = asked.slice(1).map((at, place) => at - (asked[place] as number));
  expect(asked.length).toBeGreaterThan(100);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(50);
});

test('a follower that fails to take news keeps them from nobody, and is told everything with the next', async () => {
  const clock = new VirtualClock();
  const checks = ['passing', 'critical', 'critical'].map((Status) =>
    Buffer.from(JSON.stringify([{ Node: 'n1', CheckID: 'c', Status, ServiceName: 'shop' }])),
  );
  let round = 0;
  const ask: AskConsul = async ({ path, index }, signal) => {
    if (path === '/v1/catalog/services') {
      if (index > 0n) await sleep(clock, LONG_WAIT_MS, signal);
      return answer(Buffer.from('{"shop":[]}'), 5n);
    }
    if (round >= checks.length) await sleep(clock, LONG_WAIT_MS, signal);
    if (index > 0n) await sleep(clock, 1000, signal);
    return answer(checks[Math.min(round++, 2)] as Buffer, BigInt(round));
  };
  const contact = new ConsulContact('http://consul', silentLogger);
  const options = { ask, clock, random: () => 0, contact, longWaitMs: () => LONG_WAIT_MS, scope: {} };
  const abort = new AbortController();
  const catalog = new ConsulCatalog(options);
  const heard: Record<string, string[][]> = { frail: [], sound: [] };
  let calls = 0;
  catalog.follow(({ changed }) => {
    if (++calls === 2) throw new Error('not now');
    heard['frail']?.push([...changed]);
  }, abort.signal);
  catalog.follow(({ changed }) => heard['sound']?.push([...changed]), abort.signal);
  await clock.advanceAsync(10_000);
  abort.abort();
  expect(calls).toBeGreaterThan(2);
  expect(heard).toEqual({ frail: [['shop'], ['shop']], sound: [['shop'], ['shop']] });
});

test('an instance that no check shows is found through the catalog', async () => {
  const fake = await openFleet();
  fake.set('s9', []);
  const { source, now } = runSource(consulSettings(fake.address), QUERIES);
  await until('all sets', () => source.answered());
  await until('quiet', quiet(fake));
  expect(now('s9')).toEqual([]);
  fake.set('s9', [healthEntry({ id: 's9', port: 6000, checks: [] })]);
  await until('the new instance', () => now('s9')?.[0] === '10.0.0.1:6000');
  fake.set('s9', [healthEntry({ id: 's9', port: 6001, checks: [] })]);
  await until('its new port', () => now('s9')?.[0] === '10.0.0.1:6001');
});

test('a node that fails takes its instances out', async () => {
  const fake = await openFleet();
  const { source, now } = runSource(consulSettings(fake.address), QUERIES);
  await until('all sets', () => source.answered());
  fake.set('s3', [
    healthEntry({ id: 's3', port: 1003, node: 'n3', checks: [{ CheckID: 'serfHealth', Status: 'critical' }] }),
  ]);
  await until('the instance is out', () => now('s3')?.length === 0);
});

test('a service emptied is doubted for 2 s and looked at again', async () => {
  const fake = await openFleet();
  const { source, now } = runSource(consulSettings(fake.address), QUERIES);
  await until('all sets', () => source.answered());
  await until('quiet', quiet(fake));
  const emptiedAt = performance.now();
  let askedInDoubt = 0;
  fake.lie = (url) => {
    if (url === '/v1/health/service/s5' && now('s5')?.[0] === port(1005)[0]) askedInDoubt++;
    return undefined;
  };
  fake.set('s5', []);
  await until('the belief', () => now('s5')?.length === 0);
  expect(performance.now() - emptiedAt).toBeGreaterThanOrEqual(2000);
  expect(askedInDoubt).toBeGreaterThan(1);
});

test('a service whose fetch fails is tried again and keeps its set', async () => {
  const fake = await openFleet();
  const { source, now, log } = runSource(consulSettings(fake.address), QUERIES);
  await until('all sets', () => source.answered());
  fake.lie = (url) => (url === '/v1/health/service/s2' ? { status: 500, body: 'rpc error' } : undefined);
  fake.set('s2', [healthEntry({ id: 's2', port: 7000, checks: [] })]);
  await until('the age', () => (source.staleness('s2') ?? 0) > 300);
  expect(now('s2')).toEqual(port(1002));
  expect(source.staleness('s3')).toBe(0);
  expect(log.lines).toHaveLength(1);
  fake.lie = () => undefined;
  await until('the change', () => now('s2')?.[0] === '10.0.0.1:7000');
});

test('others follow the same catalogue', async () => {
  const fake = await openFleet();
  fake.set('s4', [healthEntry({ id: 's4', node: 'n4', tags: ['live'], meta: { owner: 'ann' } })]);
  const { source } = runSource(consulSettings(fake.address), QUERIES);
  await until('quiet', quiet(fake));
  const news: CatalogNews[] = [];
  const signal = new AbortController().signal;
  source.catalog.follow((said) => news.push(said), signal);
  expect(news).toMatchObject([{ changed: new Set(NAMES) }]);
  expect(news[0]?.services.get('s4')).toEqual(['live']);
  expect(await source.catalog.instances('s4', signal)).toEqual([
    { id: 's4', node: 'n4', tags: ['live'], meta: { owner: 'ann' }, isUsable: true, madeAt: 0, changedAt: 0 },
  ]);
  fake.set('new', [healthEntry({ id: 'new' })]);
  await until('the new one', () => news.some(({ services, changed }) => changed.has('new') && services.has('new')));
  fake.set('new', []);
  await until('its end', () => news.some(({ services, changed }) => changed.has('new') && !services.has('new')));
  fake.set('s4', [healthEntry({ id: 's4', node: 'n4', tags: ['live'], meta: { owner: 'bob' } })]);
  const before = news.length;
  await until('the suspicion', () => news.slice(before).some(({ changed }) => changed.has('s4')));
  expect(fake.count('/v1/catalog/services')).toBeLessThan(20);
});

test('growing beyond 100 and shrinking again keeps every set and goes on', async () => {
  const fake = await openFleet();
  const { source, sets, now, abort } = runSource(consulSettings(fake.address), QUERIES.slice(0, 100));
  await until('100 sets', () => sets.length === 100);
  source.follow(QUERIES);
  await until('130 sets', () => sets.length === 130);
  await until('two questions that block', () => fake.count('/v1/catalog/services') === 2);
  source.follow(QUERIES.slice(0, 3));
  expect(sets).toHaveLength(257);
  expect(now('s99')).toEqual([]);
  await until('three watches', () => fake.sockets.size === 3);
  fake.set('s1', [healthEntry({ port: 2000 })]);
  await until('the change', () => now('s1')?.[0] === '10.0.0.1:2000');
  abort();
  await until('no connection', () => fake.sockets.size === 0);
});
