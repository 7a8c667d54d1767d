import type { Socket } from 'node:net';
import { freeBuffer, WORTH_FREEING } from '../io/free-buffer.ts';
import { FieldEncoder, mostEncoded } from './field-encoder.ts';
import type { FieldList } from './field-list.ts';
import { Flag, FRAME_BYTES, FRAME_HEAD, FrameType, writeFrameHead } from './frames.ts';

/** Bytes of frames that leave in one write at most. */
const MEMORY_BYTES = 64 * 1024;

/**
 * Where frames are put together, whosever they are: between two calls of {@link FrameWriter.flush} one writer alone has
 * it. Mostly the kernel takes everything at once, so that the same memory serves again.
 */
let memory = Buffer.allocUnsafeSlow(MEMORY_BYTES);

/**
 * Writes the frames of one connection. They are gathered until {@link flush}, which has to come within the same turn.
 */
export class FrameWriter {
  readonly encoder = new FieldEncoder();
  readonly #socket: Socket;
  /** What is written is copied before the write returns, or not. */
  readonly #isEncrypted: boolean;
  #at = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#isEncrypted = 'encrypted' in socket;
  }

  /** The client takes what is written, or what is not taken yet is little. */
  get keepsUp(): boolean {
    return !this.#socket.writableNeedDrain;
  }

  /** Writes a whole frame. */
  frame(frame: Buffer): void {
    this.#ensure(frame.length);
    this.#put(frame);
  }

  /** Writes HEADERS, with CONTINUATION where they are long (RFC 9113 §6.2, §6.10). @param ends the stream ends */
  fields(stream: number, list: FieldList, ends: boolean): void {
    const most = mostEncoded(list);
    const flags = ends ? Flag.END_STREAM : 0;
    if (most > FRAME_BYTES) {
      this.#longFields(stream, list, flags, most);
      return;
    }
    this.#ensure(FRAME_HEAD + most);
    const from = this.#at + FRAME_HEAD;
    const end = this.encoder.encode(list, memory, from);
    writeFrameHead(memory, this.#at, end - from, FrameType.HEADERS, flags | Flag.END_HEADERS, stream);
    this.#at = end;
  }

  #longFields(stream: number, list: FieldList, flags: number, most: number): void {
    const block = Buffer.allocUnsafe(most);
    const size = this.encoder.encode(list, block, 0);
    for (let from = 0; from < size; from += FRAME_BYTES) {
      const to = Math.min(from + FRAME_BYTES, size);
      const type = from === 0 ? FrameType.HEADERS : FrameType.CONTINUATION;
      this.#begin(type, (from === 0 ? flags : 0) | (to === size ? Flag.END_HEADERS : 0), stream, to - from);
      this.#put(block.subarray(from, to));
    }
  }

  /** Begins DATA, of which {@link content} has to follow to its end. @param size {@link FRAME_BYTES} at most */
  data(stream: number, size: number, ends: boolean): void {
    this.#begin(FrameType.DATA, ends ? Flag.END_STREAM : 0, stream, size);
  }

  content(bytes: Buffer, from: number, to: number): void {
    bytes.copy(memory, this.#at, from, to);
    this.#at += to - from;
  }

  #begin(type: number, flags: number, stream: number, size: number): void {
    this.#ensure(FRAME_HEAD + size);
    this.#at = writeFrameHead(memory, this.#at, size, type, flags, stream);
  }

  #put(bytes: Buffer): void {
    memory.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  #ensure(size: number): void {
    if (this.#at + size > MEMORY_BYTES) this.flush();
  }

  /** Sends what was gathered. */
  flush(): void {
    if (this.#at === 0) return;
    const bytes = memory.subarray(0, this.#at);
    this.#at = 0;
    const socket = this.#socket;
    // What is certain to wait gets a copy of its own size.
    if (this.#isEncrypted || socket.writableLength > 0) {
      const copy = Buffer.from(bytes);
      socket.write(copy, copy.length < WORTH_FREEING ? undefined : () => freeBuffer(copy));
      return;
    }
    socket.write(bytes);
    if (socket.writableLength > 0) memory = Buffer.allocUnsafeSlow(MEMORY_BYTES);
  }
}
