import type { FieldList } from '../../http2/field-list.ts';
import { FRAME_BYTES, MOST_WINDOW_BYTES } from '../../http2/frames.ts';
import { freeBuffer, WORTH_FREEING } from '../../io/free-buffer.ts';
import type { FrameSender, SendingStream } from './frame-sender.ts';

/** Hears what became of what it has to send. */
export interface OutputOwner {
  /** Some of the content left. */
  onSent(): void;
  /** Our side of the stream is ended. */
  onEndSent(): void;
  /** All that there was of an answer that breaks off left. */
  onBrokenSent(): void;
}

/**
 * `open`: more may come. `ending`: it ends behind what is here. `breaking`: it is cut behind what is here. `over`: nothing
 * is sent any more.
 */
type Phase = 'open' | 'ending' | 'breaking' | 'over';

/** What waits to be sent on one stream, in its order: heads, content, then trailers. */
export class StreamOutput implements SendingStream {
  isReady = false;
  /** Bytes of content that the client lets us send on the stream (RFC 9113 §5.2); below 0 where it took some back. */
  window = 0;
  waiting = 0;
  readonly #owner: OutputOwner;
  readonly #sender: FrameSender;
  #id = 0;
  #phase: Phase = 'over';
  #heads: FieldList[] = [];
  #pieces: Buffer[] = [];
  /** What is left of the first piece begins here. */
  #offset = 0;
  #trailers: FieldList | undefined;

  constructor(owner: OutputOwner, sender: FrameSender) {
    this.#owner = owner;
    this.#sender = sender;
  }

  /** Begins with a stream. */
  begin(id: number): void {
    this.#id = id;
    this.#phase = 'open';
    this.window = this.#sender.initialWindow;
  }

  /** Nothing more is sent: drops what waits. */
  drop(): void {
    this.#phase = 'over';
    this.waiting = 0;
    this.#heads.length = 0;
    if (this.#pieces.length > 0) this.#pieces = [];
    this.#offset = 0;
    this.#trailers = undefined;
  }

  /** The client lets so many bytes more be sent, or fewer. @returns false: more than there may be */
  grow(bytes: number): boolean {
    this.window += bytes;
    if (this.window > MOST_WINDOW_BYTES) return false;
    if (this.waiting > 0 && this.window > 0) this.#sender.ready(this);
    return true;
  }

  /** Something is left to send. */
  get isWaiting(): boolean {
    return this.waiting > 0 || this.#heads.length > 0 || this.#phase === 'ending' || this.#phase === 'breaking';
  }

  /** More can be written. */
  get isOpen(): boolean {
    return this.#phase === 'open';
  }

  head(list: FieldList): void {
    if (this.#phase !== 'open') return;
    this.#heads.push(list);
    this.#sender.ready(this);
  }

  /** @param piece is left to it */
  content(piece: Buffer): void {
    if (this.#phase !== 'open' || piece.length === 0) return;
    this.#pieces.push(piece);
    this.waiting += piece.length;
    this.#sender.ready(this);
  }

  /** It ends behind what was written. @param trailers undefined: there are none */
  end(trailers?: FieldList): void {
    if (this.#phase !== 'open') return;
    this.#phase = 'ending';
    this.#trailers = trailers;
    this.#sender.ready(this);
  }

  /** It is cut behind what was written. */
  breakOff(): void {
    if (this.#phase !== 'open') return;
    this.#phase = 'breaking';
    this.#sender.ready(this);
  }

  emit(): boolean {
    if (this.#phase === 'over') return false;
    if (this.#heads.length > 0 && this.#emitHeads()) return false;
    if (this.waiting > 0) {
      if (this.#emitContent()) return false;
      if (this.waiting > 0) return this.window > 0 && this.#sender.window > 0;
    }
    this.#emitEnd();
    return false;
  }

  /** @returns whether the stream ends with them */
  #emitHeads(): boolean {
    const { writer } = this.#sender;
    const heads = this.#heads;
    const ends = this.#phase === 'ending' && this.waiting === 0 && this.#trailers === undefined;
    for (let i = 0; i < heads.length; i++)
      writer.fields(this.#id, heads[i] as FieldList, ends && i === heads.length - 1);
    heads.length = 0;
    if (ends) this.#ended();
    return ends;
  }

  /** @returns whether the stream ends with it */
  #emitContent(): boolean {
    const sender = this.#sender;
    const size = Math.min(this.waiting, this.window, sender.window, FRAME_BYTES);
    if (size <= 0) return false;
    const ends = size === this.waiting && this.#phase === 'ending' && this.#trailers === undefined;
    sender.writer.data(this.#id, size, ends);
    this.#take(size);
    this.window -= size;
    sender.window -= size;
    this.waiting -= size;
    this.#owner.onSent();
    if (ends) this.#ended();
    return ends;
  }

  /** Writes so many bytes of the pieces. */
  #take(size: number): void {
    const { writer } = this.#sender;
    const pieces = this.#pieces;
    let left = size;
    let done = 0;
    while (left > 0) {
      const piece = pieces[done] as Buffer;
      const end = Math.min(this.#offset + left, piece.length);
      writer.content(piece, this.#offset, end);
      left -= end - this.#offset;
      this.#offset = end;
      if (end < piece.length) break;
      this.#offset = 0;
      done++;
      if (piece.length >= WORTH_FREEING) freeBuffer(piece);
    }
    if (done === pieces.length) pieces.length = 0;
    else if (done > 0) pieces.splice(0, done);
  }

  #emitEnd(): void {
    const { writer } = this.#sender;
    if (this.#phase === 'ending') {
      if (this.#trailers === undefined) writer.data(this.#id, 0, true);
      else writer.fields(this.#id, this.#trailers, true);
      this.#ended();
    } else if (this.#phase === 'breaking') {
      this.#phase = 'over';
      this.#owner.onBrokenSent();
    }
  }

  #ended(): void {
    this.#phase = 'over';
    this.#trailers = undefined;
    this.#owner.onEndSent();
  }
}
