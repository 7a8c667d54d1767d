import type { RefusalCode } from '../../../model/refusals.ts';
import { isGrpc } from '../../answer/grpc.ts';
import type { Downstream, Peer } from '../../exchange/downstream.ts';
import { Exchange } from '../../exchange/exchange.ts';
import { Fault, type FaultText } from '../../http1/faults.ts';
import { writeLatin1 } from '../../http1/latin1.ts';
import { RequestHead } from '../../http1/request.ts';
import { type FieldList, placeOf } from '../../http2/field-list.ts';
import { ErrorCode } from '../../http2/frames.ts';
import type { DeadlineEntry } from '../../io/deadlines.ts';
import type { ClientContext } from '../context.ts';
import type { ListenerContext } from '../listener-context.ts';
import { answerUnread, tooLarge } from '../unread-request.ts';
import type { ByteAccount } from './byte-account.ts';
import type { FrameSender } from './frame-sender.ts';
import { requestText } from './request-text.ts';
import { StreamBody } from './stream-body.ts';
import { StreamInput } from './stream-input.ts';
import { StreamOutput } from './stream-output.ts';
import { mayReceive, nextState, type StreamState } from './stream-state.ts';
import type { SharedConnection } from './stream-watch.ts';
import { StreamWriter } from './stream-writer.ts';

/**
 * `free`: it has no stream. `fresh`: a request came, and the read that brought it is not over. `exchange`: it is being
 * served. `closing`: its answer is written, and the stream closes when the client has taken it.
 */
type Phase = 'free' | 'fresh' | 'exchange' | 'closing';

/**
 * How a stream ended. `answered`: the client has its answer. `malformed`: it was no request. `reset`: the client ended
 * it before, or broke a rule so that we did. `cut`: we did, for another reason.
 */
export type StreamEnd = 'answered' | 'malformed' | 'reset' | 'cut';

/** Whose streams they are. */
export interface StreamOwner extends SharedConnection {
  readonly sender: FrameSender;
  /** Is told what its bytes were for. */
  readonly account: ByteAccount;
  readonly peer: Peer;
  /** The connection was cut, as its client took nothing. */
  readonly hasStalled: boolean;
  /** We cut a stream on which its client may still send. */
  onCut(id: number): void;
  /** The stream is closed; the object may be used for another one. */
  onStreamEnd(stream: RequestStream, end: StreamEnd): void;
  /** The request on it is served. */
  onServed(): void;
}

/** Heads up to this size are read in a place that all share. */
const SCRATCH_BYTES = 64 * 1024;
const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
/** How long a client may go on sending behind its answer, ms. */
const END_MS = 2000;
/** The fields of a stream whose request has begun. */
const NONE: FieldList = [];

/** One request of HTTP/2, on a stream of its own. The object belongs to a session, which uses it for many streams. */
export class RequestStream implements Downstream, DeadlineEntry {
  deadline = 0;
  filed = 0;
  slotPlace = 0;
  /** Of its present stream. */
  id = 0;
  readonly version = '2.0';
  readonly request = new RequestHead();
  readonly body = new StreamBody();
  readonly input: StreamInput;
  readonly output: StreamOutput;
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
  #phase: Phase = 'free';
  #state: StreamState = 'closed';
  /** Fields of the request, until it begins, and those of its end. */
  #raw = NONE;
  #rawTrailers: FieldList | undefined;
  /** Bytes that the latter may be. */
  #mostTrailers = 0;
  /** There were more fields than are read. */
  #isCutHead = false;
  /** What follows the head is no content. */
  #isTunnel = false;
  /** How it will have ended where the client does not end it before. */
  #end: StreamEnd = 'answered';
  /** Behind the answer the stream is cut, whatever the client has yet to send. */
  #isCutBehind = false;
  /** What came for a tunnel before there was one. */
  #early: Buffer[] | undefined;

  constructor(owner: StreamOwner, context: ClientContext, listener: ListenerContext) {
    this.#owner = owner;
    this.peer = owner.peer;
    this.#context = context;
    this.#listener = listener;
    this.input = new StreamInput(this, owner.sender);
    this.output = new StreamOutput(this, owner.sender);
    this.answer = new StreamWriter(this, owner, context, listener);
    this.#exchange = new Exchange(this, context);
  }

  /**
   * Takes a stream whose head came. Nothing is done about it before {@link begin}.
   * @param raw names and values in turn
   * @param isCut there were more of them
   * @param ended nothing follows the head
   */
  take(id: number, raw: FieldList, isCut: boolean, ended: boolean): void {
    this.id = id;
    this.#raw = raw;
    this.#isCutHead = isCut;
    this.#rawTrailers = undefined;
    this.#phase = 'fresh';
    this.#state = ended ? 'half-closed-remote' : 'open';
    this.hasEnded = false;
    this.awaitsContinue = false;
    this.#isTunnel = false;
    this.#end = 'answered';
    this.#isCutBehind = false;
    this.#early = undefined;
    this.input.begin(id, ended);
    this.output.begin(id);
    this.answer.begin();
  }

  /** Whether the client may still send on it. */
  get mayReceive(): boolean {
    return mayReceive(this.#state);
  }

  /** Serves the request, unless it is gone by now. */
  begin(): void {
    if (this.#phase !== 'fresh') return;
    const { isOver: ended } = this.input;
    const refusal = this.#parse(ended);
    if (refusal !== undefined) {
      this.#refuseUnread(refusal, this.request.fault);
      return;
    }
    this.#raw = NONE;
    this.mayPause = !ended && isGrpc(this.request.head.get('content-type'));
    const now = this.#context.clock.now();
    this.#phase = 'exchange';
    this.#exchange.prepare(now);
    if (this.#isTunnel && ended) this.hasEnded = true;
    // Content that is here already is read first, so that a small one leaves in one write with the head.
    this.input.flow();
    if (!this.#isServing) return;
    this.awaitsContinue = this.request.expectContinue && this.#exchange.facts.bytesIn === 0 && !this.body.done;
    if (!this.body.done) this.#armBody();
    this.#exchange.begin();
  }

  get #isServing(): boolean {
    return this.#phase === 'exchange';
  }

  #parse(ended: boolean): RefusalCode | undefined {
    const { limits, headLimits } = this.#listener;
    const translated = requestText(this.#raw, ended);
    if (typeof translated === 'string') {
      this.request.fault = translated;
      return this.#isCutHead ? 'HEAD_TOO_LARGE' : 'BAD_REQUEST';
    }
    const { text, fields, isTunnel } = translated;
    this.request.fault = undefined;
    if (text.length > limits.head || this.#isCutHead) return tooLarge(text, limits);
    this.#owner.account.head(text.length);
    const bytes = text.length <= SCRATCH_BYTES ? scratch : Buffer.allocUnsafe(text.length);
    writeLatin1(bytes, text, 0);
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

  #refuseUnread(code: RefusalCode, fault: FaultText | undefined): void {
    this.#end = 'malformed';
    const type = placeOf(this.#raw, 'content-type');
    this.answer.unreadType = type < 0 ? undefined : this.#raw[type + 1];
    const method = this.#raw[placeOf(this.#raw, ':method') + 1];
    this.#raw = NONE;
    const text = method === 'HEAD' ? 'HEAD ' : '';
    answerUnread({ code, fault }, text, this.version, this.answer, this.peer, this.#context);
    this.finish();
  }

  // ── as the exchange sees it ───────────────────────────────────────────────────────────────────────────────────────

  pauseReading(): void {
    this.input.pause();
    this.#context.deadlines.disarm(this);
  }

  resumeReading(): void {
    if (this.#phase !== 'exchange') return;
    this.input.resume();
    if (!this.body.done) this.#armBody();
  }

  sayContinue(): void {
    this.answer.sayContinue();
    this.onContinue();
  }

  onContinue(): void {
    this.awaitsContinue = false;
    if (!this.body.done && !this.input.isPaused) this.#armBody();
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
    this.answer.finish();
    this.input.drop();
    if (this.mayReceive) {
      // What the client still sends is of no use to anybody. It may be told so (RFC 9113 §8.1), but not at once: some
      // give the answer up then.
      if (this.#isTunnel) this.#cutBehind();
      else this.#context.deadlines.arm(this, END_MS);
    }
    this.#owner.onServed();
    this.#closeIfOver();
  }

  /** The exchange expects to hear of the end later. */
  abort(): void {
    this.#end = 'cut';
    setImmediate(abortNow, this, this.id);
  }

  abortNow(): void {
    if (this.mayReceive) this.#owner.account.cutShort();
    this.cut(ErrorCode.CANCEL);
  }

  #cutBehind(): void {
    this.#isCutBehind = true;
    if (this.#state === 'half-closed-local') this.#cutUnused();
  }

  /** Cuts short what nobody wants any more. */
  #cutUnused(): void {
    this.#owner.account.cutShort();
    this.cut(ErrorCode.NO_ERROR);
  }

  // ── as its stream sees it ─────────────────────────────────────────────────────────────────────────────────────────

  onDeadline(): void {
    if (this.#phase === 'exchange') this.#exchange.onBodyTimeout();
    else this.#cutBehind();
  }

  onContent(piece: Buffer): void {
    if (this.#phase !== 'exchange') return;
    if (this.#isTunnel) {
      this.#onTunnelData(piece);
      return;
    }
    if (!this.body.take(piece.length)) {
      this.#onBroken();
      return;
    }
    this.awaitsContinue = false;
    this.#exchange.onRequestBody(piece, 0, piece.length);
    if (!this.#isServing) return;
    if (this.body.done) this.#onBodyEnd();
    else if (!this.input.isPaused) this.#armBody();
  }

  #onTunnelData(piece: Buffer): void {
    if (this.#exchange.transfer.isTunnel) {
      this.#exchange.transfer.sendRaw(piece);
      return;
    }
    this.#early ??= [];
    this.#early.push(piece);
    this.input.pause();
  }

  #onBodyEnd(): void {
    this.#context.deadlines.disarm(this);
    this.#exchange.onRequestEnd();
  }

  #onBroken(): void {
    this.#end = 'malformed';
    this.#exchange.onRequestBroken();
  }

  /** The client has ended its side, with trailers or without. */
  onReceivedEnd(): void {
    this.#state = nextState(this.#state, 'end-received');
    this.input.end();
    this.#closeIfOver();
  }

  onContentEnd(): void {
    if (this.#phase !== 'exchange') return;
    if (this.#isTunnel) {
      this.hasEnded = true;
      this.#exchange.onClientEnd(true);
    } else if (!this.body.done) {
      if (this.#takeTrailers() && this.body.end()) this.#onBodyEnd();
      else this.#onBroken();
    }
    this.#closeIfOver();
  }

  #takeTrailers(): boolean {
    const raw = this.#rawTrailers;
    return raw === undefined || this.body.takeTrailers(raw, this.#mostTrailers);
  }

  /** They may come before what is in front of them is read. @param isCut there were more of them */
  onTrailers(raw: FieldList, isCut: boolean): void {
    this.#rawTrailers = raw;
    this.#mostTrailers = isCut ? 0 : this.#listener.limits.trailers;
  }

  onSent(): void {
    this.answer.onSent();
  }

  onEndSent(): void {
    this.#state = nextState(this.#state, 'end-sent');
    if (this.#isCutBehind && this.mayReceive) this.#cutUnused();
    else this.#closeIfOver();
  }

  onBrokenSent(): void {
    this.cut(ErrorCode.INTERNAL_ERROR);
  }

  /** The client takes more of the answer. */
  onDrain(): void {
    if (this.#phase === 'exchange') this.#exchange.transfer.onClientDrain();
  }

  onStalled(): void {
    this.cut(ErrorCode.CANCEL);
  }

  /** Both sides have ended the stream. A tunnel has its turn to notice. */
  #closeIfOver(): void {
    if (this.#state !== 'closed' || !this.input.isOver) return;
    if (this.#phase === 'closing') this.close(ErrorCode.NO_ERROR);
    else if (this.#phase === 'exchange') setImmediate(closeEnded, this, this.id);
  }

  /** Ends the stream at once. @param code see `ErrorCode` */
  cut(code: number): void {
    if (this.#phase === 'free') return;
    this.#owner.sender.reset(this.id, code);
    if (this.mayReceive) this.#owner.onCut(this.id);
    this.close(code);
  }

  /** The stream is closed, by whomever. @param code of RST_STREAM; `NO_ERROR` also where there was none */
  close(code: number): void {
    if (this.#phase === 'free') return;
    const phase = this.#phase;
    this.#phase = 'free';
    this.#state = nextState(this.#state, 'reset');
    this.#raw = NONE;
    this.#rawTrailers = undefined;
    this.#early = undefined;
    this.input.close();
    this.output.drop();
    this.#context.deadlines.disarm(this);
    const { isBroken } = this.answer;
    const hasStalled = this.answer.hasStalled || this.#owner.hasStalled;
    this.answer.close();
    if (phase === 'exchange') this.#exchange.onClientGone(hasStalled);
    const isOver = phase === 'closing' && code === ErrorCode.NO_ERROR;
    if (isOver || this.#end === 'malformed') this.#owner.onStreamEnd(this, this.#end);
    else this.#owner.onStreamEnd(this, hasStalled || isBroken || this.#end === 'cut' ? 'cut' : 'reset');
  }

  /** It will serve no other stream: takes the deadlines out of the wheel. */
  forget(): void {
    this.#context.deadlines.forget(this);
    this.answer.forget();
    this.#exchange.forget();
  }
}

function abortNow(stream: RequestStream, id: number): void {
  if (stream.id === id) stream.abortNow();
}

function closeEnded(stream: RequestStream, id: number): void {
  if (stream.id === id) stream.close(ErrorCode.NO_ERROR);
}
