import { constants } from 'node:os';

const names = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));

/** The signal by which a program ended with this exit code, as a shell reports it (128 + its number); else undefined. */
export function signalOf(exitCode: number): string | undefined {
  return exitCode > 128 ? names.get(exitCode - 128) : undefined;
}
