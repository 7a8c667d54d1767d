/** The last `count` lines of some output, oldest first, without line ends; a last line without an end counts. */
export function lastLines(output: Buffer, count: number): string[] {
  if (count <= 0) return [];
  const lines = output.toString('utf8').split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines.slice(-count);
}
