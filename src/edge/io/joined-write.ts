import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Most bytes that are joined into one write. */
export const JOIN_BYTES = 64 * 1024;
/** The framing of a chunk adds at most so much, bytes. */
const CHUNK_FRAME = 16;

let memory = Buffer.allocUnsafeSlow(JOIN_BYTES);

/**
 * Whether a message of so many bytes may be joined. A stream that is no socket may still hold bytes that count as sent.
 */
export function mayJoin(socket: Duplex, bytes: number, pieces: number): boolean {
  return bytes + pieces * CHUNK_FRAME <= JOIN_BYTES && socket instanceof Socket;
}

/**
 * Writes a head, pieces of a body and its end at once. They are joined in the same memory every time, because 10 KiB on
 * the heap for each request are 170 MiB a second for the garbage collector, and cold memory. Mostly the kernel takes
 * everything; if not, the memory is left to what waits in it.
 * @param pieces copied, so their memory may be used again
 * @param chunked whether each piece is a chunk
 */
export function writeJoined(
  socket: Duplex,
  head: string,
  pieces: readonly Buffer[],
  chunked: boolean,
  end: string,
): void {
  let at = memory.write(head, 0, 'latin1');
  for (const piece of pieces) {
    if (chunked) at += memory.write(`${piece.length.toString(16)}\r\n`, at, 'latin1');
    memory.set(piece, at);
    at += piece.length;
    if (chunked) at += memory.write('\r\n', at, 'latin1');
  }
  if (end !== '') at += memory.write(end, at, 'latin1');
  const bytes = memory.subarray(0, at);
  // What is certain to wait gets a copy of its own size.
  if (socket.writableLength > 0) {
    socket.write(Buffer.from(bytes));
    return;
  }
  socket.write(bytes);
  if (socket.writableLength > 0) memory = Buffer.allocUnsafeSlow(JOIN_BYTES);
}

/**
 * Writes a copy of bytes that the next read overwrites. Mostly the kernel takes them at once, so that the same memory
 * serves again.
 */
export function writeCopied(socket: Duplex, bytes: Buffer): void {
  if (bytes.length > JOIN_BYTES || socket.writableLength > 0 || !(socket instanceof Socket)) {
    socket.write(Buffer.from(bytes));
    return;
  }
  memory.set(bytes);
  socket.write(memory.subarray(0, bytes.length));
  if (socket.writableLength > 0) memory = Buffer.allocUnsafeSlow(JOIN_BYTES);
}
