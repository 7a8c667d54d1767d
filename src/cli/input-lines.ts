/** Longest line that is read, characters; the rest of it is dropped. */
const LONGEST = 4096;

/** The lines of an input, without their ends; opened when the first is asked for. */
export async function* inputLines(input: () => AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of input()) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = (lines.pop() ?? '').slice(0, LONGEST);
    for (const line of lines) yield line.slice(0, LONGEST);
  }
  if (rest !== '') yield rest;
}
