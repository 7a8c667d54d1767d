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
  /** The message before, for these edges too. */
  ALSO: 19,
  /** A piece of a table; the last one makes it the message before. */
  PART: 20,
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

const EMPTY: Packed = { coding: Coding.PLAIN, bytes: Buffer.alloc(0) };

/** Makes a value ready to pass. @throws CLUSTER_PROTOCOL where it is longer than the other side reads */
export function pack(value: unknown): Packed {
  return value === undefined ? EMPTY : packText(JSON.stringify(value));
}

/** The same of JSON. @throws CLUSTER_PROTOCOL */
export function packText(text: string): Packed {
  const bytes = Buffer.from(text);
  if (bytes.length < COMPRESS_FROM) return { coding: Coding.PLAIN, bytes };
  assertFits(bytes.length, MAX_CONTENT, 'as JSON');
  const params = { [constants.ZSTD_c_compressionLevel]: 1 };
  const compressed = zstdCompressSync(bytes, { params });
  assertFits(compressed.length, MAX_FRAME, 'compressed');
  return { coding: Coding.ZSTD, bytes: compressed };
}

function assertFits(length: number, most: number, how: string): void {
  if (length <= most) return;
  const message = `what is to be sent has ${length} bytes ${how}, and ${most} is the most that passes between members`;
  throw new PilotlightError('CLUSTER_PROTOCOL', message);
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

/** Puts frames together from what comes of a connection. Nothing may be read any more once it has thrown. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #size = 0;
  /** Bytes of the head or of the whole frame: what comes is joined only by then, as a long one comes in thousands of pieces. */
  #awaited = HEAD_BYTES;
  /** Longest content that is accepted, bytes. */
  most: number;

  constructor(most: number) {
    this.most = most;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
  }

  /** Takes the next frame out; undefined: none is whole. @throws CLUSTER_PROTOCOL where it is too long or makes no sense */
  next(): Frame | undefined {
    if (this.#size < this.#awaited) return undefined;
    const joined = this.#joined();
    const length = joined.readUInt32BE(0);
    if (length > this.most) {
      throw new PilotlightError('CLUSTER_PROTOCOL', `a frame of ${length} bytes, and ${this.most} is the most`);
    }
    this.#awaited = HEAD_BYTES + length;
    if (this.#size < this.#awaited) return undefined;
    const frame = joined.subarray(0, this.#awaited);
    const rest = joined.subarray(this.#awaited);
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#size = rest.length;
    this.#awaited = HEAD_BYTES;
    return frameOf(frame);
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
  const coding = bytes.readUInt8(5);
  return {
    kind: bytes.readUInt8(4),
    channel: bytes.readUInt32BE(6),
    index: bytes.readUIntBE(10, 6),
    content: coding === Coding.ZSTD ? decompressed(content) : content,
  };
}

function decompressed(content: Buffer): Buffer {
  try {
    return zstdDecompressSync(content, { maxOutputLength: MAX_CONTENT });
  } catch (cause) {
    throw new PilotlightError('CLUSTER_PROTOCOL', 'the content of a frame cannot be decompressed', cause);
  }
}
