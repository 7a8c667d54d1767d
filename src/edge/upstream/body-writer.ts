import type { Duplex } from 'node:stream';
import { Framing, type FramingKind } from '../http1/framing.ts';
import { mayJoin, writeJoined } from '../io/joined-write.ts';
import { toKeep } from '../io/shared-read.ts';

/**
 * Writes a head and what has come of its body so far, in one write if it is small.
 * @param pieces of the body, `bytes` in all; what lies in the shared read buffer is copied
 * @param done whether this is the whole body
 * @returns false when the upstream does not keep up
 */
export function writeMessage(
  socket: Duplex,
  head: string,
  pieces: readonly Buffer[],
  bytes: number,
  framing: FramingKind,
  done: boolean,
  trailers: string,
): boolean {
  const isChunked = framing === Framing.CHUNKED;
  const end = isChunked && done ? lastChunk(trailers) : '';
  if (bytes === 0) return socket.write(head + end, 'latin1');
  if (mayJoin(socket, head.length + bytes + end.length, pieces.length)) {
    writeJoined(socket, head, pieces, isChunked, end);
    return keepsUp(socket);
  }
  socket.cork();
  socket.write(head, 'latin1');
  for (const piece of pieces) writePiece(socket, toKeep(piece), framing);
  if (done) writeEnd(socket, framing, trailers);
  socket.uncork();
  return keepsUp(socket);
}

/**
 * Writes one piece of a body, as a chunk where the body is chunked.
 * @param sent called when the piece is sent
 * @returns false when the upstream does not keep up
 */
export function writePiece(socket: Duplex, piece: Buffer, framing: FramingKind, sent?: () => void): boolean {
  if (framing === Framing.CHUNKED) {
    socket.cork();
    socket.write(`${piece.length.toString(16)}\r\n`, 'latin1');
    socket.write(piece, sent);
    socket.write('\r\n', 'latin1');
    socket.uncork();
  } else {
    socket.write(piece, sent);
  }
  return keepsUp(socket);
}

/** Writes the end of a body where its framing has one. */
export function writeEnd(socket: Duplex, framing: FramingKind, trailers: string): void {
  if (framing === Framing.CHUNKED) socket.write(lastChunk(trailers), 'latin1');
}

function lastChunk(trailers: string): string {
  return `0\r\n${trailers}\r\n`;
}

/**
 * Whether the upstream keeps up. After a large write the stream asks for a drain even if the kernel took everything at
 * once.
 */
function keepsUp(socket: Duplex): boolean {
  return socket.writableLength === 0 || !socket.writableNeedDrain;
}
