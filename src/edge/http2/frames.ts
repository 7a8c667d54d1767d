/** Types of frames (RFC 9113 §6). */
export const FrameType = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

/** Flags of frames; which of them a bit is depends on the type. */
export const Flag = { END_STREAM: 1, ACK: 1, END_HEADERS: 4, PADDED: 8, PRIORITY: 32 } as const;

/** Error codes (RFC 9113 §7). */
export const ErrorCode = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  FLOW_CONTROL_ERROR: 3,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  ENHANCE_YOUR_CALM: 11,
} as const;

/** Settings (RFC 9113 §6.5.2, RFC 8441 §3, RFC 9218 §2.1). */
export const Setting = {
  HEADER_TABLE_SIZE: 1,
  ENABLE_PUSH: 2,
  MAX_CONCURRENT_STREAMS: 3,
  INITIAL_WINDOW_SIZE: 4,
  MAX_FRAME_SIZE: 5,
  MAX_HEADER_LIST_SIZE: 6,
  ENABLE_CONNECT_PROTOCOL: 8,
  NO_RFC7540_PRIORITIES: 9,
} as const;

/** Bytes before the payload of a frame. */
export const FRAME_HEAD = 9;
/** Largest payload that both sides take by default, and the smallest that a side may set, bytes (RFC 9113 §4.2). */
export const FRAME_BYTES = 16_384;
/** Largest payload that a side may set, bytes. */
export const MOST_FRAME_BYTES = 2 ** 24 - 1;
/** What a stream and a connection may send at first, bytes (RFC 9113 §6.9.2). */
export const WINDOW_BYTES = 65_535;
/** What a window may grow to, bytes (RFC 9113 §6.9.1). */
export const MOST_WINDOW_BYTES = 2 ** 31 - 1;

/** How a client begins a connection (RFC 9113 §3.4). */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** Writes what stands before a payload of `size` bytes. @returns where the payload begins */
export function writeFrameHead(
  out: Buffer,
  at: number,
  size: number,
  type: number,
  flags: number,
  stream: number,
): number {
  out[at] = size >>> 16;
  out[at + 1] = size >>> 8;
  out[at + 2] = size;
  out[at + 3] = type;
  out[at + 4] = flags;
  return out.writeUInt32BE(stream, at + 5);
}

/** A whole frame of numbers, 32 bits each. */
function frameOf(type: number, stream: number, ...numbers: readonly number[]): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEAD + 4 * numbers.length);
  let at = writeFrameHead(frame, 0, 4 * numbers.length, type, 0, stream);
  for (const number of numbers) at = frame.writeUInt32BE(number, at);
  return frame;
}

/** @param code one of {@link ErrorCode} */
export function resetFrame(stream: number, code: number): Buffer {
  return frameOf(FrameType.RST_STREAM, stream, code);
}

/** @param stream 0: of the connection. @param bytes more than 0 */
export function windowFrame(stream: number, bytes: number): Buffer {
  return frameOf(FrameType.WINDOW_UPDATE, stream, bytes);
}

/** @param last the last stream that is, or was, served. @param code one of {@link ErrorCode} */
export function goawayFrame(last: number, code: number): Buffer {
  return frameOf(FrameType.GOAWAY, 0, last, code);
}

/** @param pairs of one of {@link Setting} and its value */
export function settingsFrame(pairs: readonly (readonly [setting: number, value: number])[]): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEAD + 6 * pairs.length);
  let at = writeFrameHead(frame, 0, 6 * pairs.length, FrameType.SETTINGS, 0, 0);
  for (const [setting, value] of pairs) at = frame.writeUInt32BE(value, frame.writeUInt16BE(setting, at));
  return frame;
}

/** The answer to SETTINGS. */
export const SETTINGS_ACK = Buffer.from([0, 0, 0, FrameType.SETTINGS, Flag.ACK, 0, 0, 0, 0]);

/** The answer to a PING, whose payload of eight bytes is at `from`. */
export function pongFrame(bytes: Buffer, from: number): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEAD + 8);
  bytes.copy(frame, writeFrameHead(frame, 0, 8, FrameType.PING, Flag.ACK, 0), from, from + 8);
  return frame;
}
