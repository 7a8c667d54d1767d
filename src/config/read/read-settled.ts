import { open } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

/** A file that was changed less than this ago may be about to change again, ms. */
const STILL_MS = 10;
/** Most times that a file is read: one that never stands still is taken as it is. */
const TRIES = 10;

/**
 * Reads a file whole: one that is written in place at that moment is read again, since the first half of a configuration
 * may be a valid one.
 * @returns the bytes, and when they were changed last, ISO 8601
 * @throws what `fs` throws
 */
export async function readSettled(file: string): Promise<{ bytes: Buffer; modified: string }> {
  for (let tries = 1; ; tries++) {
    const handle = await open(file);
    try {
      const before = await handle.stat();
      const bytes = await handle.readFile();
      const after = await handle.stat();
      const isSame = before.mtimeMs === after.mtimeMs && before.size === after.size;
      const age = Date.now() - after.mtimeMs;
      // A time in the future is that of another machine's clock, and says nothing.
      const isStill = isSame && (age < 0 || age >= STILL_MS);
      if (isStill || !after.isFile() || tries === TRIES) return { bytes, modified: after.mtime.toISOString() };
    } finally {
      await handle.close();
    }
    await pause(STILL_MS);
  }
}
