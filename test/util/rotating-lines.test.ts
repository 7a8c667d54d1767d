import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { fileStore, type LineStore, RotatingLines } from '../../src/util/rotating-lines.ts';
import { VirtualClock } from '../../src/util/virtual-clock.ts';

/** A store in memory that can be full, or slow. */
class FakeStore implements LineStore {
  text = '';
  aside = '';
  /** Writes that go through in part, then fail. */
  isFull = false;
  /** Awaited by every write. */
  pause: Promise<void> = Promise.resolve();
  writes = 0;

  async size(): Promise<number> {
    return this.text.length;
  }

  async append(text: string): Promise<void> {
    this.writes++;
    await this.pause;
    if (this.isFull) {
      this.text += text.slice(0, 3);
      throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    }
    this.text += text;
  }

  async cut(bytes: number): Promise<void> {
    this.text = this.text.slice(0, bytes);
  }

  async rotate(): Promise<void> {
    this.aside = this.text;
    this.text = '';
  }
}

function writer(maxBytes = 1000, torn = false) {
  const clock = new VirtualClock();
  const store = new FakeStore();
  const troubles: [string, number][] = [];
  const onTrouble = (fault: string, lost: number) => void troubles.push([fault, lost]);
  const lines = new RotatingLines({ store, maxBytes, clock, onTrouble }, torn);
  return { clock, store, troubles, lines };
}

test('lines are written by the batch, and nobody waits for it', async () => {
  const { clock, store, lines } = writer();
  for (const line of ['a', 'b', 'c']) lines.append(line);
  expect(store.writes).toBe(0);
  await clock.advanceAsync(200);
  expect(store).toMatchObject({ text: 'a\nb\nc\n', writes: 1 });
});

test('a full file is put aside, in the place of the one before', async () => {
  const { clock, store, lines } = writer(10);
  for (const line of ['aaaa', 'bbbb', 'cccc', 'dddd', 'eeee']) {
    lines.append(line);
    await clock.advanceAsync(200);
  }
  expect(store).toMatchObject({ aside: 'cccc\ndddd\n', text: 'eeee\n' });
});

test('a last line without an end is ended first', async () => {
  const { clock, store, lines } = writer(1000, true);
  store.text = '{"half';
  lines.append('whole');
  lines.append('next');
  await clock.advanceAsync(200);
  expect(store.text).toBe('{"half\nwhole\nnext\n');
});

test('a full disk: what was torn is cut, lines wait, and come when there is room', async () => {
  const { clock, store, troubles, lines } = writer();
  store.text = 'before\n';
  store.isFull = true;
  lines.append('first');
  await clock.advanceAsync(3000);
  lines.append('second');
  await clock.advanceAsync(3000);
  expect(store.text).toBe('before\n');
  expect(store.writes).toBeGreaterThan(3);
  expect(troubles).toEqual([['no space left on device, ENOSPC', 0]]);
  store.isFull = false;
  await clock.advanceAsync(2000);
  expect(store.text.split('\n').filter((line) => line !== '')).toEqual(['before', 'first', 'second']);
});

test('a full disk is told once a minute, with the lines that were lost since', async () => {
  const { clock, store, troubles, lines } = writer();
  store.isFull = true;
  const line = 'x'.repeat(10_000);
  for (let second = 0; second < 150; second++) {
    lines.append(line);
    lines.append(line);
    await clock.advanceAsync(1000);
  }
  expect(troubles.map(([, lost]) => lost)).toEqual([0, expect.any(Number), expect.any(Number)]);
  expect(troubles.slice(1).every(([, lost]) => lost > 0)).toBe(true);
});

test('a slow disk: one write at a time, memory is bounded, the newest lines are kept', async () => {
  const { clock, store, troubles, lines } = writer(10_000_000);
  let go = () => {};
  store.pause = new Promise((resolve) => {
    go = resolve;
  });
  lines.append('first');
  await clock.advanceAsync(200);
  for (let index = 0; index < 3000; index++) lines.append(`${index} ${'x'.repeat(1000)}`);
  await clock.advanceAsync(10_000);
  expect(store.writes).toBe(1);
  expect(troubles).toHaveLength(1);
  go();
  await lines.release();
  const written = store.text.split('\n');
  expect(written[0]).toBe('first');
  expect(written.at(-2)).toMatch(/^2999 /);
  expect(store.text.length).toBeLessThan(1_100_000);
});

test('released, it writes what waits and nothing more; resumed, it goes on behind', async () => {
  const { clock, store, lines } = writer();
  lines.append('mine');
  await lines.release();
  expect(store.text).toBe('mine\n');
  lines.append('dropped');
  await clock.advanceAsync(1000);
  store.text += 'of another\n';
  lines.resume();
  lines.append('mine again');
  await clock.advanceAsync(1000);
  expect(store.text.split('\n').filter((line) => line !== '')).toEqual(['mine', 'of another', 'mine again']);
});

test('a disk that hangs keeps the release a second, no longer', async () => {
  const { clock, store, lines } = writer();
  store.pause = new Promise(() => {});
  lines.append('stuck');
  await clock.advanceAsync(200);
  let released = false;
  void lines.release().then(() => {
    released = true;
  });
  await clock.advanceAsync(900);
  expect(released).toBe(false);
  await clock.advanceAsync(200);
  expect(released).toBe(true);
});

test('files are of this user alone, and made with their directory, also when somebody removes it', async () => {
  const root = await mkdtemp(join(tmpdir(), 'pilotlight-lines-'));
  onTestFinished(() => rm(root, { recursive: true }));
  const path = join(root, 'journal', 'lines');
  const store = fileStore(path, `${path}.1`);
  expect(await store.size()).toBe(0);
  await store.append('one\n');
  await rm(join(root, 'journal'), { recursive: true });
  await store.append('two\n');
  await store.append('three');
  await store.cut(4);
  expect(await readFile(path, 'utf8')).toBe('two\n');
  await store.rotate();
  expect(await store.size()).toBe(0);
  expect(await readFile(`${path}.1`, 'utf8')).toBe('two\n');
});
