interface Latin1Buffer {
  latin1Slice(start: number, end: number): string;
  latin1Write(text: string, at: number): number;
}

/**
 * Returns bytes as a Latin-1 string. The direct method skips the encoding look-up of `toString` (about 60 ns a call).
 */
export function latin1(bytes: Buffer, start: number, end: number): string {
  return (bytes as unknown as Latin1Buffer).latin1Slice(start, end);
}

/** Writes a Latin-1 string, for which there is room. @returns how many bytes it is */
export function writeLatin1(bytes: Buffer, text: string, at: number): number {
  return (bytes as unknown as Latin1Buffer).latin1Write(text, at);
}

/** The bytes of a Latin-1 string. */
export function latin1Bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}
