import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder and a mark of one scenario's own. */
export interface Workspace {
  /** Of all scenarios of this test process. */
  run: string;
  /** Carried by every process and container of the scenario: `RUN.SERIAL`. */
  mark: string;
  folder: string;
  /** Of the engine in which its containers run. */
  dockerSocket: string;
}

let shared: { run: string; folder: string } | undefined;
let serial = 0;

/** Makes a workspace. What it holds does not outlive this process, even if nobody clears it away. */
export async function makeWorkspace(dockerSocket: string): Promise<Workspace> {
  shared ??= startGuard(dockerSocket);
  serial++;
  const { run } = shared;
  const [mark, folder] = [`${run}.${serial}`, join(shared.folder, String(serial))];
  await mkdir(folder);
  return { run, mark, folder, dockerSocket };
}

function startGuard(dockerSocket: string): { run: string; folder: string } {
  const run = `${process.pid}-${Date.now()}`;
  const folder = mkdtempSync(join(tmpdir(), 'pilotlight-scenario-'));
  const args = [join(import.meta.dirname, 'scenario-guard.ts'), run, folder, dockerSocket];
  const guard = spawn(process.execPath, args, { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  guard.stdin.on('error', () => undefined);
  // Neither the guard nor the pipe to it shall keep this process alive.
  guard.unref();
  (guard.stdin as Socket).unref();
  return { run, folder };
}
