import { expect, test } from 'vitest';
import { createStaticSource } from '../../../src/discovery/static/source.ts';
import type { EndpointSet } from '../../../src/model/discovery.ts';
import { silentLogger } from '../../../src/model/observe.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { until } from '../../support/until.ts';

type Answer = string[] | Error;

/** A source whose names have the addresses that the test says. */
function world(names: Record<string, Answer>) {
  const clock = new VirtualClock();
  const asked: string[] = [];
  let pending = 0;
  let most = 0;
  const lookup = async (host: string) => {
    asked.push(host);
    most = Math.max(most, ++pending);
    await Promise.resolve();
    pending--;
    const answer = names[host] ?? new Error('unknown');
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const source = createStaticSource({ clock, logger: silentLogger, lookup, random: () => 0 });
  const sets: EndpointSet[] = [];
  const abort = new AbortController();
  const start = async () => {
    source.run((set) => sets.push(set), abort.signal);
    await clock.advanceAsync(0);
  };
  const taken = () => sets.splice(0).map(({ service, endpoints }) => [service, ...endpoints.map(({ host }) => host)]);
  return { source, clock, asked, names, start, taken, abort, sets, mostAtOnce: () => most };
}

const query = (service: string, ...hosts: string[]) => every(30_000, service, ...hosts);

const every = (resolveMs: number, service: string, ...hosts: string[]) => ({
  service,
  sought: { addresses: hosts.map((host) => ({ host, port: 80, weight: 1 })), resolveMs },
});

test('a name with several addresses is several endpoints, each with what its entry says', async () => {
  const { source, start, sets } = world({ 'web.test': ['10.0.0.2', '10.0.0.1'] });
  const entry = { host: 'web.test', port: 81, weight: 3, backup: true, maxConnections: 9 };
  source.follow([
    { service: 'shop', sought: { addresses: [entry, { host: '10.0.0.9', port: 82, weight: 1 }], resolveMs: 30_000 } },
  ]);
  await start();
  const shared = { port: 81, weight: 3, backup: true, maxConnections: 9 };
  expect(sets.at(-1)?.endpoints).toEqual([
    { host: '10.0.0.1', serverName: 'web.test', ...shared },
    { host: '10.0.0.2', serverName: 'web.test', ...shared },
    { host: '10.0.0.9', port: 82, weight: 1 },
  ]);
});

test('names are looked up again, and only another answer is pushed, in whatever order it comes', async () => {
  const { source, start, taken, clock, names, asked } = world({ 'web.test': ['10.0.0.1', '10.0.0.2'] });
  source.follow([query('shop', 'web.test')]);
  await start();
  expect(taken()).toEqual([['shop', '10.0.0.1', '10.0.0.2']]);
  names['web.test'] = ['10.0.0.2', '10.0.0.1'];
  await clock.advanceAsync(30_000);
  expect(asked).toHaveLength(2);
  expect(taken()).toEqual([]);
  names['web.test'] = ['10.0.0.3'];
  await clock.advanceAsync(30_000);
  expect(taken()).toEqual([['shop', '10.0.0.3']]);
});

test('the address of no host, as of a name that is blocked, counts as none', async () => {
  const { source, start, taken, clock, names } = world({ 'web.test': ['0.0.0.0', '10.0.0.1', '::'] });
  source.follow([query('shop', 'web.test')]);
  await start();
  expect(taken()).toEqual([['shop', '10.0.0.1']]);
  names['web.test'] = ['0.0.0.0'];
  await clock.advanceAsync(30_000);
  expect(taken()).toEqual([]);
});

test('while a name cannot be looked up its last addresses stay, and it is tried more often', async () => {
  const { source, start, taken, clock, names, asked } = world({ 'web.test': ['10.0.0.1'] });
  source.follow([query('shop', 'web.test')]);
  await start();
  taken();
  names['web.test'] = new Error('no answer');
  await clock.advanceAsync(30_000);
  expect(source.staleness('shop')).toBe(30_000);
  const before = asked.length;
  await clock.advanceAsync(7000);
  expect(asked.length - before).toBe(3);
  expect(taken()).toEqual([]);
  names['web.test'] = [];
  await clock.advanceAsync(60_000);
  expect(taken()).toEqual([]);
  names['web.test'] = ['10.0.0.7'];
  await clock.advanceAsync(30_000);
  expect(taken()).toEqual([['shop', '10.0.0.7']]);
  expect(source.staleness('shop')).toBe(0);
});

test('a set waits for the first look-up of all its names, whatever comes of it', async () => {
  const { source, start, taken, clock, names } = world({ 'good.test': ['10.0.0.1'], 'bad.test': new Error('none') });
  source.follow([query('shop', 'good.test', 'bad.test'), query('blog', '10.0.0.5')]);
  expect(source.answered()).toBe(false);
  await start();
  expect(taken()).toEqual([
    ['blog', '10.0.0.5'],
    ['shop', '10.0.0.1'],
  ]);
  expect(source.answered()).toBe(true);
  expect(source.staleness('shop')).toBeUndefined();
  names['bad.test'] = ['10.0.0.2'];
  await clock.advanceAsync(1000);
  expect(taken()).toEqual([['shop', '10.0.0.1', '10.0.0.2']]);
});

test('what is known is pushed at once to another service that names it; what nobody names is forgotten', async () => {
  const { source, start, taken, clock, asked } = world({ 'web.test': ['10.0.0.1'] });
  source.follow([query('shop', 'web.test')]);
  await start();
  taken();
  source.follow([query('shop', 'web.test'), query('blog', 'web.test')]);
  expect(taken()).toEqual([
    ['shop', '10.0.0.1'],
    ['blog', '10.0.0.1'],
  ]);
  expect(asked).toHaveLength(1);
  source.follow([]);
  expect(taken()).toEqual([['shop'], ['blog']]);
  await clock.advanceAsync(120_000);
  expect(asked).toHaveLength(1);
  expect(clock.pending).toBe(0);
});

test('of services that name it, the most impatient one decides how often', async () => {
  const { source, start, clock, asked } = world({ 'web.test': ['10.0.0.1'] });
  source.follow([query('shop', 'web.test'), every(10_000, 'blog', 'web.test')]);
  await start();
  await clock.advanceAsync(60_000);
  expect(asked).toHaveLength(7);
});

test('addresses and this machine are not looked up', async () => {
  const { source, start, taken, asked } = world({});
  source.follow([query('shop', '10.0.0.1', 'fd00::1', 'localhost', 'app.localhost')]);
  await start();
  expect(taken()).toEqual([['shop', '10.0.0.1', 'fd00::1', 'localhost', 'app.localhost']]);
  expect(asked).toEqual([]);
});

test('many names are looked up two at a time', async () => {
  const hosts = Array.from({ length: 20 }, (_, index) => `h${index}.test`);
  const { source, start, taken, mostAtOnce, clock } = world(
    Object.fromEntries(hosts.map((host) => [host, ['10.0.0.1']])),
  );
  source.follow([query('shop', ...hosts)]);
  await start();
  await clock.advanceAsync(0);
  await clock.advanceAsync(0);
  expect(taken()).toHaveLength(1);
  expect(mostAtOnce()).toBe(2);
});

test('nothing is looked up or pushed after the end, also when an answer is under way', async () => {
  const { source, taken, sets, abort, clock, asked } = world({ 'web.test': ['10.0.0.1'] });
  source.follow([query('shop', 'web.test')]);
  source.run((set) => sets.push(set), abort.signal);
  for (let turns = 0; turns < 10 && asked.length === 0; turns++) await Promise.resolve();
  abort.abort();
  await clock.advanceAsync(120_000);
  expect(asked).toHaveLength(1);
  expect(taken()).toEqual([]);
  expect(clock.pending).toBe(0);
});

test("the system's own look-up is used by default", async () => {
  const clock = new VirtualClock();
  const source = createStaticSource({ clock, logger: silentLogger });
  const abort = new AbortController();
  // Both are decided without asking the network: a short form of an address, and a name that is too long to be one.
  source.follow([query('shop', '127.1'), query('blog', `${'x'.repeat(64)}.invalid`)]);
  const sets: EndpointSet[] = [];
  source.run((set) => sets.push(set), abort.signal);
  await until('both sets', () => sets.length === 2);
  const endpoints = Object.fromEntries(sets.map((set) => [set.service, set.endpoints]));
  expect(endpoints).toEqual({ shop: [{ host: '127.0.0.1', port: 80, weight: 1, serverName: '127.1' }], blog: [] });
  abort.abort();
});

test('a name that is to be looked up more often is looked up at once, not after the interval of before', async () => {
  const { source, start, taken, clock, names } = world({ 'web.test': ['10.0.0.1'] });
  source.follow([every(3_600_000, 'shop', 'web.test')]);
  await start();
  expect(taken()).toEqual([['shop', '10.0.0.1']]);
  names['web.test'] = ['10.0.0.2'];
  source.follow([every(5000, 'shop', 'web.test')]);
  expect(taken()).toEqual([['shop', '10.0.0.1']]);
  await clock.advanceAsync(0);
  expect(taken()).toEqual([['shop', '10.0.0.2']]);
  names['web.test'] = ['10.0.0.3'];
  await clock.advanceAsync(5000);
  expect(taken()).toEqual([['shop', '10.0.0.3']]);
});
