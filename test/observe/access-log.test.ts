import { mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '../../src/model/observe.ts';
import { openAccessLog } from '../../src/observe/access-log.ts';
import { systemClock } from '../../src/util/clock.ts';
import { until } from '../support/until.ts';
import { accessRecord as record } from './access-record.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pilotlight-access-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const lines = async (file: string): Promise<string[]> => (await readFile(file, 'utf8')).split('\n').slice(0, -1);

test('every line gets to the file, in order, the last ones at the close', async () => {
  const file = join(folder, 'access.log');
  const log = await openAccessLog({ file, format: 'common' }, systemClock, silentLogger);
  for (let i = 0; i < 5000; i++) log.write(record(`/${i}`));
  await log.close();
  const written = await lines(file);
  expect(written.length).toBe(5000);
  expect(written.every((line, i) => line.includes(`"GET /${i} HTTP/1.1"`))).toBe(true);
  expect(log.lost).toBe(0);
});

test('lines are written within moments, without a close', async () => {
  const file = join(folder, 'access.log');
  const log = await openAccessLog({ file, format: 'json' }, systemClock, silentLogger);
  log.write(record('/soon'));
  await until('the line is there', async () => (await lines(file)).length === 1, 5000);
  await log.close();
});

test('after a rotation it goes on in a new file of the same name', async () => {
  const file = join(folder, 'access.log');
  const log = await openAccessLog({ file, format: 'common' }, systemClock, silentLogger);
  log.write(record('/before'));
  await until('the line is there', async () => (await lines(file)).length === 1, 5000);
  await rename(file, `${file}.1`);
  await log.reopen();
  log.write(record('/after'));
  await log.close();
  expect((await lines(`${file}.1`))[0]).toContain('/before');
  expect((await lines(file))[0]).toContain('/after');
});

test('a disk that does not keep up costs lines, not memory, and is told of once', async () => {
  const told: string[] = [];
  const logger = { ...silentLogger, warn: (_fields: object, line: string) => told.push(line) };
  const log = await openAccessLog({ file: join(folder, 'access.log'), format: 'common' }, systemClock, logger);
  const long = record(`/${'x'.repeat(8000)}`);
  // Nothing is written before this turn ends: as with a disk that hangs.
  for (let i = 0; i < 2000; i++) log.write(long);
  expect(log.lost).toBeGreaterThan(1000);
  expect(told).toEqual(['the access log does not keep up: lines are dropped']);
  await log.close();
});

test('a file that cannot be opened is a clear error', async () => {
  const file = join(folder, 'missing', 'access.log');
  await expect(openAccessLog({ file, format: 'json' }, systemClock, silentLogger)).rejects.toMatchObject({
    code: 'STATE_UNUSABLE',
    message: `cannot open the access log ${file}: ENOENT`,
  });
});
