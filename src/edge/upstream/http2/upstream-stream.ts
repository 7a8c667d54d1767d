import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2';
import { checkedTrailers } from '../../http1/body.ts';
import { Fault, type FaultText } from '../../http1/faults.ts';
import { Framing, type FramingKind } from '../../http1/framing.ts';
import { ResponseHead } from '../../http1/response.ts';
import { addLines, headersOf } from '../../http2/field-list.ts';
import { toKeep } from '../../io/shared-read.ts';
import type { Carrier, CarrierPhase, UpstreamConsumer, UpstreamFailure, UpstreamOpener } from '../carrier.ts';
import { requestFields } from './request-fields.ts';
import { responseText } from './response-text.ts';
import type { SessionFault, UpstreamSession } from './upstream-session.ts';

/** Where a stream waits for a session. */
interface Waitlist {
  giveUp(stream: UpstreamStream): void;
}

/** The object that a stream of Node belongs to. */
const SERVES = Symbol('serves');
type Owned = ClientHttp2Stream & { [SERVES]?: UpstreamStream | undefined };
type Final = (this: ClientHttp2Stream, done: (error?: Error | null) => void) => void;

/** Heads up to this size are read in a place that all share. */
const SCRATCH_BYTES = 64 * 1024;
const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
/** A session that had a request so shortly before is hardly about to close, ms. */
const BUSY_MS = 10;
/** Codes by which either end says that the other broke the rules (RFC 9113 §7). */
const BREACHES = new Set<number>([
  constants.NGHTTP2_PROTOCOL_ERROR,
  constants.NGHTTP2_FLOW_CONTROL_ERROR,
  constants.NGHTTP2_FRAME_SIZE_ERROR,
  constants.NGHTTP2_COMPRESSION_ERROR,
]);

/** One request to an endpoint on a stream of HTTP/2, and its answer. */
export class UpstreamStream implements Carrier {
  readonly response = new ResponseHead(true);
  readonly mayGiveBack = true;
  trailers = '';
  fault: FaultText | undefined;
  reason = '';
  errorCode = '';
  uses = 0;
  hasEnded = false;
  #phase: CarrierPhase = 'connecting';
  /** While it waits for a session. */
  #opener: UpstreamOpener | undefined;
  #waitlist: Waitlist | undefined;
  #consumer: UpstreamConsumer | undefined;
  #session: UpstreamSession | undefined;
  #stream: Owned | undefined;
  #isStale = false;
  #answering = false;
  #isPaused = false;
  /** Our side has come to its end, or has to. */
  #isWhole = false;
  /** The endpoint has ended its side with a frame, and not by taking the stream back. */
  #isWholeAnswer = false;
  #tunnelKey: string | undefined;
  #requestTrailers = '';
  /** Bytes of content that the answer may still have. */
  #left = 0;
  #rawTrailers: readonly string[] | undefined;
  #isFlushing = false;

  constructor(opener: UpstreamOpener | undefined, waitlist: Waitlist | undefined) {
    this.#opener = opener;
    this.#waitlist = waitlist;
  }

  /** Makes one on a session that has room. @param now the clock's ms */
  static on(session: UpstreamSession, now: number): UpstreamStream {
    const stream = new UpstreamStream(undefined, undefined);
    stream.uses = session.served;
    stream.#isStale = session.served < 2 || now - session.takenAt >= BUSY_MS;
    session.takenAt = now;
    stream.#join(session);
    return stream;
  }

  /** A session has room for it. */
  connect(session: UpstreamSession): void {
    this.#join(session);
    const opener = this.#opener;
    this.#opener = undefined;
    opener?.onConnected(this);
  }

  #join(session: UpstreamSession): void {
    this.#waitlist = undefined;
    this.#session = session;
    this.#phase = 'idle';
    session.streams++;
  }

  /** There is no session for it. */
  fail({ failure, reason, errorCode, fault }: SessionFault): void {
    const opener = this.#opener;
    this.#opener = undefined;
    this.#waitlist = undefined;
    this.#phase = 'closed';
    this.reason = reason;
    this.errorCode = errorCode;
    this.fault = fault;
    opener?.onUpstreamFailure(this, failure);
  }

  get phase(): CarrierPhase {
    return this.#phase;
  }

  get usable(): boolean {
    return this.#phase === 'idle' && this.#session?.isOpen === true;
  }

  get isAnswering(): boolean {
    return this.#answering;
  }

  mayBeStale(): boolean {
    return this.#isStale;
  }

  // ── request ───────────────────────────────────────────────────────────────────────────────────────────────────────

  take(consumer: UpstreamConsumer): void {
    this.#consumer = consumer;
    this.#phase = 'head';
  }

  begin(
    head: string,
    pieces: readonly Buffer[],
    bytes: number,
    framing: FramingKind,
    done: boolean,
    trailers: string,
  ): boolean {
    const session = this.#session as UpstreamSession;
    const { list, tunnelKey } = requestFields(head, session.isSecure);
    if (tunnelKey !== undefined && !session.opensTunnels) return this.#failLater('tunnel');
    this.#tunnelKey = tunnelKey;
    const isTunnel = tunnelKey !== undefined;
    const isOver = done && !isTunnel;
    const isEmpty = isOver && bytes === 0 && trailers === '';
    this.#isWhole = isOver;
    this.#requestTrailers = trailers;
    const mayTrail = framing === Framing.CHUNKED && (!done || trailers !== '');
    const stream: Owned | undefined = session.request(list, isEmpty, mayTrail);
    if (stream === undefined) return this.#failLater('unprocessed');
    this.#stream = stream;
    stream[SERVES] = this;
    stream._final = endIfWhole;
    stream.push = pushNoting;
    stream.on('response', onResponse);
    stream.on('headers', onInterim);
    stream.on('trailers', onTrailers);
    stream.on('close', onClose);
    stream.on('error', onError);
    if (isEmpty) return true;
    stream.on('drain', onDrain);
    if (mayTrail) stream.on('wantTrailers', onWantTrailers);
    for (const piece of pieces) stream.write(toKeep(piece));
    if (isOver) stream.end();
    return !stream.writableNeedDrain;
  }

  #failLater(failure: UpstreamFailure): true {
    queueMicrotask(() => this.#lose(failure));
    return true;
  }

  send(piece: Buffer): boolean {
    const stream = this.#stream;
    if (stream === undefined || stream.destroyed || stream.writableEnded) return true;
    stream.write(toKeep(piece));
    return !stream.writableNeedDrain;
  }

  sendEnd(_framing: FramingKind, trailers: string): void {
    this.#requestTrailers = trailers;
    this.endTunnel();
  }

  endTunnel(): void {
    this.#isWhole = true;
    this.#stream?.end();
  }

  get isWhole(): boolean {
    return this.#isWhole;
  }

  onDrain(): void {
    this.#consumer?.onUpstreamDrain();
  }

  sendTrailers(): void {
    const list: string[] = [];
    addLines(list, this.#requestTrailers);
    if (this.#stream?.destroyed === false) this.#stream.sendTrailers(headersOf(list));
  }

  // ── answer ────────────────────────────────────────────────────────────────────────────────────────────────────────

  tunnel(): void {
    this.#phase = 'tunnel';
  }

  onInterim(raw: readonly string[]): void {
    const consumer = this.#consumer;
    if (consumer === undefined || this.#phase !== 'head' || !this.#read(consumer, raw, false)) return;
    consumer.onResponseHead(this);
    this.#flushLater();
  }

  onResponse(raw: readonly string[], ended: boolean): void {
    const consumer = this.#consumer;
    if (consumer === undefined || this.#phase !== 'head' || !this.#read(consumer, raw, ended)) return;
    const { framing, length } = this.response;
    this.#phase = 'body';
    this.#left = framing === Framing.LENGTH ? length : framing === Framing.CHUNKED ? Number.POSITIVE_INFINITY : 0;
    if (this.response.status === 101) this.#left = Number.POSITIVE_INFINITY;
    consumer.onResponseHead(this);
    const stream = this.#stream;
    if (this.#consumer !== consumer || stream === undefined) return;
    stream.on('data', onData);
    stream.on('end', onEnd);
    if (this.#isPaused) stream.pause();
    this.#flushLater();
  }

  /** Reads a head. @returns whether it is sound */
  #read(consumer: UpstreamConsumer, raw: readonly string[], ended: boolean): boolean {
    this.#answering = true;
    const { limits } = this.#session as UpstreamSession;
    const translated = responseText(raw, consumer.method, ended, this.#tunnelKey);
    if (typeof translated === 'string') return this.#distrust(translated);
    const { text, fields } = translated;
    if (text.length > limits.head) return this.#distrust(Fault.HEAD_TOO_LONG);
    const bytes = text.length <= SCRATCH_BYTES ? scratch : Buffer.allocUnsafe(text.length);
    bytes.write(text, 0, 'latin1');
    const { response } = this;
    if (!response.parse(text, bytes, 0, consumer.method, limits.fields)) return this.#distrust(response.fault);
    return response.head.count === fields || this.#distrust(Fault.CONTROL);
  }

  onData(piece: Buffer): void {
    const consumer = this.#consumer;
    if (consumer === undefined) return;
    if (piece.length > this.#left) {
      this.#distrust(Fault.WRONG_LENGTH);
      return;
    }
    this.#left -= piece.length;
    consumer.onResponseBody(piece, 0, piece.length);
    this.#flushLater();
  }

  /** They may come before what is in front of them is read. */
  onTrailers(raw: readonly string[]): void {
    this.#rawTrailers = raw;
  }

  /** The endpoint's side is read to its end. */
  onEnd(): void {
    this.hasEnded = true;
    const consumer = this.#consumer;
    if (consumer === undefined || !this.#isWholeAnswer) return;
    if (this.#phase === 'tunnel') {
      consumer.onTunnelEnd();
    } else if (this.#left > 0 && this.#left !== Number.POSITIVE_INFINITY) {
      this.#distrust(Fault.WRONG_LENGTH);
    } else if (this.#takeTrailers()) {
      this.#consumer = undefined;
      this.#phase = 'closed';
      consumer.onResponseEnd(this);
      consumer.onReadEnd();
    } else this.#distrust(Fault.BAD_TRAILERS);
  }

  #takeTrailers(): boolean {
    const raw = this.#rawTrailers;
    if (raw === undefined) return true;
    let text = '';
    for (let at = 0; at < raw.length; at += 2) text += `${raw[at]}: ${raw[at + 1]}\r\n`;
    const { limits } = this.#session as UpstreamSession;
    const checked = text.length > limits.trailers ? undefined : checkedTrailers(text, raw.length / 2);
    this.trailers = checked ?? '';
    return checked !== undefined;
  }

  /** A frame of the endpoint said that nothing follows. */
  noteEnd(): void {
    this.#isWholeAnswer = true;
  }

  /** What comes in one read goes on together: Node hands over its parts one by one. */
  #flushLater(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    queueMicrotask(this.#flush);
  }

  readonly #flush = (): void => {
    this.#isFlushing = false;
    this.#consumer?.onReadEnd();
  };

  pauseReading(): void {
    this.#isPaused = true;
    if (this.#phase === 'body' || this.#phase === 'tunnel') this.#stream?.pause();
  }

  resumeReading(): void {
    this.#isPaused = false;
    if (this.#phase === 'body' || this.#phase === 'tunnel') this.#stream?.resume();
  }

  // ── end ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  giveBack(isSent: boolean): void {
    // What was not sent yet is of no use to the endpoint any more.
    if (this.#stream === undefined) this.destroy();
    else if (!isSent || !this.#stream.writableFinished) this.#close(constants.NGHTTP2_NO_ERROR);
  }

  destroy(): void {
    if (this.#phase === 'head' && !this.#answering) this.#session?.doubt();
    this.#waitlist?.giveUp(this);
    this.#opener = undefined;
    this.#waitlist = undefined;
    this.#consumer = undefined;
    this.#close(constants.NGHTTP2_CANCEL);
  }

  #close(code: number): void {
    const session = this.#session;
    this.#phase = 'closed';
    if (this.#stream !== undefined) {
      if (!this.#stream.closed) this.#stream.close(code);
      // Node keeps a stream until what came is read.
      this.#stream.resume();
    } else if (session !== undefined) {
      this.#session = undefined;
      session.release();
    }
  }

  #distrust(fault: FaultText): false {
    this.fault = fault;
    this.#lose('protocol', constants.NGHTTP2_PROTOCOL_ERROR);
    return false;
  }

  #lose(failure: UpstreamFailure, code: number = constants.NGHTTP2_CANCEL): void {
    const consumer = this.#consumer;
    this.#consumer = undefined;
    this.#close(code);
    consumer?.onUpstreamFailure(this, failure);
  }

  /** The stream is closed, by whomever. */
  onClose(): void {
    const stream = this.#stream as Owned;
    const session = this.#session as UpstreamSession;
    stream[SERVES] = undefined;
    const failure = this.#failureOf(stream, session);
    session.release();
    const consumer = this.#consumer;
    this.#consumer = undefined;
    this.#phase = 'closed';
    consumer?.onUpstreamFailure(this, failure);
  }

  #failureOf(stream: Owned, session: UpstreamSession): UpstreamFailure {
    const code = stream.rstCode;
    const isRefused = code === constants.NGHTTP2_REFUSED_STREAM || session.hasReturned(stream.id);
    if (isRefused && !this.#answering) return 'unprocessed';
    if (code === constants.NGHTTP2_HTTP_1_1_REQUIRED) this.fault = Fault.WANTS_HTTP1;
    else if (code !== undefined && BREACHES.has(code)) this.fault = Fault.BROKEN_STREAM;
    else return 'reset';
    return 'protocol';
  }
}

// Listeners that all streams share: a closure each would cost more than all the rest of a stream.

/**
 * Ends our side in order, but not of a request that is no whole one: Node ends streams that it closes for some other
 * reason, and what it sends for that (END_STREAM) would make a part look complete.
 */
function endIfWhole(this: Owned, done: (error?: Error | null) => void): void {
  if (this[SERVES]?.isWhole !== true) {
    done();
    return;
  }
  const { _final: end } = Object.getPrototypeOf(this) as { _final: Final };
  end.call(this, done);
}

/** Notes the end that a frame brings: Node ends the reading of streams that are taken back in order in the same way. */
function pushNoting(this: Owned, chunk: unknown, encoding?: BufferEncoding): boolean {
  if (chunk === null && !this.closed) this[SERVES]?.noteEnd();
  const { push } = Object.getPrototypeOf(this) as ClientHttp2Stream;
  return push.call(this, chunk, encoding);
}

function onResponse(this: Owned, _headers: IncomingHttpHeaders, flags: number, raw: readonly string[] = []): void {
  this[SERVES]?.onResponse(raw, (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0);
}

function onInterim(this: Owned, _headers: IncomingHttpHeaders, _flags: number, raw: readonly string[] = []): void {
  this[SERVES]?.onInterim(raw);
}

function onTrailers(this: Owned, _headers: IncomingHttpHeaders, _flags: number, raw: readonly string[] = []): void {
  this[SERVES]?.onTrailers(raw);
}

function onData(this: Owned, piece: Buffer): void {
  this[SERVES]?.onData(piece);
}

function onEnd(this: Owned): void {
  this[SERVES]?.onEnd();
}

function onDrain(this: Owned): void {
  this[SERVES]?.onDrain();
}

function onWantTrailers(this: Owned): void {
  this[SERVES]?.sendTrailers();
}

function onClose(this: Owned): void {
  this[SERVES]?.onClose();
}

/** Its close tells all there is to know. */
function onError(): void {}
