import { expect, test } from 'vitest';
import { ConsulTags } from '../../../src/discovery/consul-tags/source.ts';
import type { CatalogFeed, CatalogNews, ListedInstance } from '../../../src/model/catalog.ts';
import type { Declaration } from '../../../src/model/declarations.ts';
import { PilotlightError } from '../../../src/model/errors.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { LogKeeper } from '../consul/harness.ts';

const instance = (tags: string[], more: Partial<ListedInstance> = {}): ListedInstance => {
  return { id: 'a', node: 'n', tags, meta: {}, isUsable: true, madeAt: 1, changedAt: 1, ...more };
};

/** A catalogue of which each change is told, and that counts what it is asked. */
class Catalogue implements CatalogFeed {
  readonly asked: string[] = [];
  readonly services = new Map<string, ListedInstance[]>();
  fault: PilotlightError | undefined;
  /** What becomes of questions about one service alone. */
  readonly faults = new Map<string, PilotlightError>();
  #take: (news: CatalogNews) => void = () => undefined;

  follow(take: (news: CatalogNews) => void): void {
    this.#take = take;
  }

  tell(...changed: string[]): void {
    const tags = [...this.services].map(([name, all]) => [name, all.flatMap((each) => each.tags).sort()] as const);
    this.#take({ services: new Map(tags), changed: new Set(changed) });
  }

  async instances(service: string): Promise<ListedInstance[]> {
    this.asked.push(service);
    const fault = this.fault ?? this.faults.get(service);
    if (fault !== undefined) throw fault;
    return this.services.get(service) ?? [];
  }
}

/** On which no two looks at the time of day tell the same. */
class Ticking extends VirtualClock {
  #looks = 0;

  override wall(): number {
    return super.wall() + ++this.#looks;
  }
}

async function follow(services: Record<string, ListedInstance[]>, fault?: PilotlightError) {
  const catalog = new Catalogue();
  const clock = new Ticking();
  const log = new LogKeeper();
  const life = new AbortController();
  const sets: (readonly Declaration[])[] = [];
  const common = { name: 'consul', prefix: 'pilotlight', isForeign: () => false, clock, logger: log };
  new ConsulTags({ ...common, catalog, random: () => 0 }).run((set) => sets.push(set), life.signal);
  const change = async (changes: Record<string, ListedInstance[] | undefined>) => {
    for (const [name, list] of Object.entries(changes)) {
      if (list === undefined) catalog.services.delete(name);
      else catalog.services.set(name, list);
    }
    catalog.tell(...Object.keys(changes));
    await clock.advanceAsync(0);
  };
  catalog.fault = fault;
  await change(services);
  return { catalog, clock, life, log, sets, change, names: () => sets.at(-1)?.map(({ service }) => service) };
}

const declares = (host: string, more: Partial<ListedInstance> = {}) => [instance([`pilotlight.route=${host}`], more)];

test('the first set waits for all that have tags to read, and is empty where none has', async () => {
  expect((await follow({ db: [instance(['live'])] })).sets).toEqual([[]]);
  const { sets } = await follow({ shop: declares('a'), api: declares('b'), db: [instance([])] });
  expect(sets.map((set) => set.map(({ title }) => title))).toEqual([['Consul service shop', 'Consul service api']]);
  expect(sets[0]?.[0]).toMatchObject({
    source: 'consul',
    word: 'tag',
    labels: { 'pilotlight.route': 'a' },
    binding: { endpoints: { consul: { service: 'shop' } } },
  });
});

test('a service that comes, or says something by metadata alone, is told at once', async () => {
  const { change, names } = await follow({});
  await change({ shop: declares('a') });
  expect(names()).toEqual(['shop']);
  await change({ quiet: [instance([], { meta: { pilotlight_route: 'b' } })] });
  expect(names()).toEqual(['shop', 'quiet']);
});

test('of those that were listed at once the one that was made first is older', async () => {
  const { sets } = await follow({ young: declares('a', { madeAt: 9 }), old: declares('a', { madeAt: 3 }) });
  const age = (name: string) => sets[0]?.find(({ service }) => service === name) ?? ({} as Partial<Declaration>);
  expect(age('old').since).toBe(age('young').since);
  expect([age('old').order, age('young').order]).toEqual([3, 9]);
});

test('its age stays when the instance that was there first goes', async () => {
  const { change, sets } = await follow({ shop: declares('a', { madeAt: 3 }) });
  await change({ shop: declares('b', { id: 'b', madeAt: 8 }) });
  expect(sets.at(-1)).toMatchObject([{ order: 3, labels: { 'pilotlight.route': 'b' } }]);
});

test('instances that do not say the same: the one that was changed last holds, and it is said', async () => {
  const { sets, change } = await follow({
    shop: [...declares('old', { changedAt: 5 }), ...declares('new', { id: 'b', changedAt: 7 }), instance(['live'])],
  });
  expect(sets[0]).toMatchObject([{ labels: { 'pilotlight.route': 'new' }, notes: [/changed last/] }]);
  await change({ shop: declares('new', { id: 'b', changedAt: 7 }) });
  expect(sets[1]?.[0]?.notes).toBeUndefined();
});

test('nothing is told where nothing that is declared differs', async () => {
  const { change, sets } = await follow({ shop: declares('a') });
  await change({ shop: [...declares('a'), ...declares('a', { id: 'b' })] });
  expect(sets).toHaveLength(1);
});

test('one that is listed no more goes only when it is not there two seconds later, either', async () => {
  const { change, names, clock } = await follow({ shop: declares('a'), api: declares('b') });
  await change({ shop: undefined, api: undefined });
  expect(names()).toEqual(['shop', 'api']);
  await clock.advanceAsync(1000);
  await change({ api: declares('b') });
  await clock.advanceAsync(1500);
  expect(names()).toEqual(['api']);
});

test('what cannot be asked holds, and is asked again', async () => {
  const { catalog, change, names, clock } = await follow({ shop: declares('a') });
  catalog.fault = new PilotlightError('DISCOVERY_UNREACHABLE', 'away');
  await change({ shop: undefined });
  await clock.advanceAsync(60_000);
  expect(names()).toEqual(['shop']);
  catalog.fault = undefined;
  await clock.advanceAsync(20_000);
  expect(names()).toEqual([]);
});

test('one that is not told of is said once, however often others are read meanwhile, and again after it was', async () => {
  const { catalog, change, clock, log } = await follow({ shop: declares('a'), hidden: declares('b') });
  const hide = () => catalog.faults.set('hidden', new PilotlightError('DISCOVERY_DENIED', 'no'));
  hide();
  await change({ hidden: declares('c') });
  for (let i = 0; i < 10; i++) {
    await change({ shop: declares(`a${i}`) });
    await clock.advanceAsync(10_000);
  }
  expect(log.lines).toEqual(['warn what hidden declares in Consul cannot be read']);
  catalog.faults.clear();
  await clock.advanceAsync(20_000);
  hide();
  await change({ hidden: declares('d') });
  expect(log.lines).toHaveLength(2);
});

test('that Consul is away is said once for all services', async () => {
  const { catalog, change, clock, log } = await follow({ shop: declares('a'), api: declares('b') });
  catalog.fault = new PilotlightError('DISCOVERY_UNREACHABLE', 'away');
  await change({ shop: declares('c'), api: declares('d') });
  await clock.advanceAsync(60_000);
  expect(log.lines).toHaveLength(1);
});

test('the first set does not wait for one that Consul does not tell of', async () => {
  const denied = await follow({ shop: declares('a') }, new PilotlightError('DISCOVERY_DENIED', 'no'));
  expect(denied.sets).toEqual([[]]);
  const failing = await follow({ shop: declares('a') }, new PilotlightError('DISCOVERY_FAILED', 'no'));
  await failing.clock.advanceAsync(60_000);
  expect(failing.sets).toEqual([[]]);
  const unreachable = await follow({ shop: declares('a') }, new PilotlightError('DISCOVERY_UNREACHABLE', 'away'));
  await unreachable.clock.advanceAsync(60_000);
  expect(unreachable.sets).toEqual([]);
});

test('a refusal that is over in some seconds, as around an election, does not leave anything out of the first set', async () => {
  const { catalog, clock, sets } = await follow(
    { shop: declares('a') },
    new PilotlightError('DISCOVERY_FAILED', 'answers with status 500: No cluster leader'),
  );
  await clock.advanceAsync(1500);
  expect(sets).toEqual([]);
  catalog.fault = undefined;
  await clock.advanceAsync(10_000);
  expect(sets).toMatchObject([[{ service: 'shop' }]]);
});

test('one that says nothing is not asked at each of its changes, but now and then, and when its tags differ', async () => {
  const { catalog, change, clock, names } = await follow({ db: [instance(['live'])] });
  const asked = () => catalog.asked.length;
  expect(asked()).toBe(1);
  for (let i = 0; i < 5; i++) await change({ db: [instance(['live'])] });
  expect(asked()).toBe(1);
  await change({ db: [instance(['live', 'eu'])] });
  expect(asked()).toBe(2);
  await clock.advanceAsync(60_000);
  await change({ db: [instance(['live', 'eu'], { meta: { pilotlight_route: 'db' } })] });
  expect(asked()).toBe(3);
  expect(names()).toEqual(['db']);
});

test('a change while the service is asked for is not missed, and nothing is told after the end', async () => {
  const { catalog, change, clock, life, sets } = await follow({});
  catalog.services.set('shop', declares('a'));
  catalog.tell('shop');
  catalog.services.set('shop', declares('b'));
  catalog.tell('shop');
  await clock.advanceAsync(0);
  expect(sets.at(-1)).toMatchObject([{ labels: { 'pilotlight.route': 'b' } }]);
  life.abort();
  const told = sets.length;
  await change({ shop: undefined });
  await clock.advanceAsync(10_000);
  expect(sets).toHaveLength(told);
});
