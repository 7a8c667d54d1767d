import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { RefusalCode } from '../../../model/refusals.ts';
import type { Member } from '../../../util/members.ts';
import { isGrpc } from '../../answer/grpc.ts';
import type { Downstream, Peer } from '../../exchange/downstream.ts';
import { Exchange } from '../../exchange/exchange.ts';
import { Fault, type FaultText } from '../../http1/faults.ts';
import { RequestHead } from '../../http1/request.ts';
import type { DeadlineEntry } from '../../io/deadlines.ts';
import type { ClientContext } from '../context.ts';
import type { ListenerContext } from '../listener-context.ts';
import { answerUnread, tooLarge } from '../unread-request.ts';
import type { ByteAccount } from './byte-account.ts';
import { JoinedPieces } from './joined-pieces.ts';
import { type RequestText, requestText } from './request-text.ts';
import { StreamBody } from './stream-body.ts';
import type { SharedConnection } from './stream-watch.ts';
import { StreamWriter } from './stream-writer.ts';

/**
 * `free`: it has no stream. `fresh`: a request came, and the read that brought it is not over. `exchange`: it is being
 * served. `closing`: its answer is written, and the stream closes when the client has taken it.
 */
type Phase = 'free' | 'fresh' | 'exchange' | 'closing';

/**
 * How a stream ended. `answered`: the client has its answer. `malformed`: it was no request. `reset`: the client, or
 * what reads its frames, ended it before. `cut`: we did.
 */
export type StreamEnd = 'answered' | 'malformed' | 'reset' | 'cut';

/** Whose streams they are. */
export interface StreamOwner extends SharedConnection {
  /** Is told what its bytes were for. */
  readonly account: ByteAccount;
  readonly peer: Peer;
  /** The connection was cut, as its client took nothing. */
  readonly hasStalled: boolean;
  /** The stream is closed; the object may be used for another one. */
  onStreamEnd(stream: RequestStream, end: StreamEnd): void;
  /** The request on it is served. */
  onServed(): void;
}

/** The object that serves a stream. */
const SERVED_BY = Symbol('served by');
type Owned = ServerHttp2Stream & { [SERVED_BY]?: RequestStream | undefined };
type Final = (this: ServerHttp2Stream, done: (error?: Error | null) => void) => void;

/** Heads up to this size are read in a place that all share. */
const SCRATCH_BYTES = 64 * 1024;
const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
/** How long a client may go on sending behind its answer, ms. */
const END_MS = 2000;
/** One request of HTTP/2, on a stream of its own. The object belongs to a session, which uses it for many streams. */
export class RequestStream implements Downstream, DeadlineEntry, Member {
  deadline = 0;
  filed = 0;
  slotPlace = 0;
  place = 0;
  readonly version = '2.0';
  readonly request = new RequestHead();
  readonly body = new StreamBody();
  readonly peer: Peer;
  readonly answer: StreamWriter;
  hasEnded = false;
  awaitsContinue = false;
  /** A call of gRPC may talk both ways. */
  mayPause = false;
  readonly #owner: StreamOwner;
  readonly #context: ClientContext;
  readonly #listener: ListenerContext;
  readonly #exchange: Exchange;
  #stream: Owned | undefined;
  /** Fields of the request, until it begins, and those of its end. */
  #raw: readonly string[] = [];
  #rawTrailers: readonly string[] | undefined;
  #phase: Phase = 'free';
  /** What follows the head is no content. */
  #isTunnel = false;
  /** How it will have ended where the client does not end it before. */
  #end: StreamEnd = 'answered';
  /** What came for a tunnel before there was one. */
  #early: Buffer[] | undefined;
  readonly #pieces = new JoinedPieces((piece) => {
    if (this.#phase === 'exchange') this.#onPiece(piece);
  });

  constructor(owner: StreamOwner, context: ClientContext, listener: ListenerContext) {
    this.#owner = owner;
    this.peer = owner.peer;
    this.#context = context;
    this.#listener = listener;
    this.answer = new StreamWriter(this, owner, context, listener);
    this.#exchange = new Exchange(this, context);
  }

  /** Takes a stream whose head came. Nothing is done about it before {@link begin}. @param raw names and values in turn */
  take(stream: ServerHttp2Stream, raw: readonly string[]): void {
    this.#stream = stream;
    (stream as Owned)[SERVED_BY] = this;
    this.#raw = raw;
    this.#rawTrailers = undefined;
    this.#phase = 'fresh';
    this.hasEnded = false;
    this.awaitsContinue = false;
    this.#isTunnel = false;
    this.#end = 'answered';
    this.#early = undefined;
    stream._final = endIfWhole;
    this.answer.begin(stream);
    stream.on('close', onClose);
    stream.on('error', onError);
    if (!stream.endAfterHeaders) stream.on('trailers', onTrailers);
  }

  /** Serves the request, unless it is gone by now. */
  begin(): void {
    const stream = this.#stream;
    if (this.#phase !== 'fresh' || stream === undefined) return;
    const ended = stream.endAfterHeaders;
    const refusal = this.#parse(ended);
    if (refusal !== undefined) {
      this.#refuseUnread(refusal, this.request.fault);
      return;
    }
    this.#raw = [];
    this.mayPause = !ended && isGrpc(this.request.head.get('content-type'));
    const now = this.#context.clock.now();
    this.#phase = 'exchange';
    this.#exchange.prepare(now);
    if (this.#isTunnel && ended) this.hasEnded = true;
    if (!ended) this.#readEarly(stream);
    if (this.#phase !== 'exchange') return;
    this.awaitsContinue = this.request.expectContinue && this.#exchange.facts.bytesIn === 0 && !this.body.done;
    if (!this.body.done) this.#armBody();
    this.#exchange.begin();
  }

  #parse(ended: boolean): RefusalCode | undefined {
    const { limits, headLimits } = this.#listener;
    const translated = requestText(this.#raw, ended);
    if (typeof translated === 'string') {
      this.request.fault = translated;
      return 'BAD_REQUEST';
    }
    const { text, fields, isTunnel } = translated as RequestText;
    this.#owner.account.head(text.length);
    this.request.fault = undefined;
    if (text.length > limits.head) return tooLarge(text, limits);
    const bytes = text.length <= SCRATCH_BYTES ? scratch : Buffer.allocUnsafe(text.length);
    bytes.write(text, 0, 'latin1');
    const refusal = this.request.parse(text, bytes, 0, headLimits);
    if (refusal !== undefined) return refusal;
    if (this.request.head.count !== fields) return this.#faulty(Fault.CONTROL);
    this.#isTunnel = isTunnel;
    return this.body.begin(this.request, ended) ? undefined : this.#faulty(Fault.WRONG_LENGTH);
  }

  #faulty(fault: FaultText): RefusalCode {
    this.request.fault = fault;
    return 'BAD_REQUEST';
  }

  /** Reads the content that is here already, so that a small one leaves in one write with the head. */
  #readEarly(stream: ServerHttp2Stream): void {
    stream.on('end', onEnd);
    for (;;) {
      const piece = stream.read() as Buffer | null;
      if (piece === null || this.#phase !== 'exchange') break;
      this.onData(piece);
    }
    stream.on('data', onData);
  }

  #refuseUnread(code: RefusalCode, fault: FaultText | undefined): void {
    this.#end = 'malformed';
    const type = this.#raw.indexOf('content-type');
    this.answer.unreadType = type < 0 ? undefined : this.#raw[type + 1];
    this.#raw = [];
    answerUnread({ code, fault }, '', this.version, this.answer, this.peer, this.#context);
    this.finish();
  }

  // ── as the exchange sees it ───────────────────────────────────────────────────────────────────────────────────────

  pauseReading(): void {
    this.#stream?.pause();
    this.#context.deadlines.disarm(this);
  }

  resumeReading(): void {
    if (this.#phase !== 'exchange') return;
    if (this.#stream?.isPaused() === true) this.#stream.resume();
    if (!this.body.done) this.#armBody();
  }

  sayContinue(): void {
    this.answer.sayContinue();
    this.onContinue();
  }

  onContinue(): void {
    this.awaitsContinue = false;
    if (!this.body.done && this.#stream?.isPaused() !== true) this.#armBody();
  }

  #armBody(): void {
    if (!this.awaitsContinue && !this.mayPause) this.#context.deadlines.arm(this, this.#listener.timeouts.bodyMs);
  }

  /** The other streams of the client are requests of their own. */
  takeNoMore(): void {}

  takePending(): Buffer | undefined {
    const early = this.#early;
    this.#early = undefined;
    return early === undefined ? undefined : Buffer.concat(early);
  }

  finish(): void {
    if (this.#phase === 'free' || this.#phase === 'closing') return;
    this.#phase = 'closing';
    this.#context.deadlines.disarm(this);
    const stream = this.#stream as Owned;
    this.answer.finish();
    if (stream.endAfterHeaders && !this.#isTunnel) {
      // Nobody reads the end of what has no content until Node does, when the stream closes: had it been read, Node
      // would make an error of the write under way, for nobody, with its stack: 4 % of the CPU of a small GET.
      stream.pause();
    } else if (!stream.readableEnded) {
      // What the client still sends is of no use to anybody. It may be told so (RFC 9113 §8.1), but not at once: some
      // give the answer up then.
      if (this.#isTunnel) this.#cutShort(constants.NGHTTP2_NO_ERROR);
      else this.#context.deadlines.arm(this, END_MS);
      stream.resume();
    }
    this.#owner.onServed();
  }

  abort(): void {
    this.#end = 'cut';
    this.#cutShort(constants.NGHTTP2_CANCEL);
  }

  #cutShort(code: number): void {
    this.#owner.account.cutShort();
    this.#stream?.close(code);
  }

  // ── as its stream sees it ─────────────────────────────────────────────────────────────────────────────────────────

  onDeadline(): void {
    if (this.#phase === 'exchange') this.#exchange.onBodyTimeout();
    else this.#cutShort(constants.NGHTTP2_NO_ERROR);
  }

  onData(piece: Buffer): void {
    this.#owner.account.content(piece.length);
    if (this.#phase === 'exchange') this.#pieces.add(piece);
  }

  #onPiece(piece: Buffer): void {
    if (this.#isTunnel) {
      this.#onTunnelData(piece);
      return;
    }
    if (!this.body.take(piece.length)) {
      this.#exchange.onRequestBroken();
      return;
    }
    this.awaitsContinue = false;
    this.#exchange.onRequestBody(piece, 0, piece.length);
    if (this.#phase !== 'exchange') return;
    if (this.body.done) this.#onBodyEnd();
    else if (this.#stream?.isPaused() !== true) this.#armBody();
  }

  #onTunnelData(piece: Buffer): void {
    if (this.#exchange.transfer.isTunnel) {
      this.#exchange.transfer.sendRaw(piece);
      return;
    }
    this.#early ??= [];
    this.#early.push(piece);
    this.#stream?.pause();
  }

  #onBodyEnd(): void {
    this.#context.deadlines.disarm(this);
    this.#exchange.onRequestEnd();
  }

  onEnd(): void {
    this.#pieces.flush();
    if (this.#phase !== 'exchange') return;
    if (this.#isTunnel) {
      this.hasEnded = true;
      this.#exchange.onClientEnd(true);
    } else if (!this.body.done) {
      if (this.#takeTrailers() && this.body.end()) this.#onBodyEnd();
      else this.#exchange.onRequestBroken();
    }
  }

  #takeTrailers(): boolean {
    const raw = this.#rawTrailers;
    return raw === undefined || this.body.takeTrailers(raw, this.#listener.limits.trailers);
  }

  /** They may come before what is in front of them is read. */
  onTrailers(raw: readonly string[]): void {
    this.#rawTrailers = raw;
  }

  /** The client takes more of the answer. */
  onDrain(): void {
    if (this.#phase === 'exchange') this.#exchange.transfer.onClientDrain();
  }

  get unreadBytes(): number {
    return this.#stream?.readableLength ?? 0;
  }

  /** The stream is closed, by whomever. */
  onClose(): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    const phase = this.#phase;
    this.#phase = 'free';
    this.#stream = undefined;
    (stream as Owned)[SERVED_BY] = undefined;
    this.#early = undefined;
    this.#pieces.drop();
    this.#owner.account.dropped(stream.readableLength);
    this.#context.deadlines.disarm(this);
    const { isBroken } = this.answer;
    const hasStalled = this.answer.hasStalled || this.#owner.hasStalled;
    this.answer.close();
    if (phase === 'exchange') this.#exchange.onClientGone(hasStalled);
    const isOver = phase === 'closing' && stream.rstCode === constants.NGHTTP2_NO_ERROR;
    const isOurs = isOver || hasStalled || isBroken || this.#end === 'cut';
    this.#owner.onStreamEnd(this, !isOurs ? 'reset' : isOver ? this.#end : 'cut');
  }

  /** It will serve no other stream: takes the deadlines out of the wheel. */
  forget(): void {
    this.#context.deadlines.forget(this);
    this.answer.forget();
    this.#exchange.forget();
  }
}

// Listeners that all streams share: a closure each would cost more than all the rest of a stream.

/**
 * Ends the client's side in order, but not of an answer that is no whole one: Node ends streams that it closes for some
 * other reason, and what it sends for that (END_STREAM) would make a part look complete.
 */
function endIfWhole(this: Owned, done: (error?: Error | null) => void): void {
  if (this[SERVED_BY]?.answer.isWhole !== true) {
    done();
    return;
  }
  const { _final: end } = Object.getPrototypeOf(this) as { _final: Final };
  end.call(this, done);
}

function onClose(this: Owned): void {
  this[SERVED_BY]?.onClose();
}

/** Its close tells all there is to know. */
function onError(): void {}

function onData(this: Owned, piece: Buffer): void {
  this[SERVED_BY]?.onData(piece);
}

function onEnd(this: Owned): void {
  this[SERVED_BY]?.onEnd();
}

function onTrailers(this: Owned, _headers: IncomingHttpHeaders, _flags: number, raw?: readonly string[]): void {
  this[SERVED_BY]?.onTrailers(raw ?? []);
}
