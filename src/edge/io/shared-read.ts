import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** One read takes in at most so many bytes. */
const READ_BYTES = 64 * 1024;

/**
 * Every socket reads into this buffer, and what it read is used up before the next read. A buffer for each read costs
 * its allocation and a pass through Node's stream layer, 7 µs of 45 for a small request.
 */
export const sharedReadBuffer = Buffer.allocUnsafeSlow(READ_BYTES);

/** The socket's inner places that `net.connect` sets for its option `onread`. */
interface Internals {
  buffer: symbol;
  callback: symbol;
}

let internals: Internals | 'unknown' | undefined;

/**
 * Hands what an accepted socket reads to `onBytes`, as the first `size` bytes of the shared buffer; whoever keeps them
 * has to copy them. Who read from the socket before does so no more. Node offers this only to sockets that connect (`onread`). For others their inner places are set; if
 * those have changed, the bytes come as usual.
 */
export function readShared(socket: Socket, onBytes: (bytes: Buffer, size: number) => void): void {
  const handle = (socket as unknown as { _handle?: { useUserBuffer?(buffer: Buffer): void } | null })._handle;
  internals ??= internalsOf(socket) ?? 'unknown';
  if (internals === 'unknown' || typeof handle?.useUserBuffer !== 'function') {
    socket.removeAllListeners('data');
    socket.on('data', (bytes: Buffer) => onBytes(bytes, bytes.length));
    return;
  }
  const callback = (size: number, buffer: Buffer): boolean => {
    onBytes(buffer, size);
    return true;
  };
  const places = socket as unknown as Record<symbol, unknown>;
  places[internals.buffer] = sharedReadBuffer;
  places[internals.callback] = callback;
  handle.useUserBuffer(sharedReadBuffer);
  socket.resume();
}

/** Takes its reader from a socket, if that is one of the shared buffer. */
export function unreadable(stream: Duplex): void {
  // One that is no socket has no such places, and says nothing about sockets.
  internals ??= internalsOf(stream);
  if (internals === undefined || internals === 'unknown') return;
  const places = stream as unknown as Record<symbol, unknown>;
  if (places[internals.callback] == null) return;
  places[internals.buffer] = null;
  places[internals.callback] = null;
}

/** Returns bytes that may be kept: a copy of what the next read would overwrite. */
export function toKeep(bytes: Buffer): Buffer {
  return bytes.buffer === sharedReadBuffer.buffer ? Buffer.from(bytes) : bytes;
}

function internalsOf(socket: Duplex): Internals | undefined {
  const find = (description: string) =>
    Object.getOwnPropertySymbols(socket).find((symbol) => symbol.description === description);
  const buffer = find('kBuffer');
  const callback = find('kBufferCb');
  return buffer === undefined || callback === undefined ? undefined : { buffer, callback };
}
