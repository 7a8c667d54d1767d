const HEADER = 8;

/**
 * The bytes that a container wrote, stdout and stderr in the order of the log. Without a terminal the engine sends
 * frames: one byte of stream number, three zeros, the length as 32 bits big-endian, then the bytes.
 */
export function containerOutput(log: Buffer, terminal: boolean): Buffer {
  if (terminal) return log;
  const pieces: Buffer[] = [];
  for (let at = 0; at + HEADER <= log.length; ) {
    const end = at + HEADER + log.readUInt32BE(at + 4);
    pieces.push(log.subarray(at + HEADER, end));
    at = end;
  }
  return Buffer.concat(pieces);
}
