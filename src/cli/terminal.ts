import { type Clock, systemClock } from '../util/clock.ts';
import { openScreen, type Screen } from './screen.ts';

/** Where a command reads its surroundings and writes what it says. */
export interface Terminal {
  /** Writes one line (or several, joined by line feeds) to standard output. */
  out(line: string): void;
  /** Writes one line to standard error. */
  err(line: string): void;
  /** Standard input, opened when it is first asked for. */
  input(): AsyncIterable<Uint8Array>;
  env: Readonly<Record<string, string | undefined>>;
  /** The working directory, absolute. */
  cwd: string;
  /** Whether a person reads standard output. */
  interactive: boolean;
  /** Takes the whole terminal; only where it is interactive. */
  openScreen(): Screen;
  /** Width of the output in characters. */
  columns(): number;
  clock: Clock;
}

export function processTerminal(): Terminal {
  // A reader that went away (`| head`) is no error of ours; what is written after it is lost.
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
  return {
    out: (line) => void process.stdout.write(`${line}\n`),
    err: (line) => void process.stderr.write(`${line}\n`),
    input: () => process.stdin,
    env: process.env,
    cwd: process.cwd(),
    interactive: process.stdout.isTTY === true,
    openScreen: () => openScreen(),
    columns: () => process.stdout.columns ?? 120,
    clock: systemClock,
  };
}

/** Resolves when what was written has been taken, or its reader is gone: what waits in a pipe at the exit is lost. */
export async function flushTerminal(): Promise<void> {
  const streams = [process.stdout, process.stderr];
  await Promise.all(streams.map((stream) => new Promise<void>((resolve) => stream.write('', () => resolve()))));
}
