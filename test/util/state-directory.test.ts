import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { holderOf, openStateDirectory } from '../../src/util/state-directory.ts';
import { until } from '../support/until.ts';

let parent: string;
let path: string;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'pilotlight-state-'));
  path = join(parent, 'deep', 'state');
});

afterEach(() => rm(parent, { recursive: true, force: true }));

test('a missing directory is created for this user alone', async () => {
  const state = await openStateDirectory(path);
  expect((await stat(path)).mode & 0o777).toBe(0o700);
  await state.release();
});

test('a place where no directory can be made is said to be of no use', async () => {
  await expect(openStateDirectory('/proc/pilotlight/state')).rejects.toMatchObject({ code: 'STATE_UNUSABLE' });
});

test('the instance is eight hexadecimal digits and stays', async () => {
  const first = await openStateDirectory(path);
  expect(first.instance).toMatch(/^[0-9a-f]{8}$/);
  await first.release();
  const second = await openStateDirectory(path);
  expect(second.instance).toBe(first.instance);
  await second.release();
});

test('a secret is made up once, for this user alone', async () => {
  const first = await openStateDirectory(path);
  expect(first.secret).toMatch(/^[0-9a-f]{64}$/);
  expect((await stat(join(path, 'secret'))).mode & 0o777).toBe(0o600);
  await first.release();
  const second = await openStateDirectory(path);
  expect(second.secret).toBe(first.secret);
  await second.release();
  const other = await openStateDirectory(join(parent, 'other'));
  expect(other.secret).not.toBe(first.secret);
  await other.release();
});

test('a damaged instance is replaced', async () => {
  await (await openStateDirectory(path)).release();
  await writeFile(join(path, 'instance'), '../../etc');
  const state = await openStateDirectory(path);
  expect(state.instance).toMatch(/^[0-9a-f]{8}$/);
  await state.release();
});

describe('the lock', () => {
  test('a second holder is refused with the process that has it, until it is released', async () => {
    const first = await openStateDirectory(path);
    await expect(openStateDirectory(path)).rejects.toMatchObject({
      code: 'STATE_LOCKED',
      message: `the state directory ${path} is in use by another Pilotlight (process ${process.pid})`,
    });
    await first.release();
    await (await openStateDirectory(path)).release();
  });

  test('of ten that try at once exactly one gets it, also when a stale one lies there', async () => {
    await (await openStateDirectory(path)).release();
    await writeFile(join(path, 'lock'), JSON.stringify({ pid: 999_999_999, startTime: null }));
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => openStateDirectory(path)));
    const winners = results.filter((result) => result.status === 'fulfilled');
    expect(winners).toHaveLength(1);
    await winners[0]?.value.release();
    expect((await readdir(path)).toSorted()).toEqual(['instance', 'secret']);
  });

  test('is taken over although the one that took it over before died on the way', async () => {
    await (await openStateDirectory(path)).release();
    const gone = JSON.stringify({ pid: 999_999_999, startTime: null });
    await writeFile(join(path, 'lock'), gone);
    await writeFile(join(path, 'lock.takeover'), gone);
    await (await openStateDirectory(path)).release();
    expect((await readdir(path)).toSorted()).toEqual(['instance', 'secret']);
  });

  test('of a zombie, which its parent does not reap, is taken over', async () => {
    // The shell becomes a program that never waits for the child it had.
    const parentOfZombie = spawn('sh', ['-c', 'sleep 0.05 & echo $!; exec sleep 30'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    onTestFinished(() => void parentOfZombie.kill('SIGKILL'));
    const [line] = await once(parentOfZombie.stdout, 'data');
    const pid = Number(String(line));
    await until('it is a zombie', async () => (await readFile(`/proc/${pid}/stat`, 'latin1')).includes(') Z '));
    await (await openStateDirectory(path)).release();
    await writeFile(join(path, 'lock'), JSON.stringify({ pid, startTime: null }));
    await (await openStateDirectory(path)).release();
  });

  test('of a process that is gone is taken over', async () => {
    const child = spawn('true');
    await once(child, 'exit');
    await (await openStateDirectory(path)).release();
    await writeFile(join(path, 'lock'), JSON.stringify({ pid: child.pid, startTime: 'boot/1' }));
    await (await openStateDirectory(path)).release();
  });

  test('of a process whose pid another one has now is taken over', async () => {
    await (await openStateDirectory(path)).release();
    await writeFile(join(path, 'lock'), JSON.stringify({ pid: process.pid, startTime: 'another-boot/1' }));
    await (await openStateDirectory(path)).release();
  });

  test.each(['', 'no json', '{"pid":-1}', '[]', 'null'])('that says "%s" is taken over', async (content) => {
    await (await openStateDirectory(path)).release();
    await writeFile(join(path, 'lock'), content);
    await (await openStateDirectory(path)).release();
  });

  test('taken over by another is not removed by the release of its first holder', async () => {
    const first = await openStateDirectory(path);
    await writeFile(join(path, 'lock'), 'of another');
    await first.release();
    expect(await readFile(join(path, 'lock'), 'utf8')).toBe('of another');
  });
});

test('a path that is no directory is one line with a code', async () => {
  await writeFile(join(parent, 'file'), '');
  await expect(openStateDirectory(join(parent, 'file'))).rejects.toMatchObject({
    code: 'STATE_UNUSABLE',
    message: expect.stringMatching(/^the state directory .*file cannot be used \(E[A-Z]+\): set "state"/),
  });
});

test('a lock that was given to another process is that process’s, and comes back when it ends', async () => {
  const state = await openStateDirectory(path);
  const other = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'], { stdio: 'ignore' });
  await state.handTo(other.pid ?? 0);
  expect(await holderOf(path)).toBe(other.pid);
  await state.release();
  await expect(openStateDirectory(path)).rejects.toMatchObject({ code: 'STATE_LOCKED' });
  const gone = once(other, 'exit');
  other.kill('SIGKILL');
  await gone;
  expect(await holderOf(path)).toBeUndefined();
  const again = await openStateDirectory(path);
  expect([again.instance, again.secret]).toEqual([state.instance, state.secret]);
  await again.release();
});

test('a lock that was given to us is ours', async () => {
  const state = await openStateDirectory(path);
  await state.handTo(process.pid);
  const taken = await openStateDirectory(path);
  expect(await holderOf(path)).toBe(process.pid);
  await taken.release();
  expect(await holderOf(path)).toBeUndefined();
});
