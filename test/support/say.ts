/** Tells whoever started the tests, on stderr, what is about to be done to their machine: one line per action. */
export function say(line: string): void {
  process.stderr.write(`[test environment] ${line}\n`);
}
