import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { TokenFile } from '../../../src/discovery/consul/token-file.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { until } from '../../support/until.ts';
import { LogKeeper } from './harness.ts';

async function place() {
  const folder = await mkdtemp(join(tmpdir(), 'pilotlight-token-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'token');
  const clock = new VirtualClock();
  const log = new LogKeeper();
  const open = () => {
    const file = new TokenFile({ path, clock, logger: log });
    onTestFinished(() => file.close());
    return file;
  };
  /** Looks again and again until it holds. */
  const later = (what: string, holds: () => boolean) =>
    until(what, () => {
      clock.advance(2000);
      return holds();
    });
  return { path, clock, log, open, later };
}

test('a rotated token is read again, whether the file is written or replaced', async () => {
  const { path, log, open, later } = await place();
  await writeFile(path, 'first\n');
  const file = open();
  let changes = 0;
  file.follow(() => changes++);
  expect(file.token).toBe('first');
  await writeFile(path, 'second');
  await later('the second', () => file.token === 'second');
  await writeFile(`${path}.new`, 'third');
  await rename(`${path}.new`, path);
  await later('the third', () => file.token === 'third');
  expect(changes).toBe(2);
  expect(log.all.join()).not.toMatch(/first|second|third/);
});

test('a file that is empty, unfit or gone is told of once, and the token before it stays', async () => {
  const { path, log, open, later } = await place();
  await writeFile(path, 'good');
  const file = open();
  await writeFile(path, '');
  await later('the complaint', () => log.lines.length === 1);
  await writeFile(path, 'two words');
  await later('the next one', () => log.lines.length === 2);
  await rm(path);
  await later('the last one', () => log.lines.length === 3);
  expect(file.token).toBe('good');
  const where = `warn the token for Consul in ${path} is not used`;
  const stays = '; the one before it stays in use';
  expect(log.lines).toEqual([
    `${where}: the file is empty${stays}`,
    `${where}: expected printable ASCII without blanks${stays}`,
    `${where}: it cannot be read (ENOENT)${stays}`,
  ]);
});

test('a file that is there later is read then', async () => {
  const { path, clock, log, open, later } = await place();
  const file = open();
  expect(file.token).toBeUndefined();
  expect(log.lines).toEqual([`warn the token for Consul in ${path} is not used: it cannot be read (ENOENT)`]);
  await writeFile(path, 'late');
  await later('the token', () => file.token === 'late');
  file.close();
  clock.advance(10_000);
  expect(clock.pending).toBe(0);
});
