import type { Socket } from 'node:net';

/** Bytes that one read takes in at most. */
const READ_BYTES = 64 * 1024;

/**
 * What is read from any socket lands here, and is used up before the next read: a buffer of its own for each read costs
 * its allocation and a pass through Node's stream layer, 7 µs of 45 for a small request.
 */
export const sharedReadBuffer = Buffer.allocUnsafeSlow(READ_BYTES);

/** The socket's side of what `net.connect` does with its option `onread`. */
interface Internals {
  buffer: symbol;
  callback: symbol;
}

let internals: Internals | 'unknown' | undefined;

/**
 * Hands what an accepted socket reads to `onBytes`: the first `size` bytes of the shared buffer, of which a copy must be
 * made where they are kept. Node has this for sockets that connect only (`onread`); for others its inner places are
 * looked up, and where they are not what they were, the bytes come as usual.
 */
export function readShared(socket: Socket, onBytes: (bytes: Buffer, size: number) => void): void {
  const handle = (socket as unknown as { _handle?: { useUserBuffer?(buffer: Buffer): void } | null })._handle;
  internals ??= internalsOf(socket) ?? 'unknown';
  if (internals === 'unknown' || typeof handle?.useUserBuffer !== 'function') {
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

/** The bytes as they may be kept: copied where the next read would overwrite them. */
export function toKeep(bytes: Buffer): Buffer {
  return bytes.buffer === sharedReadBuffer.buffer ? Buffer.from(bytes) : bytes;
}

function internalsOf(socket: Socket): Internals | undefined {
  const find = (description: string) =>
    Object.getOwnPropertySymbols(socket).find((symbol) => symbol.description === description);
  const buffer = find('kBuffer');
  const callback = find('kBufferCb');
  return buffer === undefined || callback === undefined ? undefined : { buffer, callback };
}
