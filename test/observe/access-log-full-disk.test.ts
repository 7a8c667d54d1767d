import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { silentLogger } from '../../src/model/observe.ts';
import { openAccessLog } from '../../src/observe/access-log.ts';
import { VirtualClock } from '../../src/util/virtual-clock.ts';
import { until } from '../support/until.ts';
import { accessRecord } from './access-record.ts';

/** Bytes that the disk still takes. */
const disk = { room: Number.POSITIVE_INFINITY, writes: 0, underWay: 0 };

vi.mock('node:fs', async (importOriginal) => {
  const real = await importOriginal<typeof import('node:fs')>();
  type Done = (error: NodeJS.ErrnoException | null, written: number) => void;
  const write = (descriptor: number, bytes: Buffer, at: number, size: number, place: null, onDone: Done) => {
    disk.writes++;
    disk.underWay++;
    const done: Done = (error, written) => {
      disk.underWay--;
      onDone(error, written);
    };
    const fits = Math.min(size, disk.room);
    if (fits === 0 && size > 0) {
      setImmediate(() => done(Object.assign(new Error('full'), { code: 'ENOSPC' }), 0));
      return;
    }
    disk.room -= fits;
    real.write(descriptor, bytes, at, fits, place, done);
  };
  return { ...real, write };
});

let folder: string;
let file: string;
const clock = new VirtualClock();
const told: { lost?: number; line: string }[] = [];
const logger = {
  ...silentLogger,
  warn: (fields: { lost?: number }, line: string) => {
    told.push({ ...(fields.lost === undefined ? {} : { lost: fields.lost }), line });
  },
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pilotlight-access-'));
  file = join(folder, 'access.log');
  disk.room = Number.POSITIVE_INFINITY;
  told.length = 0;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const text = () => readFile(file, 'utf8');
const LINE = /^\S+ - - \[[^\]]+\] "GET \/\d+ HTTP\/1\.1" 200 0$/;

async function opened() {
  return openAccessLog({ file, format: 'common' }, clock, logger);
}

/** Lets the time of a flush come, and what it writes get to the disk or not. */
async function flushed(): Promise<void> {
  const before = disk.writes;
  clock.advance(1000);
  await until('a write', async () => disk.writes > before && disk.underWay === 0, 5000);
}

/** Writes lines, as far as the disk takes them. */
async function write(log: Awaited<ReturnType<typeof opened>>, ...targets: string[]): Promise<void> {
  for (const target of targets) log.write(accessRecord(target));
  await flushed();
}

test('behind a line that a full disk tore the next ones are whole; it is said that it goes on, and what was lost', async () => {
  const log = await opened();
  await write(log, '/1');
  disk.room = 10;
  await write(log, '/2', '/3', '/4');
  expect(told).toEqual([{ line: `the access log ${file} cannot be written: no space left on device, ENOSPC` }]);
  await write(log, '/5');
  expect(log.lost).toBe(4);
  expect(told).toHaveLength(1);
  disk.room = Number.POSITIVE_INFINITY;
  await write(log, '/6');
  expect(told[1]).toEqual({ lost: 4, line: 'the access log goes on; lines lost: 4' });
  await log.close();
  const lines = (await text()).split('\n');
  expect(lines.filter((line) => LINE.test(line)).map((line) => /GET (\/\d)/.exec(line)?.[1])).toEqual(['/1', '/6']);
  expect(lines.filter((line) => !LINE.test(line))).toEqual([expect.stringMatching(/^.{10}$/), '']);
  expect([log.takeLost(), log.takeLost()]).toEqual([4, 0]);
});

test('a line whose end alone is missing is not lost', async () => {
  const log = await opened();
  await write(log, '/1');
  disk.room = (await text()).length - 1;
  await write(log, '/2');
  disk.room = Number.POSITIVE_INFINITY;
  await write(log, '/3');
  await log.close();
  expect(log.lost).toBe(0);
  expect(
    (await text())
      .split('\n')
      .slice(0, -1)
      .every((line) => LINE.test(line)),
  ).toBe(true);
});

test('a torn line is ended without a next one: others may write to the file too', async () => {
  const log = await opened();
  disk.room = 10;
  await write(log, '/1');
  disk.room = Number.POSITIVE_INFINITY;
  await flushed();
  expect(await text()).toMatch(/^.{10}\n$/);
  expect(told).toHaveLength(2);
  await log.close();
});

test('a file that ends within a line is gone on with on a line of its own', async () => {
  await writeFile(file, '10.0.0.7 - - [23/Nov');
  const log = await opened();
  await write(log, '/1');
  await log.close();
  expect((await text()).split('\n').map((line) => LINE.test(line))).toEqual([false, true, false]);
});

test('a disk that is full again and again costs few lines in the log', async () => {
  const log = await opened();
  for (let i = 0; i < 20; i++) {
    disk.room = 0;
    await write(log, '/1');
    disk.room = Number.POSITIVE_INFINITY;
    await write(log, '/2');
  }
  expect(told.length).toBeLessThan(5);
  clock.advance(61_000);
  expect(told.at(-1)?.line).toBe('the access log goes on; lines lost: 19');
  expect(log.lost).toBe(20);
  await log.close();
  expect(clock.pending).toBe(0);
});
