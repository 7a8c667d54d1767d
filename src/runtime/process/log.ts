import { openSync } from 'node:fs';
import { type FileHandle, open, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { lastLines } from '../output-lines.ts';

/** A log that is longer than this is cut, bytes; the end of it stays in a second file of at most the same size. */
const LIMIT = 1024 * 1024;
/** How much of a log is read for its last lines, bytes. */
const TAIL = 256 * 1024;

/**
 * The output of one replica, over all its starts. The process itself appends to the file, so that it can outlive this
 * program; cutting works while it writes, since appending goes on at the new end.
 */
export class ProcessLog {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** A descriptor to append to; to be closed by the caller. */
  openForAppend(): number {
    return openSync(this.#path, 'a', 0o600);
  }

  /**
   * Keeps the file bounded: does nothing below the limit. What is written meanwhile may be lost.
   * @returns its size, bytes, or that it was cut
   */
  async trim(): Promise<number | 'cut'> {
    const size = await this.size();
    if (size <= LIMIT) return size;
    await writeFile(`${this.#path}.1`, await readEnd(this.#path, LIMIT), { mode: 0o600 });
    await truncate(this.#path);
    return 'cut';
  }

  /** In bytes; 0 where there is none. */
  size(): Promise<number> {
    return sizeOf(this.#path);
  }

  /**
   * The last `count` lines, oldest first.
   * @param from bytes of the file to leave out; `cut`: none, and what was cut off is read too
   */
  async lastLines(count: number, from: number | 'cut'): Promise<string[]> {
    if (from !== 'cut') return lastLines(await readEnd(this.#path, TAIL, from), count);
    const recent = await readEnd(this.#path, TAIL);
    return lastLines(Buffer.concat([await readEnd(`${this.#path}.1`, TAIL), recent]), count);
  }

  async remove(): Promise<void> {
    await Promise.all([rm(this.#path, { force: true }), rm(`${this.#path}.1`, { force: true })]);
  }
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

/** The last `length` bytes of a file, none of the first `from`; empty where there is no such file. */
async function readEnd(path: string, length: number, from = 0): Promise<Buffer> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch {
    return Buffer.alloc(0);
  }
  try {
    const { size } = await file.stat();
    const buffer = Buffer.alloc(Math.max(0, Math.min(size - from, length)));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, size - buffer.length);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
