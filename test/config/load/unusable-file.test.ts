import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { formatProblem } from '../../../src/config/check/problem.ts';
import { loadConfig } from '../../../src/config/load/load.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pilotlight-config-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function lines(file: string): Promise<string[]> {
  const result = await loadConfig(file, {});
  return result.ok ? [] : result.problems.map(formatProblem);
}

/** Root may read everything: it does without its rights for a moment. */
async function asNobody<T>(task: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return task();
  process.seteuid?.(65_534);
  try {
    return await task();
  } finally {
    process.seteuid?.(0);
  }
}

test('a file that is not there', async () => {
  const file = join(folder, 'absent.yaml');
  expect(await lines(file)).toEqual([`${file}: no such file`]);
  expect(await lines(join(folder, 'absent', 'a.yaml'))).toEqual([`${join(folder, 'absent', 'a.yaml')}: no such file`]);
});

test('a directory', async () => {
  expect(await lines(folder)).toEqual([`${folder}: this is a directory, not a file`]);
});

test('a file that may not be read', async () => {
  const file = join(folder, 'secret.yaml');
  await writeFile(file, '');
  await chmod(file, 0);
  expect(await asNobody(() => lines(file))).toEqual([`${file}: may not be read (permission denied)`]);
});

test('bytes that are no text', async () => {
  const file = join(folder, 'binary.yaml');
  await writeFile(file, Buffer.from([0x6c, 0xff, 0xfe]));
  expect(await lines(file)).toEqual([`${file}: this is not UTF-8 text`]);
});

test('a byte order mark and Windows line ends do not shift places', async () => {
  const file = join(folder, 'windows.yaml');
  await writeFile(file, '\ufefflisten: [{ address: a }]\r\nservices: {}\r\nextra: 1\r\n');
  expect((await lines(file)).map((line) => line.slice(file.length + 1).split('  ')[0])).toEqual(['1:21', '3:1']);
});
