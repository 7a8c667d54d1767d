import { readdirSync, readlinkSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { markedProcesses } from '../../test/support/marked-processes.ts';
import type { RunningProxy } from '../../test/support/proxy.ts';
import { until } from '../../test/support/until.ts';
import { workersOf } from '../../test/support/workers.ts';
import type { Workspace } from '../../test/support/workspace.ts';

/** What the processes of a proxy hold, all added up. */
export interface Holdings {
  /** Everything that runs, replicas too, of which there are none when all is quiet. */
  processes: number;
  residentMiB: number;
  /** JavaScript heap and the buffers outside of it, after a garbage collection. */
  heapMiB: number;
  sockets: number;
  timers: number;
}

/** The environment with which a proxy can be asked what it holds. */
export const censusEnv = (workspace: Workspace): Record<string, string> => ({
  NODE_OPTIONS: `--import=${new URL('census.mjs', import.meta.url)}`,
  CENSUS_FOLDER: workspace.folder,
});

/** Has every process of the proxy collect its garbage and say what it holds. Linux only. */
export async function takeCensus(proxy: RunningProxy, { mark, folder }: Workspace): Promise<Holdings> {
  const processes = markedProcesses(mark).length;
  const total: Holdings = { processes, residentMiB: 0, heapMiB: 0, sockets: 0, timers: 0 };
  for (const pid of [proxy.child.pid ?? 0, ...workersOf(proxy)]) {
    const { rss, heap, timers } = await ask(pid, join(folder, `${pid}.json`));
    total.residentMiB += rss / 2 ** 20;
    total.heapMiB += heap / 2 ** 20;
    total.timers += timers;
    total.sockets += socketsOf(pid);
  }
  return total;
}

async function ask(pid: number, file: string): Promise<{ rss: number; heap: number; timers: number }> {
  await rm(file, { force: true });
  process.kill(pid, 'SIGWINCH');
  let text = '';
  await until(`${pid} says what it holds`, async () => {
    text = await readFile(file, 'utf8').catch(() => '');
    return text !== '';
  });
  return JSON.parse(text) as { rss: number; heap: number; timers: number };
}

function socketsOf(pid: number): number {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).filter((fd) => isSocket(join(folder, fd))).length;
}

function isSocket(path: string): boolean {
  try {
    return readlinkSync(path).startsWith('socket:');
  } catch {
    // Closed since the folder was read.
    return false;
  }
}
