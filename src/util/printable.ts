/** Sequences by which terminals are told of colours, positions and titles (ECMA-48 §5.4, §5.6). */
const SEQUENCE = /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?/g;
/** Other control characters, and those that turn the direction of writing or begin a line. */
const CONTROL = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Text from elsewhere as one line that does nothing to a terminal, cut to `limit` characters. Colours are left out, any
 * other control character becomes a replacement character.
 */
export function printable(text: string, limit: number): string {
  const plain = text
    .slice(0, 4 * limit)
    .replace(SEQUENCE, '')
    .replaceAll('\t', ' ')
    .trimEnd()
    .replace(CONTROL, '\ufffd');
  return plain.length > limit ? `${plain.slice(0, limit - 1)}…` : plain;
}
