import { WINDOW_BYTES } from '../../http2/frames.ts';
import type { FrameSender } from './frame-sender.ts';
import { JoinedPieces } from './joined-pieces.ts';

/** Bytes that were taken before the client is told that it may send as many more. */
const CREDIT_BYTES = WINDOW_BYTES >>> 1;

/** Pieces that wait apart. Tiny ones take many times what is in them, and the window lets as many come as bytes. */
const MOST_PIECES = 64;

/** Takes the content of a request. */
export interface InputTaker {
  /** @param piece nobody else has it */
  onContent(piece: Buffer): void;
  /** All of it was taken. */
  onContentEnd(): void;
}

/**
 * `paused`: what comes is kept, as much as the client may send. `flowing`: it is handed on. `dropping`: nobody wants it
 * any more. `over`: no more comes.
 */
type Phase = 'paused' | 'flowing' | 'dropping' | 'over';

/** The content that comes on one stream. The client may send as much as was taken (RFC 9113 §5.2). */
export class StreamInput {
  readonly #taker: InputTaker;
  readonly #sender: FrameSender;
  readonly #pieces: JoinedPieces;
  #id = 0;
  #phase: Phase = 'over';
  /** Whether the client has ended its side, and the taker knows it. */
  #end: 'to-come' | 'come' | 'told' = 'to-come';
  /** What came and is not taken. */
  #queue: Buffer[] = [];
  /** Bytes that the client may still send. */
  #window = 0;
  /** Bytes that were taken, and that it was not told of. */
  #taken = 0;
  /** It reads on when the present turn is over. */
  #isAboutToRead = false;

  constructor(taker: InputTaker, sender: FrameSender) {
    this.#taker = taker;
    this.#sender = sender;
    this.#pieces = new JoinedPieces((piece) => taker.onContent(piece));
  }

  /** Begins with a stream. @param ended nothing comes on it */
  begin(id: number, ended: boolean): void {
    this.#id = id;
    this.#phase = ended ? 'over' : 'paused';
    this.#end = ended ? 'told' : 'to-come';
    this.#window = WINDOW_BYTES;
    this.#taken = 0;
  }

  get isPaused(): boolean {
    return this.#phase === 'paused';
  }

  /** The client has ended its side, and nothing of what it sent is left. */
  get isOver(): boolean {
    return this.#end === 'told';
  }

  /** So many bytes of a frame come. @returns false: more than there may be */
  expect(size: number): boolean {
    this.#window -= size;
    return this.#window >= 0;
  }

  /** So many bytes were taken. */
  credit(size: number): void {
    this.#taken += size;
    if (this.#taken < CREDIT_BYTES || this.#end !== 'to-come') return;
    this.#window += this.#taken;
    this.#sender.credit(this.#id, this.#taken);
    this.#taken = 0;
  }

  /** The bytes from `from` to `to` came. */
  take(bytes: Buffer, from: number, to: number): void {
    if (this.#phase === 'dropping') {
      this.credit(to - from);
      return;
    }
    if (this.#phase === 'over') return;
    const piece = Buffer.from(bytes.subarray(from, to));
    if (this.#phase === 'flowing' && this.#queue.length === 0) this.#give(piece);
    else if (this.#queue.push(piece) > MOST_PIECES) this.#queue = [Buffer.concat(this.#queue)];
  }

  #give(piece: Buffer): void {
    this.credit(piece.length);
    this.#pieces.add(piece);
  }

  /** The client has ended its side. */
  end(): void {
    this.#end = 'come';
    if (this.#phase === 'dropping') this.#end = 'told';
    else this.#tellEnd();
  }

  #tellEnd(): void {
    if (this.#end !== 'come' || this.#phase !== 'flowing' || this.#queue.length > 0) return;
    this.#end = 'told';
    this.#pieces.flush();
    this.#taker.onContentEnd();
  }

  pause(): void {
    if (this.#phase === 'flowing') this.#phase = 'paused';
  }

  /** Hands on what comes; what is here already, when the present turn is over. */
  resume(): void {
    if (this.#phase !== 'paused') return;
    this.#phase = 'flowing';
    if (this.#isAboutToRead || (this.#queue.length === 0 && this.#end !== 'come')) return;
    this.#isAboutToRead = true;
    setImmediate(readOn, this);
  }

  /** Hands on what is here already, and from then on what comes. */
  flow(): void {
    if (this.#phase !== 'paused') return;
    this.#phase = 'flowing';
    this.readOn();
  }

  readOn(): void {
    this.#isAboutToRead = false;
    while (this.#phase === 'flowing' && this.#queue.length > 0) this.#give(this.#queue.shift() as Buffer);
    this.#tellEnd();
  }

  /** Nobody wants any more of it. The client may go on all the same. */
  drop(): void {
    if (this.#phase === 'over') return;
    this.#phase = 'dropping';
    this.#pieces.drop();
    let bytes = 0;
    for (const piece of this.#queue) bytes += piece.length;
    this.#queue = [];
    if (this.#end === 'come') this.#end = 'told';
    this.credit(bytes);
  }

  /** The stream is closed. */
  close(): void {
    this.#phase = 'over';
    this.#end = 'told';
    this.#queue = [];
    this.#pieces.drop();
  }
}

function readOn(input: StreamInput): void {
  input.readOn();
}
