import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { RunningProxy } from './proxy.ts';
import type { Answer } from './raw-client.ts';
import { until } from './until.ts';

/** Process ids of the worker processes of a proxy. */
export function workersOf({ pid }: RunningProxy): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean);
  return children.map(Number).filter((pid) => /\/worker\.[jt]s\0?/.test(commandOf(pid)));
}

/** Waits until so many workers run, and all of them listen. */
export async function untilWorkers(proxy: RunningProxy, count: number): Promise<void> {
  await until(`${count} workers`, () => workersOf(proxy).filter(listens).length === count);
}

/** Which worker answered: request ids begin with something of its own. */
function workerOf({ headers }: Answer): string {
  return (headers['x-request-id'] ?? '').split('-')[0] ?? '';
}

/** How many of the answers each worker gave. */
export function byWorker(answers: readonly Answer[]): number[] {
  const counts = new Map<string, number>();
  for (const answer of answers) counts.set(workerOf(answer), (counts.get(workerOf(answer)) ?? 0) + 1);
  return [...counts.values()];
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}

/** Whether a process has a listening TCP socket of its own. */
function listens(pid: number): boolean {
  try {
    const listening = readFileSync(`/proc/${pid}/net/tcp`, 'latin1')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === '0A')
      .map((fields) => `socket:[${fields[9]}]`);
    return readdirSync(`/proc/${pid}/fd`).some((fd) => listening.includes(readlinkSync(join(`/proc/${pid}/fd`, fd))));
  } catch {
    return false;
  }
}
