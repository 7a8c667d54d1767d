import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { noEvidence } from '../../../src/control/scale/evidence.ts';
import { notFrozen } from '../../../src/control/scale/frozen.ts';
import type { Learnt } from '../../../src/control/scale/learnt.ts';
import { LearntFiles, scalingForm } from '../../../src/control/scale/learnt-store.ts';
import type { Logger } from '../../../src/model/observe.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { until } from '../../support/until.ts';

let parent: string;
let directory: string;
let clock: VirtualClock;
let said: string[];

const logger: Logger = {
  debug() {},
  info: (_, line) => said.push(line),
  warn: (_, line) => said.push(line),
  error: (_, line) => said.push(line),
};

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'pilotlight-learnt-'));
  directory = join(parent, 'learnt');
  clock = new VirtualClock();
  said = [];
});
afterEach(() => rm(parent, { recursive: true }));

const open = (...services: string[]) => new LearntFiles(directory, services, clock, logger, scalingForm);
const file = (service: string) => join(directory, `${service}.json`);
const learnt = (perSecond: number): Learnt => ({
  run: 'a',
  evidence: { ...noEvidence, capacity: { perSecond, answers: 100, at: clock.now() }, helps: true },
  frozen: notFrozen,
  auto: undefined,
});
const capacityIn = async (service: string) => JSON.parse(await readFile(file(service), 'utf8')).capacity[0];

test('what was put is there for the next process, once and for this user alone', async () => {
  const first = open('shop', 'blog');
  expect(first.has('shop')).toBe(false);
  expect(first.take('shop')).toBeUndefined();
  first.put('shop', learnt(50));
  await first.release();
  expect((await stat(file('shop'))).mode & 0o777).toBe(0o600);
  const second = open('shop', 'blog');
  expect([second.has('shop'), second.has('blog')]).toEqual([true, false]);
  expect(second.take('shop')).toEqual(learnt(50));
  expect(second.has('shop')).toBe(false);
  expect(second.take('shop')).toBeUndefined();
  await second.release();
  expect(said).toEqual([]);
});

test('what was kept of services that the configuration has no more is removed, unless not all are known yet', async () => {
  const first = open('shop', 'blog');
  first.put('shop', learnt(50));
  first.put('blog', learnt(60));
  await first.release();
  const second = new LearntFiles(directory, undefined, clock, logger, scalingForm);
  expect([second.has('shop'), second.has('blog')]).toEqual([true, true]);
  await second.release();
  const third = open('shop');
  expect([third.has('shop'), third.has('blog')]).toEqual([true, false]);
  await third.release();
  expect(await readdir(directory)).toEqual(['shop.json']);
});

test('files are written once a minute, with the last of what was put', async () => {
  const store = open('shop');
  for (let second = 1; second < 60; second++) {
    clock.advance(1000);
    store.put('shop', learnt(second));
  }
  expect(await readdir(parent)).toEqual([]);
  clock.advance(1000);
  await until('the file', () =>
    readdir(directory).then(
      (names) => names.includes('shop.json'),
      () => false,
    ),
  );
  expect(await capacityIn('shop')).toBe(59);
  await store.release();
});

test('the end of a process writes what waits, and nothing of it is written later', async () => {
  const store = open('shop');
  store.put('shop', learnt(1));
  await store.release();
  expect(await capacityIn('shop')).toBe(1);
  // The next one has it now.
  store.put('shop', learnt(2));
  store.drop('shop');
  clock.advance(120_000);
  await store.release();
  expect(await capacityIn('shop')).toBe(1);
  // … and came to nothing.
  store.resume();
  store.put('shop', learnt(3));
  await store.release();
  expect(await capacityIn('shop')).toBe(3);
});

test('what was kept of services that left is removed, and what a process left half written', async () => {
  const first = open('shop', 'blog', 'wiki');
  for (const service of ['shop', 'blog', 'wiki']) first.put(service, learnt(1));
  await first.release();
  await writeFile(`${file('gone')}.new`, '{"ver');
  const second = open('shop', 'wiki');
  expect(second.has('blog')).toBe(false);
  second.drop('wiki');
  expect(second.has('wiki')).toBe(false);
  await second.release();
  expect(await readdir(directory)).toEqual(['shop.json']);
});

test.each([
  ['broken', '{"version":1,', 'it is no JSON'],
  ['of another version', '{"version":9}', 'it is of version 9, not 2'],
  ['huge', ' '.repeat(600 * 1024), 'it is too large'],
])('a file that is %s is said and not used, and the others are', async (_what, text, why) => {
  const first = open('shop', 'blog');
  first.put('blog', learnt(7));
  await first.release();
  await writeFile(file('shop'), text);
  const second = open('shop', 'blog');
  expect(second.take('shop')).toBeUndefined();
  expect(second.take('blog')).toEqual(learnt(7));
  expect(said).toEqual([`what was learnt of shop before is not used: ${why}`]);
  second.put('shop', learnt(8));
  await second.release();
  expect(await capacityIn('shop')).toBe(8);
});

test('a file that cannot be read is said', async () => {
  await mkdir(directory);
  await mkdir(file('shop'));
  await symlink('/nowhere', file('blog'));
  const store = open('shop', 'blog');
  expect([store.take('shop'), store.take('blog')]).toEqual([undefined, undefined]);
  expect(said).toEqual([
    expect.stringMatching(/^what was learnt of shop before is not used: it cannot be read \(EISDIR/),
    expect.stringMatching(/^what was learnt of blog before is not used: it cannot be read \(ENOENT/),
  ]);
  await store.release();
});

test('a directory that cannot be written is said once, until it can be', async () => {
  await writeFile(directory, 'no directory');
  const store = open('shop');
  expect(said).toEqual([expect.stringMatching(/^what scaling has learnt before cannot be read: ENOTDIR/)]);
  said.length = 0;
  for (let i = 0; i < 3; i++) {
    store.put('shop', learnt(i));
    await store.release();
    store.resume();
  }
  expect(said).toEqual([expect.stringMatching(/^what scaling has learnt cannot be kept over a restart: ENOTDIR/)]);
  await rm(directory);
  store.put('shop', learnt(5));
  await store.release();
  expect(await capacityIn('shop')).toBe(5);
  expect(said).toHaveLength(1);
});

test('many services are kept', async () => {
  const names = Array.from({ length: 500 }, (_, i) => `service-${i}`);
  const first = open(...names);
  for (const [i, name] of names.entries()) first.put(name, learnt(i));
  await first.release();
  expect(await readdir(directory)).toHaveLength(500);
  const second = open(...names);
  expect(second.take('service-499')).toEqual(learnt(499));
  await second.release();
});
