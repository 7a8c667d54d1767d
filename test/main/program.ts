import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { COMPILE_CACHE } from '../support/compile-cache.ts';
import { freePort } from '../support/free-port.ts';
import { MAIN } from '../support/program-file.ts';
import { until } from '../support/until.ts';

// Up to five programs start one after the other, which takes a busy machine ten seconds each.
vi.setConfig({ testTimeout: 180_000 });

const DEMO_FOLDER = join(import.meta.dirname, '../../config/demo');

export interface Program {
  child: ChildProcess;
  stdout: string;
  stderr: string;
  /** The exit code; null when a signal ended it. */
  exit: Promise<number | null>;
}

export interface ProgramOptions {
  cwd?: string;
  env?: Record<string, string>;
  /** The file to run instead of src/pilotlight.ts. */
  main?: string;
  /** How many file descriptors it may have; undefined: as many as the tests. */
  files?: number;
}

/** Runs `pilotlight` with arguments; ended, if it still runs, when the test ends. */
export function pilotlight(
  args: readonly string[],
  { cwd = '/', env = {}, main = MAIN, files }: ProgramOptions = {},
): Program {
  const environment = {
    ...COMPILE_CACHE,
    PATH: process.env['PATH'] ?? '',
    HOME: '/nonexistent',
    XDG_CONFIG_HOME: '/nonexistent',
    ...env,
  };
  const command = [...(files === undefined ? [] : ['prlimit', `--nofile=${files}`]), process.execPath, main, ...args];
  const child = spawn(command[0] as string, command.slice(1), {
    cwd,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const program: Program = { child, stdout: '', stderr: '', exit: once(child, 'close').then(([code]) => code) };
  child.stdout.setEncoding('utf8').on('data', (text) => {
    program.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    program.stderr += text;
  });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    const kill = setTimeout(() => child.kill('SIGKILL'), 60_000);
    await program.exit;
    clearTimeout(kill);
  });
  return program;
}

/** A folder that goes with the test. */
export async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'pilotlight-main-'));
  onTestFinished(() => rm(path, { recursive: true, force: true, maxRetries: 5 }));
  return path;
}

export interface Place {
  folder: string;
  file: string;
  port: number;
  adminPort: number;
  url: string;
  admin: string;
  /** The configuration of the services of the demo, with free ports and the changes. */
  write(changes?: Record<string, unknown>): Promise<void>;
}

/** A folder with a configuration of its own. */
export async function place(changes: Record<string, unknown> = {}): Promise<Place> {
  const [path, port, adminPort] = [await folder(), await freePort(), await freePort()];
  const file = join(path, 'pilotlight.yaml');
  const own: Place = {
    folder: path,
    file,
    port,
    adminPort,
    url: `http://127.0.0.1:${port}`,
    admin: `http://127.0.0.1:${adminPort}`,
    write: (more = {}) => writeFile(file, JSON.stringify({ ...standard(own), ...changes, ...more }, null, 2)),
  };
  await own.write();
  return own;
}

function standard({ folder: path, port, adminPort }: Place): Record<string, unknown> {
  return {
    listen: [{ address: `127.0.0.1:${port}` }],
    admin: { address: `127.0.0.1:${adminPort}` },
    state: join(path, 'state'),
    services: { hello: demoService('hello'), slow: demoService('slow') },
  };
}

/**
 * A service of the demo as it stands in a configuration.
 * @param ends it ends with whoever started it, so that nothing is left; else the end of the test has to stop it
 */
export function demoService(name: string, changes: Record<string, unknown> = {}, ends = true): Record<string, unknown> {
  const command = [process.execPath, join(DEMO_FOLDER, `${name}.mjs`)];
  const env = { PORT: '{port}', ...(ends ? { EXIT_WITH_PARENT: '1' } : {}) };
  return { routes: [{ path: `/${name}` }], run: { process: { command, env } }, timeouts: { drain: '5s' }, ...changes };
}

/** Runs the configuration and waits until it is ready; throws with its output when it ends instead. */
export async function serve(at: Place, args: readonly string[] = [], options: ProgramOptions = {}): Promise<Program> {
  const program = pilotlight(['run', '-c', at.file, ...args], options);
  await until('ready', async () => {
    if (program.child.exitCode !== null) throw new Error(`it ended: ${program.stderr}`);
    return (await fetch(`${at.admin}/readyz`).catch(() => undefined))?.status === 200;
  });
  return program;
}

/** The lines of the log that are there as a whole. */
export function logOf({ stderr }: Program): Record<string, unknown>[] {
  return stderr
    .split('\n')
    .slice(0, -1)
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
}
