import { ErrorCode, Flag, FRAME_BYTES, FRAME_HEAD, FrameType, PREFACE } from './frames.ts';

/** Gets the frames of one client in their order. */
export interface FrameTaker {
  /** A whole frame that is no DATA; its payload is the bytes from `from` to `to`, until this returns. */
  onFrame(type: number, flags: number, stream: number, bytes: Buffer, from: number, to: number): void;
  /**
   * A DATA frame begins.
   * @param size bytes of its payload, which flow control counts
   * @param content bytes of its content: without its padding
   */
  onDataBegin(flags: number, stream: number, size: number, content: number): void;
  /** A part of its content: the bytes from `from` to `to`, until this returns. */
  onData(bytes: Buffer, from: number, to: number): void;
  onDataEnd(flags: number): void;
  /** What came breaks a rule that concerns the connection; no more is read. @param code one of {@link ErrorCode} */
  onBroken(code: number): void;
}

/** How long one may go on reading. */
interface ReadTime {
  /** Looked at behind each frame or piece of one. */
  readonly isOver: boolean;
}

/**
 * `preface`: the connection begins. `head`: a frame is to come, or a part of what stands before its payload came.
 * `payload`: a frame of another type is not complete. `padded`: the length of DATA's padding comes next. `data`: content
 * is to come, then padding. `stopped`: nothing is read any more.
 */
type Phase = 'preface' | 'head' | 'payload' | 'padded' | 'data' | 'stopped';

/**
 * Reads the frames of HTTP/2 (RFC 9113 §4.1) from bytes in any pieces. Content is handed on as it comes, other frames
 * when they are complete: only of one that is in two pieces is a copy made, of {@link FRAME_BYTES} at most.
 */
export class FrameReader {
  readonly #taker: FrameTaker;
  #phase: Phase = 'preface';
  /** What came of the preface, of a frame's head, or of a frame that is no DATA. */
  #held = Buffer.allocUnsafeSlow(PREFACE.length);
  #filled = 0;
  #flags = 0;
  #stream = 0;
  /** Bytes of content and of padding that are still to come of a DATA frame. */
  #content = 0;
  #padding = 0;

  constructor(taker: FrameTaker) {
    this.#taker = taker;
  }

  /** Reads no more, from the present frame on. */
  stop(): void {
    this.#phase = 'stopped';
  }

  /** Bytes that came of a frame that is not complete, without its content. */
  get partial(): number {
    return this.#filled;
  }

  get isStopped(): boolean {
    return this.#phase === 'stopped';
  }

  /** Reads the bytes from `at` to `to`, or as many as there is time for. @returns where the rest begins */
  read(bytes: Buffer, at: number, to: number, time?: ReadTime): number {
    let from = at;
    while (from < to) {
      if (this.#phase === 'stopped') return to;
      from = this.#step(bytes, from, to);
      if (time?.isOver) break;
    }
    return from;
  }

  /** @returns where the rest begins */
  #step(bytes: Buffer, at: number, to: number): number {
    switch (this.#phase) {
      case 'head':
        return this.#filled === 0 && to - at >= FRAME_HEAD ? this.#whole(bytes, at, to) : this.#head(bytes, at, to);
      case 'payload':
        return this.#payload(bytes, at, to);
      case 'padded':
        this.#begin(this.#content, bytes[at] as number);
        return at + 1;
      case 'data':
        return this.#data(bytes, at, to);
      default:
        return this.#preface(bytes, at, to);
    }
  }

  #preface(bytes: Buffer, at: number, to: number): number {
    const end = this.#hold(bytes, at, to, PREFACE.length);
    if (!this.#held.subarray(0, this.#filled).equals(PREFACE.subarray(0, this.#filled))) this.#break();
    else if (this.#filled === PREFACE.length) this.#next();
    return end;
  }

  #next(): void {
    if (this.#phase === 'stopped') return;
    this.#phase = 'head';
    this.#filled = 0;
  }

  #break(code: number = ErrorCode.PROTOCOL_ERROR): void {
    this.#phase = 'stopped';
    this.#taker.onBroken(code);
  }

  /** Copies bytes until so many are held. @returns where the rest begins */
  #hold(bytes: Buffer, at: number, to: number, size: number): number {
    const end = Math.min(to, at + size - this.#filled);
    bytes.copy(this.#held, this.#filled, at, end);
    this.#filled += end - at;
    return end;
  }

  /** A frame's head is in two pieces. */
  #head(bytes: Buffer, at: number, to: number): number {
    const end = this.#hold(bytes, at, to, FRAME_HEAD);
    if (this.#filled < FRAME_HEAD) return end;
    const size = sizeAt(this.#held, 0);
    if (size > FRAME_BYTES) {
      this.#break(ErrorCode.FRAME_SIZE_ERROR);
    } else if (this.#held[3] === FrameType.DATA) {
      this.#filled = 0;
      this.#beginData(this.#held, 0, size);
    } else if (size === 0) {
      this.#filled = 0;
      this.#give(this.#held, 0, 0);
    } else {
      this.#await(this.#held, 0, FRAME_HEAD, size);
    }
    return end;
  }

  /** What stands before a payload is here, and maybe all of it. */
  #whole(bytes: Buffer, at: number, to: number): number {
    const size = sizeAt(bytes, at);
    if (size > FRAME_BYTES) {
      this.#break(ErrorCode.FRAME_SIZE_ERROR);
      return to;
    }
    if (bytes[at + 3] === FrameType.DATA) {
      this.#beginData(bytes, at, size);
      return at + FRAME_HEAD;
    }
    const end = at + FRAME_HEAD + size;
    if (end > to) {
      this.#await(bytes, at, to, size);
      return to;
    }
    this.#give(bytes, at, size);
    return end;
  }

  /** Keeps what is here of a frame, from `at` to `to`. */
  #await(bytes: Buffer, at: number, to: number, size: number): void {
    const held = Buffer.allocUnsafe(FRAME_HEAD + size);
    this.#filled = bytes.copy(held, 0, at, to);
    this.#held = held;
    this.#phase = 'payload';
  }

  #payload(bytes: Buffer, at: number, to: number): number {
    const held = this.#held;
    const end = this.#hold(bytes, at, to, held.length);
    if (this.#filled < held.length) return end;
    this.#held = Buffer.allocUnsafeSlow(FRAME_HEAD);
    this.#next();
    this.#give(held, 0, held.length - FRAME_HEAD);
    return end;
  }

  #give(bytes: Buffer, at: number, size: number): void {
    const from = at + FRAME_HEAD;
    this.#taker.onFrame(
      bytes[at + 3] as number,
      bytes[at + 4] as number,
      streamAt(bytes, at),
      bytes,
      from,
      from + size,
    );
  }

  #beginData(head: Buffer, at: number, size: number): void {
    this.#flags = head[at + 4] as number;
    this.#stream = streamAt(head, at);
    this.#content = size;
    if ((this.#flags & Flag.PADDED) === 0) this.#begin(size, -1);
    else if (size === 0) this.#break(ErrorCode.FRAME_SIZE_ERROR);
    else this.#phase = 'padded';
  }

  /** @param padding -1: there is none, not even its length */
  #begin(size: number, padding: number): void {
    const content = size - 1 - padding;
    if (content < 0) {
      this.#break();
      return;
    }
    this.#content = content;
    this.#padding = Math.max(padding, 0);
    this.#phase = 'data';
    this.#taker.onDataBegin(this.#flags, this.#stream, size, content);
    this.#endIfOver();
  }

  #data(bytes: Buffer, at: number, to: number): number {
    const end = Math.min(to, at + this.#content);
    if (end > at) {
      this.#content -= end - at;
      this.#taker.onData(bytes, at, end);
      this.#endIfOver();
      return end;
    }
    const skipped = Math.min(to - at, this.#padding);
    this.#padding -= skipped;
    this.#endIfOver();
    return at + skipped;
  }

  #endIfOver(): void {
    if (this.#content > 0 || this.#padding > 0 || this.#phase === 'stopped') return;
    this.#next();
    this.#taker.onDataEnd(this.#flags);
  }
}

function sizeAt(bytes: Buffer, at: number): number {
  return ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
}

/** Its highest bit has no meaning (RFC 9113 §4.1). */
function streamAt(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at + 5) & 0x7fff_ffff;
}
