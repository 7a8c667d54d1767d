import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** CPU time of a clock tick of /proc, µs: USER_HZ is 100 on every Linux that Node runs on. */
const TICK_US = 10_000;

/** CPU time that a process has used so far, user and system, µs. */
export function cpuMicros(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_US;
}

/** How long the main thread of a process has waited for a core so far, ms: what a busy machine adds to its latencies. */
export function waitedMs(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6;
}

/** Resident memory of a process now, MiB. */
export function residentMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}

/** One core, or several as taskset lists them: `0-3`. */
export type Cores = number | string;

/** Binds this process, and what it starts from now on, to these cores; does nothing without taskset. */
export function pinSelf(cores: Cores): void {
  spawnSync('taskset', ['-a', '-p', '-c', String(cores), String(process.pid)], { stdio: 'ignore' });
}

/** A child process of a load test, bound to these cores and ended by {@link stopAll}. */
export function startPinned(cores: Cores, command: string[], env: Record<string, string> = {}): ChildProcess {
  const pinned = spawnSync('taskset', ['-V'], { stdio: 'ignore' }).status === 0;
  const [program = '', ...args] = pinned ? ['taskset', '-c', String(cores), ...command] : command;
  const child = spawn(program, args, {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-4000);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  child.once('exit', (code) => {
    if (children.has(child)) process.stderr.write(`${command.join(' ')} ended with ${code}\n${output}\n`);
  });
  children.add(child);
  return child;
}

/** Those whose end would be a surprise. */
const children = new Set<ChildProcess>();

/** Ends one child, and waits for its exit. */
export async function stop(child: ChildProcess): Promise<void> {
  children.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), 5000);
  await gone;
  clearTimeout(late);
}

/** Ends every child, and waits for their exits. */
export async function stopAll(): Promise<void> {
  await Promise.all([...children].map(stop));
}

/** Waits until something listens on a loopback port; throws after 60 s: 100,000 routes take a while to read. */
export async function untilListening(port: number): Promise<void> {
  for (let tries = 0; tries < 1200; tries++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
    if (open) return;
    await sleep(50);
  }
  throw new Error(`nothing listens on 127.0.0.1:${port}`);
}

/** The middle value; the mean of the two middle ones of an even number. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}
