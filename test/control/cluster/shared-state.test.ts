import { mkdir, mkdtemp, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { SharedState } from '../../../src/control/cluster/shared-state.ts';
import type { SharedFiles } from '../../../src/model/cluster.ts';
import { silentLogger } from '../../../src/model/observe.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { until } from '../../support/until.ts';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function member(leads: boolean) {
  const folder = await mkdtemp(join(tmpdir(), 'pilotlight-shared-'));
  folders.push(folder);
  const shipped: [string, string][] = [];
  const left = { sends: 0 };
  let take: Parameters<SharedFiles['onFile']>[0] = () => undefined;
  const files: SharedFiles = {
    ship: (path, content) => void shipped.push([path, Buffer.from(content).toString()]),
    get isSending() {
      return left.sends-- > 0;
    },
    onFile: (listener) => {
      take = listener;
    },
  };
  const clock = new VirtualClock();
  const state = new SharedState({ files, folder, leads: () => leads, clock, logger: silentLogger });
  return { folder, shipped, state, left, clock, take: (path: string, text: string) => take(path, Buffer.from(text)) };
}

test('a leader ships what it has learnt, once as long as it does not change, and nothing of its own', async () => {
  const { folder, shipped, state } = await member(true);
  await mkdir(join(folder, 'learnt'));
  await writeFile(join(folder, 'learnt', 'shop.json'), '{}');
  await writeFile(join(folder, 'learnt', 'shop.json.new'), 'half');
  await writeFile(join(folder, 'secret'), 'none of theirs');
  await state.look();
  await state.look();
  expect(shipped).toEqual([['learnt/shop.json', '{}']]);
});

test('a member keeps what comes, and takes no other path', async () => {
  const { folder, take, state } = await member(false);
  for (const path of ['../evil.json', 'learnt/../../evil.json', 'secret', 'learnt/.x.json', 'acme/key.json'])
    take(path, 'x');
  take('idle/shop.json', '{"a":1}');
  await state.look();
  await until('it is kept', async () => (await readdir(folder)).length > 0);
  expect(await readdir(folder)).toEqual(['idle']);
  expect(await readFile(join(folder, 'idle', 'shop.json'), 'utf8')).toBe('{"a":1}');
});

test('one that leads keeps its own', async () => {
  const { folder, take, state } = await member(true);
  take('idle/shop.json', '{}');
  await state.look();
  expect(await readdir(folder)).toEqual([]);
});

test('freezes go with what was learnt, and come as they were', async () => {
  const { folder, shipped, state } = await member(true);
  await writeFile(join(folder, 'freezes.json'), '{"shop":1}');
  await state.look();
  expect(shipped).toEqual([['freezes.json', '{"shop":1}']]);
  const other = await member(false);
  other.take('freezes.json', '{"shop":1}');
  await other.state.kept();
  expect(await readFile(join(other.folder, 'freezes.json'), 'utf8')).toBe('{"shop":1}');
});

test('what operators set twice within the shortest time that files know of is shipped twice', async () => {
  const { folder, shipped, state } = await member(true);
  const file = join(folder, 'freezes.json');
  await writeFile(file, '{"shop":1}');
  await utimes(file, 1000, 1000);
  await state.lookAtSettings();
  await writeFile(`${file}.new`, '{"shop":2}');
  await utimes(`${file}.new`, 1000, 1000);
  await rename(`${file}.new`, file);
  await state.lookAtSettings();
  expect(shipped.map(([, content]) => content)).toEqual(['{"shop":1}', '{"shop":2}']);
});

test('one that is about to lead has all that came in its files, and ships all of them anew', async () => {
  const { folder, take, state } = await member(false);
  for (let i = 0; i < 20; i++) take(`idle/shop-${i}.json`, '{}');
  await state.kept();
  expect(await readdir(join(folder, 'idle'))).toHaveLength(20);
  const leader = await member(true);
  await mkdir(join(leader.folder, 'learnt'));
  await writeFile(join(leader.folder, 'learnt', 'shop.json'), '{}');
  await leader.state.look();
  await leader.state.kept();
  await leader.state.look();
  expect(leader.shipped).toHaveLength(2);
});

test('a leader that is about to end waits until the others have what it has learnt', async () => {
  const { folder, shipped, state, left, clock } = await member(true);
  await mkdir(join(folder, 'learnt'));
  await writeFile(join(folder, 'learnt', 'shop.json'), '{}');
  left.sends = 3;
  let isSent = false;
  const sent = state.sent().then(() => {
    isSent = true;
  });
  await until('it is shipped', () => shipped.length === 1);
  expect(isSent).toBe(false);
  for (let i = 0; i < 5; i++) await clock.advanceAsync(10);
  await sent;
});
