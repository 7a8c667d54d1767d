import { expect, test } from 'vitest';
import { DockerLabels } from '../../../src/discovery/docker-labels/source.ts';
import type { ContainerFeed } from '../../../src/model/containers.ts';
import type { Declaration } from '../../../src/model/declarations.ts';
import { silentLogger } from '../../../src/model/observe.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';

const shop = {
  id: '1',
  name: 'shop',
  createdAt: 1,
  labels: { 'pilotlight.route': 'shop.example' },
  ports: [80],
  networks: ['web'],
  binding: {},
  portAt: ['run', 'docker', 'port'],
};

/** Containers that say when they changed, and how often they were asked for. */
function feed(list: ContainerFeed['list'] = async () => [shop]) {
  let changed = (): void => undefined;
  const containers: ContainerFeed = {
    list,
    follow: (onChange) => {
      changed = onChange;
    },
  };
  return { containers, changed: () => changed() };
}

function follow(containers: ContainerFeed) {
  const clock = new VirtualClock();
  const life = new AbortController();
  const added: string[] = [];
  const listen = life.signal.addEventListener.bind(life.signal);
  life.signal.addEventListener = (...args: Parameters<typeof listen>) => {
    added.push(args[0]);
    listen(...args);
  };
  const sets: (readonly Declaration[])[] = [];
  const options = { name: 'docker', containers, prefix: 'pilotlight', isForeign: () => false, clock };
  new DockerLabels({ ...options, logger: silentLogger, random: () => 0 }).run((set) => sets.push(set), life.signal);
  return { clock, life, sets, added };
}

test('it is read again after each change, without leaving anything at the signal each time', async () => {
  const { containers, changed } = feed();
  const { clock, sets, added, life } = follow(containers);
  await clock.advanceAsync(0);
  const before = added.length;
  for (let i = 0; i < 5; i++) {
    changed();
    await clock.advanceAsync(0);
  }
  expect(sets).toHaveLength(6);
  expect(sets[5]).toMatchObject([{ source: 'docker', key: 'shop', service: 'shop' }]);
  expect(added.length).toBe(before);
  life.abort();
  changed();
  await clock.advanceAsync(0);
  expect(sets).toHaveLength(6);
});

test('what cannot be read is tried again, and the last set holds', async () => {
  let isThere = false;
  const { containers } = feed(async () => {
    if (isThere) return [shop];
    throw new Error('no engine');
  });
  const { clock, sets } = follow(containers);
  await clock.advanceAsync(2000);
  expect(sets).toEqual([]);
  isThere = true;
  await clock.advanceAsync(20_000);
  expect(sets).toHaveLength(1);
});
