import type { RefusalCode } from '../../../model/refusals.ts';
import { grpcRefusal, isGrpc } from '../../answer/grpc.ts';
import { contentOf, fieldsOf, type OwnAnswer } from '../../answer/own-answer.ts';
import type { AnswerWriter } from '../../exchange/downstream.ts';
import { Framing } from '../../http1/framing.ts';
import { latin1Bytes } from '../../http1/latin1.ts';
import type { RequestHead } from '../../http1/request.ts';
import type { ResponseHead } from '../../http1/response.ts';
import { addLines, type FieldList, LinesMemory, placeOf, sizeOf } from '../../http2/field-list.ts';
import type { ClientContext } from '../context.ts';
import type { ListenerContext } from '../listener-context.ts';
import type { StreamOutput } from './stream-output.ts';
import { type SharedConnection, StreamWatch, type WatchedStream } from './stream-watch.ts';

/** Bytes of an answer that wait for its client before no more are taken, and below which more are taken again. */
const MOST_WAITING = 64 * 1024;
const FEW_WAITING = 16 * 1024;

/** What services said of their answers, whosever these are. */
const ofServices = new LinesMemory();

/** Statuses (RFC 9110 §15). */
const CONTINUE = 100;
const OK = 200;
const RESET_CONTENT = 205;

/** The stream whose answer is written. */
export interface AnsweredStream {
  readonly request: RequestHead;
  readonly output: StreamOutput;
  /** The client takes more again. */
  onDrain(): void;
  /** The client takes nothing of its answer for too long. */
  onStalled(): void;
}

/**
 * Writes the answer of one stream of HTTP/2. What comes within one turn is sent at its end, so that a small answer is one
 * HEADERS and one DATA frame.
 */
export class StreamWriter implements AnswerWriter, WatchedStream {
  bytes = 0;
  headBytes = 0;
  /** It cut the stream, of whose answer the client took nothing. */
  hasStalled = false;
  /** The answer was broken off. */
  isBroken = false;
  /** Content-Type of what made no request. */
  unreadType: string | undefined;
  readonly #owner: AnsweredStream;
  readonly #request: RequestHead;
  readonly #context: ClientContext;
  readonly #watch: StreamWatch;
  readonly #output: StreamOutput;
  /** A head of an answer, which is no interim one, is written. */
  #hasBegun = false;
  /** Its head is all that there is of it. */
  #isBodiless = false;
  /** Bytes of content so far. */
  #written = 0;
  /** Hears of it when the client takes more again. */
  #awaitsDrain = false;

  constructor(owner: AnsweredStream, connection: SharedConnection, context: ClientContext, listener: ListenerContext) {
    this.#owner = owner;
    this.#request = owner.request;
    this.#output = owner.output;
    this.#context = context;
    this.#watch = new StreamWatch(this, connection, context, listener);
  }

  /** Begins with a stream that a request came on. */
  begin(): void {
    this.bytes = 0;
    this.headBytes = 0;
    this.hasStalled = false;
    this.isBroken = false;
    this.#hasBegun = false;
    this.#isBodiless = false;
    this.#written = 0;
    this.#awaitsDrain = false;
  }

  /** The stream is closed: what is written now goes nowhere. */
  close(): void {
    this.#watch.end();
  }

  /** It will write no other answer: takes the deadline out of the wheel. */
  forget(): void {
    this.#context.deadlines.forget(this.#watch);
  }

  get isWaiting(): boolean {
    return this.#output.isWaiting;
  }

  get taken(): number {
    return this.#written - this.#output.waiting;
  }

  onStalled(): void {
    this.hasStalled = true;
    this.#owner.onStalled();
  }

  get isBehind(): boolean {
    return this.#output.waiting > 0;
  }

  sayContinue(): void {
    this.#output.head([':status', String(CONTINUE)]);
  }

  interim(response: ResponseHead): void {
    const list: FieldList = [':status', String(response.status)];
    addLines(list, response.head.kept());
    this.#countHead(list);
    this.#output.head(list);
  }

  head(response: ResponseHead, added: string): void {
    const { status, framing, lengthSent } = response;
    const list: FieldList = [':status', String(status)];
    this.#isBodiless = framing === Framing.NONE || status === RESET_CONTENT;
    if (lengthSent && status !== RESET_CONTENT) list.push('content-length', String(response.length));
    ofServices.add(list, response.head.kept());
    addLines(list, added);
    this.#sendHead(list);
  }

  /** An accepted tunnel is a successful answer (RFC 8441 §5). */
  switchProtocols(response: ResponseHead, added: string): void {
    const list: FieldList = [':status', String(OK)];
    addLines(list, response.head.kept());
    addLines(list, added);
    const key = placeOf(list, 'sec-websocket-accept');
    if (key >= 0) list.splice(key, 2);
    this.#sendHead(list);
  }

  #sendHead(list: FieldList): void {
    this.#hasBegun = true;
    this.#countHead(list);
    this.#output.head(list);
  }

  #countHead(list: FieldList): void {
    const size = sizeOf(list);
    this.bytes += size;
    this.headBytes += size;
  }

  piece(bytes: Buffer, start: number, end: number): boolean {
    if (this.#isBodiless) return true;
    this.bytes += end - start;
    // The read buffer is used again at once.
    return this.#send(Buffer.from(bytes.subarray(start, end)));
  }

  raw(bytes: Buffer, start: number, end: number): boolean {
    return this.piece(bytes, start, end);
  }

  /** @param data is left to it */
  #send(data: Buffer): boolean {
    if (!this.#output.isOpen) return true;
    this.#written += data.length;
    this.#output.content(data);
    this.#watch.begin();
    return this.#keepsUp();
  }

  #keepsUp(): boolean {
    if (this.#output.waiting <= MOST_WAITING) return true;
    this.#awaitsDrain = true;
    return false;
  }

  /** Some of the content left. */
  onSent(): void {
    if (!this.#awaitsDrain || this.#output.waiting > FEW_WAITING) return;
    this.#awaitsDrain = false;
    this.#owner.onDrain();
  }

  end(trailers: string): boolean {
    if (trailers === '') {
      this.#output.end();
      return true;
    }
    const list: FieldList = [];
    addLines(list, trailers);
    this.#output.end(list);
    return true;
  }

  /** All is on its way by itself. */
  flush(): boolean {
    return !this.#awaitsDrain;
  }

  own(answer: OwnAnswer, requestId: string, date: string): void {
    if (answer.refusal !== undefined && isGrpc(this.#request.head.get('content-type'))) {
      this.#refuseGrpc(answer, answer.refusal, requestId, date);
      return;
    }
    const content = this.#request.method === 'HEAD' ? '' : contentOf(answer);
    this.#own(answer, requestId, date, content);
  }

  /** Answers what makes no request. */
  ownToUnread(answer: OwnAnswer, requestId: string, date: string, isHead: boolean): void {
    if (answer.refusal !== undefined && isGrpc(this.unreadType)) {
      this.#refuseGrpc(answer, answer.refusal, requestId, date);
      return;
    }
    this.#own(answer, requestId, date, isHead ? '' : contentOf(answer));
  }

  /** To a client of gRPC, a refusal is an answer of trailers only. */
  #refuseGrpc(answer: OwnAnswer, code: RefusalCode, requestId: string, date: string): void {
    const lines = answer.fields.replace(/^Content-Type:.*\r\n/im, '');
    const fields = `${lines}${grpcRefusal(code)}`;
    this.#own({ ...answer, status: OK, fields, body: undefined }, requestId, date, '', true);
  }

  #own(answer: OwnAnswer, requestId: string, date: string, content: string, isWhole = answer.body !== undefined): void {
    const list: FieldList = [':status', String(answer.status)];
    addLines(list, fieldsOf(answer, requestId, date));
    this.bytes += content.length;
    this.#sendHead(list);
    if (content !== '') this.#send(latin1Bytes(content));
    if (isWhole) this.#output.end();
  }

  write(data: string | Buffer): boolean {
    return this.#send(typeof data === 'string' ? latin1Bytes(data) : Buffer.from(data));
  }

  endTunnel(): void {
    this.finish();
  }

  /** Nothing more is written. */
  finish(): void {
    if (this.#hasBegun) this.#output.end();
    else this.breakOff();
    if (this.#output.isWaiting) this.#watch.begin();
  }

  breakOff(): void {
    if (!this.#output.isOpen) return;
    this.isBroken = true;
    this.#output.breakOff();
  }
}
