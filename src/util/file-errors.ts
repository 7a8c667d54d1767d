import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { NO_DESCRIPTOR } from './descriptors.ts';

/** What the system says of a file, in words. */
const WORDS: Record<string, string> = {
  ENOSPC: 'no space left on device',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file is too large',
  EROFS: 'the file system is read-only',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EIO: 'the device failed',
  ...NO_DESCRIPTOR,
};

/** What the system's code for a failure with a file says: in words, where there are some, and as it is. */
export function faultWords(code: string | undefined): string {
  if (code === undefined) return 'unknown reason';
  const words = WORDS[code];
  return words === undefined ? code : `${words}, ${code}`;
}

/** Why a file cannot be read or written, with its name where the system says it. */
export function fileFault(error: unknown): string {
  const { code, path } = (error ?? {}) as NodeJS.ErrnoException;
  return path === undefined ? faultWords(code) : `${faultWords(code)}: ${path}`;
}

const MODE = { mode: 0o600 };

/** Writes a file of this user's whole or not at all, whatever fails, and leaves no part of it. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const draft = draftOf(path);
  try {
    await writeFile(draft, text, MODE);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw named(error, path);
  }
}

/** As `writeWhole`, while nothing else runs. */
export function writeWholeSync(path: string, text: string): void {
  const draft = draftOf(path);
  try {
    writeFileSync(draft, text, MODE);
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw named(error, path);
  }
}

function draftOf(path: string): string {
  return `${path}.new`;
}

/** Writing to a file that is open fails without its name. */
function named(error: unknown, path: string): unknown {
  return error instanceof Error ? Object.assign(error, { path }) : error;
}
