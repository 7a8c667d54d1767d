import { ErrorCode, FRAME_BYTES, MOST_FRAME_BYTES, MOST_WINDOW_BYTES, Setting } from '../../http2/frames.ts';
import type { FrameSender } from './frame-sender.ts';
import type { StreamOutput } from './stream-output.ts';

/**
 * Acts on the settings of a client (RFC 9113 §6.5.2). What it lets us send beyond {@link FRAME_BYTES} in a frame is not
 * made use of, and what we may push neither.
 * @param bytes hold whole settings from `from` to `to`
 * @returns the code of the rule that one breaks
 */
export function applySettings(
  bytes: Buffer,
  from: number,
  to: number,
  sender: FrameSender,
  streams: Iterable<{ readonly output: StreamOutput }>,
): number | undefined {
  let window = sender.initialWindow;
  for (let at = from; at < to; at += 6) {
    const value = bytes.readUInt32BE(at + 2);
    switch (bytes.readUInt16BE(at)) {
      case Setting.HEADER_TABLE_SIZE:
        sender.writer.encoder.limit(value);
        break;
      case Setting.ENABLE_PUSH:
        if (value > 1) return ErrorCode.PROTOCOL_ERROR;
        break;
      case Setting.INITIAL_WINDOW_SIZE:
        if (value > MOST_WINDOW_BYTES) return ErrorCode.FLOW_CONTROL_ERROR;
        window = value;
        break;
      case Setting.MAX_FRAME_SIZE:
        if (value < FRAME_BYTES || value > MOST_FRAME_BYTES) return ErrorCode.PROTOCOL_ERROR;
        break;
    }
  }
  const by = window - sender.initialWindow;
  if (by === 0) return undefined;
  sender.initialWindow = window;
  for (const { output } of streams) if (!output.grow(by)) return ErrorCode.FLOW_CONTROL_ERROR;
  return undefined;
}
