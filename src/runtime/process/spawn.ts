import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { PilotlightError } from '../../model/errors.ts';
import type { ProcessRun } from './settings.ts';

/** All that a child inherits of our environment: what else is there, tokens among it, is none of its business. */
const INHERITED = ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR'];

/** The part of an environment that every child gets. */
export function inheritedEnv(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const entries = INHERITED.map((name) => [name, env[name]] as const);
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** @throws RUNTIME_FAILED where the working directory cannot be one */
export async function checkWorkingDirectory(cwd: string): Promise<void> {
  const isDirectory = await stat(cwd).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isDirectory) throw new PilotlightError('RUNTIME_FAILED', `the working directory ${cwd} does not exist`);
}

/** What `spawnDetached` needs besides the settings. */
interface SpawnOptions {
  port: number;
  /** The environment under that of the settings. */
  env: Record<string, string>;
  /** Descriptor that takes stdout and stderr. */
  output: number;
}

/**
 * Starts the command as the leader of a session and process group of its own, so that it can outlive us and be
 * signalled as a whole. It does not keep our event loop alive. @throws COMMAND_NOT_FOUND, RUNTIME_FAILED
 */
export async function spawnDetached(
  run: ProcessRun,
  { port, env, output }: SpawnOptions,
): Promise<{ child: ChildProcess; pid: number }> {
  const withPort = (text: string) => text.replaceAll('{port}', String(port));
  const [program = '', ...args] = run.command.map(withPort);
  const own = Object.fromEntries(Object.entries(run.env).map(([name, value]) => [name, withPort(value)]));
  const child = trySpawn(program, args, { cwd: run.cwd, env: { ...env, ...own }, output });
  if (child.pid === undefined) {
    const [cause] = await once(child, 'error');
    throw spawnError(program, cause);
  }
  child.on('error', () => undefined);
  child.unref();
  return { child, pid: child.pid };
}

function trySpawn(
  program: string,
  args: string[],
  { cwd, env, output }: { cwd: string; env: Record<string, string>; output: number },
): ChildProcess {
  try {
    return spawn(program, args, { cwd, env, detached: true, stdio: ['ignore', output, output] });
  } catch (cause) {
    throw spawnError(program, cause);
  }
}

function spawnError(program: string, cause: unknown): PilotlightError {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === 'ENOENT') return new PilotlightError('COMMAND_NOT_FOUND', `command not found: ${program}`, cause);
  if (code === 'EACCES') return new PilotlightError('COMMAND_NOT_FOUND', `not executable: ${program}`, cause);
  return new PilotlightError('RUNTIME_FAILED', `cannot start ${program}: ${message.split('\n', 1)[0]}`, cause);
}
