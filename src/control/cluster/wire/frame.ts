import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { PilotlightError } from '../../../model/errors.ts';

/** What a frame is, as its number on the wire. */
export const Kind = {
  HELLO: 1,
  WELCOME: 2,
  REFUSED: 3,
  ALIVE: 4,
  /** The sender ends in order: what it had is gone with it. */
  GOODBYE: 5,
  /** An edge of the member attaches, on a channel of its own; the leader wants it ended; it is closed. */
  OPEN: 6,
  END: 7,
  CLOSE: 8,
  /** A message of the Link. */
  MESSAGE: 9,
  /** The last large message on this connection, for another edge. */
  SAME: 19,
  CALL: 10,
  STREAM: 11,
  ANSWER: 12,
  FAULT: 13,
  ITEM: 14,
  CANCEL: 15,
  /** What the member has of files; one that it is to have; a piece of that. */
  FILES: 16,
  FILE: 17,
  CHUNK: 18,
} as const;

export type FrameKind = (typeof Kind)[keyof typeof Kind];

export interface Frame {
  kind: number;
  /** Which edge, call or file it is about; 0: none. */
  channel: number;
  /** Of the lock, as the sender knows it. */
  index: number;
  content: Buffer;
  /** It was large. */
  isLarge: boolean;
}

/** Length of content, kind, coding, channel and index: 4 + 1 + 1 + 4 + 6 bytes. */
const HEAD_BYTES = 16;
/** Longest content of a frame as it passes, and when it is whole again, bytes. */
export const MAX_FRAME = 32 * 2 ** 20;
const MAX_CONTENT = 256 * 2 ** 20;
/** Content from so many bytes on is compressed: of a table of 10,000 services a twentieth remains. */
const COMPRESS_FROM = 8192;

const Coding = { PLAIN: 0, ZSTD: 1 } as const;

/** Content that was made ready to pass: it may go to many. */
export interface Packed {
  coding: number;
  bytes: Buffer;
}

/** Whether it was compressed; the other side says so of the same ones. */
export function isLarge({ coding }: { coding: number }): boolean {
  return coding === Coding.ZSTD;
}

const EMPTY: Packed = { coding: Coding.PLAIN, bytes: Buffer.alloc(0) };

/** Makes a value ready to pass. */
export function pack(value: unknown): Packed {
  if (value === undefined) return EMPTY;
  const bytes = Buffer.from(JSON.stringify(value));
  if (bytes.length < COMPRESS_FROM) return { coding: Coding.PLAIN, bytes };
  const params = { [constants.ZSTD_c_compressionLevel]: 1 };
  return { coding: Coding.ZSTD, bytes: zstdCompressSync(bytes, { params }) };
}

/** Bytes that pass as they are. */
export function packBytes(bytes: Buffer): Packed {
  return { coding: Coding.PLAIN, bytes };
}

/** The head of a frame; its content follows. */
export function frameHead(kind: FrameKind, channel: number, index: number, { coding, bytes }: Packed): Buffer {
  const head = Buffer.allocUnsafe(HEAD_BYTES);
  head.writeUInt32BE(bytes.length, 0);
  head.writeUInt8(kind, 4);
  head.writeUInt8(coding, 5);
  head.writeUInt32BE(channel, 6);
  head.writeUIntBE(index, 10, 6);
  return head;
}

/** What a frame says. @throws CLUSTER_PROTOCOL where it makes no sense */
export function unpack(frame: Frame): unknown {
  if (frame.content.length === 0) return undefined;
  try {
    return JSON.parse(frame.content.toString());
  } catch (cause) {
    throw new PilotlightError('CLUSTER_PROTOCOL', `a frame of kind ${frame.kind} is no JSON`, cause);
  }
}

/** Puts frames together from what comes of a connection. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #size = 0;
  /** Bytes of the head or of the whole frame: what comes is joined only by then, as a long one comes in thousands of pieces. */
  #awaited = HEAD_BYTES;
  readonly #take: (frame: Frame) => void;
  /** Longest content that is accepted, bytes. */
  most: number;

  constructor(most: number, take: (frame: Frame) => void) {
    this.most = most;
    this.#take = take;
  }

  /** @throws CLUSTER_PROTOCOL where a frame is too long or makes no sense; nothing may be read any more then */
  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    while (this.#size >= this.#awaited) {
      const joined = this.#joined();
      const length = joined.readUInt32BE(0);
      if (length > this.most) {
        throw new PilotlightError('CLUSTER_PROTOCOL', `a frame of ${length} bytes, and ${this.most} is the most`);
      }
      this.#awaited = HEAD_BYTES + length;
      if (this.#size < this.#awaited) return;
      const frame = joined.subarray(0, this.#awaited);
      const rest = joined.subarray(this.#awaited);
      this.#chunks = rest.length > 0 ? [rest] : [];
      this.#size = rest.length;
      this.#awaited = HEAD_BYTES;
      this.#take(frameOf(frame));
    }
  }

  #joined(): Buffer {
    const [first] = this.#chunks;
    if (first !== undefined && this.#chunks.length === 1) return first;
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }
}

function frameOf(bytes: Buffer): Frame {
  const content = bytes.subarray(HEAD_BYTES);
  const large = isLarge({ coding: bytes.readUInt8(5) });
  return {
    kind: bytes.readUInt8(4),
    channel: bytes.readUInt32BE(6),
    index: bytes.readUIntBE(10, 6),
    content: large ? decompressed(content) : content,
    isLarge: large,
  };
}

function decompressed(content: Buffer): Buffer {
  try {
    return zstdDecompressSync(content, { maxOutputLength: MAX_CONTENT });
  } catch (cause) {
    throw new PilotlightError('CLUSTER_PROTOCOL', 'the content of a frame cannot be decompressed', cause);
  }
}
