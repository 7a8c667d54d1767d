import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Of Node's pool, in which it computes hashes. */
const THREADS = Number(process.env['UV_THREADPOOL_SIZE'] ?? 4);

/** Keeps all threads of Node's pool occupied, so that what is computed there from now on waits. @returns lets them go */
export function occupyThreadPool(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'pilotlight-pool-'));
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  // To open a pipe for reading takes until somebody opens it for writing.
  const readers = Array.from({ length: THREADS }, () => open(pipe, 'r'));
  let isOccupied = true;
  const letGo = (): void => {
    if (!isOccupied) return;
    isOccupied = false;
    const writer = openSync(pipe, 'r+');
    void Promise.all(readers).then(async (files) => {
      closeSync(writer);
      await Promise.all(files.map((file) => file.close()));
      rmSync(folder, { recursive: true });
    });
  };
  onTestFinished(letGo);
  return letGo;
}
