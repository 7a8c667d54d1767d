import { readdirSync, readFileSync } from 'node:fs';
import { cpuMicros, residentMiB } from '../support/process.ts';

/** What a process and everything it started use. */
export interface Usage {
  /** CPU time used so far, user and system, µs; of children that ended only what their parent waited for is missing. */
  cpuMicros: number;
  /** Resident memory now, MiB; pages that several processes share count for each. */
  residentMiB: number;
}

/** CPU and memory of a process and of all its descendants that live. Linux only. */
export function usageOf(root: number): Usage {
  const total: Usage = { cpuMicros: 0, residentMiB: 0 };
  for (const pid of treeOf(root)) {
    total.cpuMicros += cpuMicros(pid);
    total.residentMiB += residentMiB(pid);
  }
  return total;
}

/** A process and all its descendants that live. */
export function treeOf(root: number): number[] {
  const found = [root];
  for (const pid of found) found.push(...childrenOf(pid));
  return found;
}

/** CPU time that each child of a process has used so far, µs, in the order of their pids. */
export function cpuOfChildren(root: number): number[] {
  return childrenOf(root)
    .sort((a, b) => a - b)
    .map(cpuMicros);
}

/** Children of every thread: each thread lists only those that it started itself. */
function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    const list = readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim();
    return list === '' ? [] : list.split(' ').map(Number);
  });
}
