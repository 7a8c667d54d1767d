/**
 * Runs one daemon for the tests and ends it, with all it left, when the tests end: however they end. Standard input
 * is a pipe from the test process; the kernel closes it even if that process is killed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lastLines, searchPath } from './command.ts';
import type { KeeperJob } from './kept-daemon.ts';
import { emptyEngine, KEEPER_PID, removeRemains } from './remains.ts';

type State = 'running' | 'stopping' | 'cleaning';

const job: KeeperJob = JSON.parse(process.argv[2] ?? '');
let state: State = 'running';

writeFileSync(join(job.folder, KEEPER_PID), `${process.pid}\n`);
const daemon = launch();
daemon.on('error', (error) => finish(error.message));
daemon.on('exit', (code, signal) => finish(`it ended by itself (${signal ?? `code ${code}`})`));
process.stdin.on('end', stop).on('error', stop).resume();
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, stop);

function launch(): ChildProcess {
  const log = openSync(join(job.folder, 'log'), 'a');
  const env = { ...process.env, PATH: searchPath() };
  return spawn(job.program, job.args, { env, cwd: job.folder, stdio: ['ignore', log, log] });
}

async function stop(): Promise<void> {
  if (state !== 'running') return;
  state = 'stopping';
  const patience = sleep(10_000, undefined, { ref: false });
  await Promise.race([emptyEngine(job.folder), patience]).catch((error) => console.error(String(error)));
  daemon.kill(job.stopSignal);
  setTimeout(() => daemon.kill('SIGKILL'), job.graceMs).unref();
}

async function finish(why: string): Promise<void> {
  if (state === 'cleaning') return;
  const expected = state === 'stopping';
  state = 'cleaning';
  if (!expected) console.error(`${why}\n${lastLines(readFileSync(join(job.folder, 'log'), 'utf8'))}`);
  await removeRemains(job.folder);
  process.exit(expected ? 0 : 1);
}
