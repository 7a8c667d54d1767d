import type { Socket } from 'node:net';
import { FrameWriter } from '../../http2/frame-writer.ts';
import { MOST_WINDOW_BYTES, resetFrame, WINDOW_BYTES, windowFrame } from '../../http2/frames.ts';

/** Bytes of answers to the client's frames, such as PING, that may wait for it. */
const MOST_CONTROL = 64 * 1024;

/** A stream that has something to send. */
export interface SendingStream {
  /** The sender has it in its list. Owned by {@link FrameSender}. */
  isReady: boolean;
  /** Bytes of content that wait. */
  readonly waiting: number;
  /** Writes what may go now, one frame of content at most. @returns whether it can go on at once */
  emit(): boolean;
}

/** Whose frames they are. */
export interface SenderOwner {
  /** The client takes nothing of what it asks for. */
  onFlooded(): void;
}

/**
 * Sends the frames of one connection. What comes within one turn leaves in one write at its end; of the streams that have
 * something to send, each sends one frame of content in its turn.
 */
export class FrameSender {
  readonly writer: FrameWriter;
  /** Bytes of content that the client lets us send on the connection (RFC 9113 §5.2). */
  window = WINDOW_BYTES;
  /** … and on a new stream. */
  initialWindow = WINDOW_BYTES;
  readonly #owner: SenderOwner;
  readonly #socket: Socket;
  #ready: SendingStream[] = [];
  #control: Buffer[] = [];
  #controlBytes = 0;
  #isScheduled = false;
  #isOver = false;

  constructor(socket: Socket, owner: SenderOwner) {
    this.#socket = socket;
    this.#owner = owner;
    this.writer = new FrameWriter(socket);
  }

  /** Sends a frame that waits for no window, before all that do. */
  control(frame: Buffer): void {
    if (this.#isOver) return;
    this.#control.push(frame);
    this.#controlBytes += frame.length;
    if (this.#controlBytes > MOST_CONTROL) this.#owner.onFlooded();
    else this.#schedule();
  }

  /** @param code see `ErrorCode` */
  reset(stream: number, code: number): void {
    this.control(resetFrame(stream, code));
  }

  /** Lets the client send so many bytes more. @param stream 0: on the connection */
  credit(stream: number, bytes: number): void {
    this.control(windowFrame(stream, bytes));
  }

  /** A stream has something to send. */
  ready(stream: SendingStream): void {
    if (stream.isReady || this.#isOver) return;
    stream.isReady = true;
    this.#ready.push(stream);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(pump, this);
  }

  /** The client lets us send more on the connection. @returns false: more than there may be */
  grow(bytes: number, streams: Iterable<{ readonly output: SendingStream }>): boolean {
    const wasShut = this.window <= 0;
    this.window += bytes;
    if (this.window > MOST_WINDOW_BYTES) return false;
    if (wasShut && this.window > 0) for (const { output } of streams) if (output.waiting > 0) this.ready(output);
    return true;
  }

  /** Writes what may be sent now. */
  pump(): void {
    if (!this.#isOver && this.writer.keepsUp) this.#send();
    this.#isScheduled = false;
  }

  #send(): void {
    const ready = this.#ready;
    let next = 0;
    this.#writeControl();
    while (next < ready.length && this.writer.keepsUp) {
      const stream = ready[next++] as SendingStream;
      stream.isReady = false;
      if (stream.emit()) this.ready(stream);
    }
    if (next === ready.length) ready.length = 0;
    else ready.splice(0, next);
    this.#writeControl();
    this.writer.flush();
  }

  #writeControl(): void {
    if (this.#control.length === 0) return;
    for (const frame of this.#control) this.writer.frame(frame);
    this.#control.length = 0;
    this.#controlBytes = 0;
  }

  /** Sends what waits without a window, and this last frame. */
  end(last?: Buffer): void {
    if (this.#isOver) return;
    if (last !== undefined) this.#control.push(last);
    this.#writeControl();
    this.writer.flush();
    this.close();
    this.#socket.end();
  }

  /** Nothing is sent any more. */
  close(): void {
    this.#isOver = true;
    for (const stream of this.#ready) stream.isReady = false;
    this.#ready = [];
    this.#control = [];
  }
}

function pump(sender: FrameSender): void {
  sender.pump();
}
