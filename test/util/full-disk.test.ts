import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ProcessRecords } from '../../src/runtime/process/record.ts';
import { fileStore, RotatingLines } from '../../src/util/rotating-lines.ts';
import { openStateDirectory } from '../../src/util/state-directory.ts';
import { VirtualClock } from '../../src/util/virtual-clock.ts';
import { until } from '../support/until.ts';

/** A file system of 64 KiB. */
let disk: string;
let state: string;

beforeEach(async () => {
  disk = await mkdtemp(join(tmpdir(), 'pilotlight-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]);
  state = join(disk, 'state');
});

afterEach(async () => {
  execFileSync('umount', [disk]);
  await rmdir(disk);
});

async function fill(): Promise<void> {
  await writeFile(join(disk, 'filling'), Buffer.alloc(128 * 1024)).catch(() => undefined);
}

async function empty(): Promise<void> {
  await rm(join(disk, 'filling'));
}

test('a state directory on a full disk is refused for that, and nothing of it is left', async () => {
  await (await openStateDirectory(state)).release();
  await rm(join(state, 'instance'));
  await rm(join(state, 'secret'));
  await fill();
  await expect(openStateDirectory(state)).rejects.toMatchObject({
    code: 'STATE_UNUSABLE',
    message: expect.stringMatching(
      /^the state directory .* cannot be used \(no space left on device, ENOSPC.*: make room/,
    ),
  });
  expect(await readdir(state)).toEqual([]);
  await empty();
  await (await openStateDirectory(state)).release();
});

test('who this Pilotlight is stays when the disk is full', async () => {
  const before = await openStateDirectory(state);
  await before.release();
  await fill();
  await openStateDirectory(state).catch(() => undefined);
  await empty();
  const after = await openStateDirectory(state);
  expect([after.instance, after.secret]).toEqual([before.instance, before.secret]);
  await after.release();
});

test('a lock that cannot be handed over stays where it is', async () => {
  const own = await openStateDirectory(state);
  const lock = await readFile(join(state, 'lock'), 'utf8');
  await fill();
  await expect(own.handTo(process.pid)).rejects.toMatchObject({
    message: expect.stringContaining('no space left on device, ENOSPC'),
  });
  expect(await readFile(join(state, 'lock'), 'utf8')).toBe(lock);
  expect((await readdir(state)).sort()).toEqual(['instance', 'lock', 'secret']);
  await own.release();
});

test('the record of a process is written whole or not at all', async () => {
  const records = new ProcessRecords(join(disk, 'processes'));
  records.open();
  const record = { instance: 'i', service: 's', ordinal: 1, hash: 'h', pid: 1, start: 't', startedAt: 1, port: 1 };
  records.write(record);
  await fill();
  expect(() => records.write({ ...record, pid: 2 })).toThrow('ENOSPC');
  expect(records.all()).toEqual([record]);
  expect(await readdir(records.folder)).toEqual(['s-1.json']);
});

test('a journal waits for room, keeps what it had, and has everything afterwards', async () => {
  const clock = new VirtualClock();
  const faults: string[] = [];
  const path = join(disk, 'journal', 'lines');
  const store = fileStore(path, `${path}.1`);
  const lines = new RotatingLines(
    { store, maxBytes: 1e6, clock, onTrouble: (fault) => void faults.push(fault) },
    false,
  );
  const written = () => readFile(path, 'utf8').catch(() => '');
  lines.append('before');
  clock.advance(1000);
  await until('the first is written', async () => (await written()) === 'before\n');
  await fill();
  for (let index = 0; index < 10; index++) lines.append(`${index}`.padEnd(2000, 'x'));
  for (let times = 0; times < 3; times++) {
    clock.advance(1000);
    await until('it waits to try again', () => Number.isFinite(clock.nextAt));
  }
  expect(await readFile(path, 'utf8')).toBe('before\n');
  expect(faults).toEqual(['no space left on device, ENOSPC']);
  await empty();
  clock.advance(1000);
  await until('the last is written', async () => /^9x+\n$/m.test(await written()));
  const kept = (await written()).split('\n').filter((line) => line !== '');
  expect(kept.map((line) => line.slice(0, 2))).toEqual([
    'be',
    ...Array.from({ length: 10 }, (_, index) => `${index}x`),
  ]);
});
