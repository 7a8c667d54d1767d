import { type ExecFileException, execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

interface CommandOptions {
  cwd?: string;
  /** Added to the environment of this process. */
  env?: Record<string, string>;
  /** Milliseconds until the command is killed; 5 minutes by default. */
  timeout?: number;
}

/** Runs a program to its end and returns what it printed; throws with the last lines of its stderr if it fails. */
export async function run(program: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { cwd, env, timeout = 300_000 } = options;
  return new Promise((resolve, reject) => {
    const finished = (failure: ExecFileException | null, stdout: string, stderr: string): void => {
      if (failure === null) {
        resolve(stdout);
        return;
      }
      const how = failure.killed ? `did not end within ${timeout / 1000} s` : `failed (${failure.code})`;
      reject(new Error(`${program} ${args.join(' ')} ${how}\n${lastLines(stderr || stdout)}`));
    };
    const environment = { ...process.env, PATH: searchPath(), LC_ALL: 'C', ...env };
    execFile(program, args, { cwd, timeout, maxBuffer: 64 * 1024 * 1024, env: environment }, finished);
  });
}

/** The full path of a program, or undefined if it is not installed. */
export function findProgram(name: string): string | undefined {
  return searchPath()
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

/** PATH with the system folders, which a root shell opened by `su` lacks. */
export function searchPath(): string {
  return [process.env['PATH'], '/usr/local/sbin', '/usr/sbin', '/sbin'].filter(Boolean).join(delimiter);
}

export function lastLines(text: string, count = 20): string {
  return text.trim().split('\n').slice(-count).join('\n');
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
