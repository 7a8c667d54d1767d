import { readdirSync, readFileSync } from 'node:fs';
import { MARK_VARIABLE } from './marks.ts';

/** The ids of the processes with a mark: a scenario's own, or that of all scenarios of one test process. */
export function markedProcesses(mark: string): number[] {
  const entry = `${MARK_VARIABLE}=${mark}`;
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid)
    .filter((pid) => environmentOf(pid).some((line) => line === entry || line.startsWith(`${entry}.`)));
}

/** Kills them, and whatever they started meanwhile. */
export function killMarked(mark: string): void {
  for (let round = 0; round < 5; round++) {
    const pids = markedProcesses(mark);
    if (pids.length === 0) return;
    for (const pid of pids) killIfAlive(pid, 'SIGKILL');
  }
}

/** Sends a signal; a process that is gone is no error. */
export function killIfAlive(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
