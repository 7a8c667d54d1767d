import type { Duplex } from 'node:stream';
import { PilotlightError, toPilotlightError } from '../../../model/errors.ts';
import type { Clock, Timer } from '../../../util/clock.ts';
import { type Frame, type FrameKind, FrameReader, frameHead, Kind, MAX_FRAME, type Packed, pack } from './frame.ts';

/** Something is sent at least this often, ms. */
const ALIVE_EVERY_MS = 1000;
/** Longest content of the first frame, bytes: nobody is known by then. */
const MAX_FIRST = 4096;
/** What may wait to be sent, bytes: a peer that reads no faster than that is no use, and takes our memory. */
const MAX_QUEUED = 64 * 2 ** 20;
/** Content that is read in one turn, bytes: of what lies ready beyond that, the rest comes after others had theirs. */
const READ_AT_ONCE = 2 ** 20;

/** What goes to many edges at once is made ready once. */
const packed = new WeakMap<object, Packed>();

function packOnce(message: object): Packed {
  const known = packed.get(message);
  if (known !== undefined) return known;
  const made = pack(message);
  packed.set(message, made);
  return made;
}

export interface PeerOptions {
  clock: Clock;
  /** A peer that is silent for so long is gone, ms. */
  leaseMs: number;
  /** Of the lock, as this side knows it: every frame bears it. */
  index: number;
  onFrame: (frame: Frame) => void;
  /** @param cause why it closed; undefined: the peer ended it without a word, or this side did */
  onClose: (cause: PilotlightError | undefined) => void;
}

/** One connection between two members, as frames: bounded both ways, and alive or closed. */
export class Peer {
  readonly #stream: Duplex;
  readonly #options: PeerOptions;
  readonly #timer: Timer;
  #heardAt: number;
  #isCorked = false;
  #closed = false;
  #drained: (() => void)[] = [];
  readonly #reader: FrameReader;
  /** The message that was sent last, and other edges that are to get it. */
  #last: object | undefined;
  #also: number[] = [];

  /** @param known the peer has presented itself: longer frames are taken from the first on */
  constructor(stream: Duplex, options: PeerOptions, known = false) {
    const { clock, leaseMs } = options;
    this.#stream = stream;
    this.#options = options;
    this.#heardAt = clock.now();
    this.#reader = new FrameReader(known ? MAX_FRAME : MAX_FIRST);
    stream.on('data', (chunk: Buffer) => {
      if (this.#closed || this.#endIfSilent(leaseMs)) return;
      this.#heardAt = clock.now();
      this.#reader.push(chunk);
      this.#read();
    });
    stream.on('drain', () => {
      for (const resume of this.#drained.splice(0)) resume();
    });
    stream.on('error', (cause) => this.close(new PilotlightError('CLUSTER_LINK_FAILED', cause.message, cause)));
    stream.on('close', () => this.close());
    this.#timer = clock.every(ALIVE_EVERY_MS, () => {
      if (!this.#endIfSilent(leaseMs)) this.send(Kind.ALIVE, 0);
    });
  }

  /** Ms since it was last heard. */
  get silentMs(): number {
    return this.#options.clock.now() - this.#heardAt;
  }

  /** @throws CLUSTER_PROTOCOL where it is longer than the other side reads */
  send(kind: FrameKind, channel: number, value?: unknown): void {
    this.sendPacked(kind, channel, pack(value));
  }

  sendPacked(kind: FrameKind, channel: number, packed: Packed): void {
    if (this.#closed) return;
    this.#flushAlso();
    this.#write(kind, channel, packed);
  }

  #write(kind: FrameKind, channel: number, packed: Packed): void {
    const stream = this.#stream;
    this.#cork();
    stream.write(frameHead(kind, channel, this.#options.index, packed));
    if (packed.bytes.length > 0) stream.write(packed.bytes);
    if (stream.writableLength > MAX_QUEUED) {
      this.close(new PilotlightError('CLUSTER_LINK_FAILED', `it reads too slowly: ${MAX_QUEUED} bytes wait for it`));
    }
  }

  /** Sends a message to an edge; one that goes to several edges of the peer passes once. What is too long ends the link. */
  sendMessage(channel: number, message: object): void {
    if (this.sendAgain(channel, message)) return;
    const packed = this.attempt(() => packOnce(message));
    if (packed === undefined) return;
    this.sendPacked(Kind.MESSAGE, channel, packed);
    this.#last = message;
  }

  /** @param whole what it makes, with those before; with the last of them alone */
  sendPart(packed: Packed, whole: object | undefined): void {
    this.sendPacked(Kind.PART, 0, packed);
    if (whole !== undefined) this.#last = whole;
  }

  /** Sends to an edge what was sent last. @returns whether that was this message */
  sendAgain(channel: number, message: object): boolean {
    if (message !== this.#last) return false;
    this.#cork();
    this.#also.push(channel);
    return true;
  }

  /** Ends the link where it throws. */
  attempt<Value>(make: () => Value): Value | undefined {
    try {
      return make();
    } catch (error) {
      this.close(toPilotlightError(error));
      return undefined;
    }
  }

  /** Calls back when little waits to be sent: at once, or later. Not at all once it is closed. */
  whenDrained(resume: () => void): void {
    if (this.#closed) return;
    if (this.#stream.writableNeedDrain) this.#drained.push(resume);
    else resume();
  }

  /** Calls back after a lease, closed or not. */
  afterLease(then: () => void): void {
    this.#options.clock.after(this.#options.leaseMs, then);
  }

  /** Ends the connection, behind what was sent before where there is no cause. */
  close(cause?: PilotlightError): void {
    if (this.#closed) return;
    this.#flushAlso();
    this.#closed = true;
    this.#timer.cancel();
    this.#drained = [];
    if (cause === undefined && !this.#stream.destroyed) {
      this.#uncork();
      this.#stream.end();
      this.#options.clock.after(ALIVE_EVERY_MS, () => this.#stream.destroy());
      // Nobody reads what still comes, but the end of it has to be seen.
      this.#stream.resume();
    } else this.#stream.destroy();
    this.#options.onClose(cause);
  }

  /** Reads what has come, but not so much of it that nothing else is heard meanwhile. */
  #read(): void {
    let left = READ_AT_ONCE;
    try {
      while (!this.#closed && left > 0) {
        const frame = this.#reader.next();
        if (frame === undefined) {
          this.#stream.resume();
          return;
        }
        this.#reader.most = MAX_FRAME;
        left -= frame.content.length;
        this.#options.onFrame(frame);
      }
    } catch (error) {
      this.close(toPilotlightError(error));
    }
    if (this.#closed) return;
    this.#stream.pause();
    setImmediate(() => this.#read());
  }

  /** Both sides close a link that was silent for a lease, whatever comes on it later: each may have gone on alone. */
  #endIfSilent(leaseMs: number): boolean {
    const { silentMs } = this;
    if (silentMs <= leaseMs) return false;
    this.close(new PilotlightError('CLUSTER_LINK_FAILED', `nothing came for ${Math.round(silentMs)} ms`));
    return true;
  }

  /** What is sent in one turn goes in one piece. */
  #cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.#stream.cork();
    process.nextTick(() => this.#uncork());
  }

  #flushAlso(): void {
    if (this.#also.length === 0) return;
    const also = this.#also;
    this.#also = [];
    this.#write(Kind.ALSO, 0, pack(also));
  }

  #uncork(): void {
    if (!this.#isCorked) return;
    if (!this.#closed) this.#flushAlso();
    this.#isCorked = false;
    this.#stream.uncork();
  }
}
