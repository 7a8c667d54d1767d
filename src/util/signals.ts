import { constants } from 'node:os';

/** By number; of two names the usual one, which comes first: SIGABRT, not SIGIOT. */
const names = new Map(
  Object.entries(constants.signals)
    .reverse()
    .map(([name, number]) => [number, name]),
);

/** The signal by which a program ended with this exit code, as a shell reports it (128 + its number); else undefined. */
export function signalOf(exitCode: number): string | undefined {
  return exitCode > 128 ? names.get(exitCode - 128) : undefined;
}

/** The exit code of a program that a signal ended, as a shell reports it; undefined where there is no such signal. */
export function exitCodeOf(signal: string): number | undefined {
  const number: number | undefined = constants.signals[signal as NodeJS.Signals];
  return number === undefined ? undefined : 128 + number;
}

/** What programs end with that end in order when they are asked to; but so does one that was not asked. */
export const ORDERLY_EXITS: ReadonlySet<number> = new Set([0, 130, 143]);
