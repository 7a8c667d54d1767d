import { appendFileSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { readSettled } from '../../../src/config/read/read-settled.ts';

/** Called when a file was read, before it is looked whether it is the same as before. */
let whenRead = (): void => undefined;

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const open: typeof real.open = async (...args) => {
    const handle = await real.open(...args);
    const read = handle.readFile.bind(handle);
    const readFile = async () => {
      const bytes = await read();
      whenRead();
      return bytes;
    };
    return Object.assign(handle, { readFile });
  };
  return { ...real, open };
});

async function file(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pilotlight-read-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return join(folder, 'a.yaml');
}

test('a file that is being written in place is read whole', async () => {
  const path = await file();
  writeFileSync(path, 'services:\n  a: {}\n');
  whenRead = () => {
    whenRead = () => undefined;
    appendFileSync(path, '  b: {}\n');
  };
  expect((await readSettled(path)).bytes.toString()).toBe('services:\n  a: {}\n  b: {}\n');
});

test('tells when the content was changed last', async () => {
  const path = await file();
  writeFileSync(path, 'x');
  const changed = new Date('2026-05-01T10:00:00.000Z');
  utimesSync(path, changed, changed);
  expect(await readSettled(path)).toEqual({ bytes: Buffer.from('x'), modified: '2026-05-01T10:00:00.000Z' });
});

test('a file that never stands still, or is from the future, is taken as it is', async () => {
  const path = await file();
  writeFileSync(path, 'x');
  const future = new Date(Date.now() + 3_600_000);
  utimesSync(path, future, future);
  expect((await readSettled(path)).bytes.toString()).toBe('x');
  expect((await readSettled('/proc/self/status')).bytes.toString()).toContain('Name:');
});

test('what cannot be read is told as the system tells it', async () => {
  await expect(readSettled('/nonexistent/a.yaml')).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(readSettled(tmpdir())).rejects.toMatchObject({ code: 'EISDIR' });
});
