/**
 * Bound on one half of a process's young memory, MiB. V8 lets it grow to 16, and what is in it then is collected in one
 * go: with a connection for each request of 64 clients, pauses of up to 20 ms instead of 4, and of 2,000 clients 90
 * instead of 12. 10,000 idle connections cost 52 MiB instead of 78. Collections come more often: 0.5 % of the CPU.
 */
const MOST_MIB = 4;

/** Flags of Node with which young memory is bounded: those given, and one more unless they, or the options, say it. */
export function youngMemoryBounded(flags: readonly string[], nodeOptions: string | undefined): string[] {
  const isSaid = [...flags, nodeOptions ?? ''].some((text) => /semi[-_]space/.test(text));
  return isSaid ? [...flags] : [...flags, `--max-semi-space-size=${MOST_MIB}`];
}
