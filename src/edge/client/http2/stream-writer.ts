import { constants, type ServerHttp2Stream, type ServerStreamResponseOptions } from 'node:http2';
import type { RefusalCode } from '../../../model/refusals.ts';
import { grpcRefusal, isGrpc } from '../../answer/grpc.ts';
import { contentOf, fieldsOf, type OwnAnswer } from '../../answer/own-answer.ts';
import type { AnswerWriter } from '../../exchange/downstream.ts';
import { Framing } from '../../http1/framing.ts';
import { latin1Bytes } from '../../http1/latin1.ts';
import type { RequestHead } from '../../http1/request.ts';
import type { ResponseHead } from '../../http1/response.ts';
import { addLines, type FieldList, headersOf, sizeOf } from '../../http2/field-list.ts';
import type { ClientContext } from '../context.ts';
import type { ListenerContext } from '../listener-context.ts';
import { type SharedConnection, StreamWatch, type WatchedStream } from './stream-watch.ts';

/** Pieces of an answer up to this size in all leave in one write. */
const GATHER_BYTES = 16 * 1024;

const RESET_CONTENT = constants.HTTP_STATUS_RESET_CONTENT;

/** The types of Node do not know all of them. */
type HeadOptions = ServerStreamResponseOptions & { sendDate: false };
const WHOLE: HeadOptions = { endStream: true, sendDate: false };
const OPEN: HeadOptions = { sendDate: false };
const WITH_TRAILERS: HeadOptions = { waitForTrailers: true, sendDate: false };

/** The stream whose answer is written. */
export interface AnsweredStream {
  readonly request: RequestHead;
  /** The client takes more again. */
  onDrain(): void;
}

/**
 * Writes the answer of one stream of HTTP/2. What comes within one read of the upstream is gathered, so that a small
 * answer is one HEADERS and one DATA frame.
 */
export class StreamWriter implements AnswerWriter, WatchedStream {
  bytes = 0;
  headBytes = 0;
  /** The final head went out, or is about to. */
  hasBegun = false;
  /** It cut the stream, of whose answer the client took nothing. */
  hasStalled = false;
  /** The answer was broken off. */
  isBroken = false;
  /** Its end is written, or has to be: only then does the stream end in order. */
  isWhole = false;
  /** Content-Type of what made no request. */
  unreadType: string | undefined;
  readonly #owner: AnsweredStream;
  readonly #request: RequestHead;
  readonly #context: ClientContext;
  readonly #watch: StreamWatch;
  #stream: ServerHttp2Stream | undefined;
  /** Bytes of content that Node has, or had. */
  #written = 0;
  /** The head that is not sent yet. */
  #head: FieldList | undefined;
  /** Trailers may follow. */
  #mayTrail = false;
  #trailers = '';
  #pieces: Buffer[] = [];
  #gathered = 0;
  /** Hears of it when the client takes more again. */
  #awaitsDrain = false;

  constructor(owner: AnsweredStream, connection: SharedConnection, context: ClientContext, listener: ListenerContext) {
    this.#owner = owner;
    this.#request = owner.request;
    this.#context = context;
    this.#watch = new StreamWatch(this, connection, context, listener);
  }

  /** Begins with a stream that a request came on. */
  begin(stream: ServerHttp2Stream): void {
    this.#stream = stream;
    this.bytes = 0;
    this.headBytes = 0;
    this.hasBegun = false;
    this.hasStalled = false;
    this.isBroken = false;
    this.isWhole = false;
    this.#written = 0;
    this.#head = undefined;
    this.#mayTrail = false;
    this.#trailers = '';
    this.#pieces = [];
    this.#gathered = 0;
    this.#awaitsDrain = false;
  }

  /** The stream is closed: what is written now goes nowhere. */
  close(): void {
    this.#stream = undefined;
    this.#head = undefined;
    this.#pieces = [];
    this.#watch.end();
  }

  /** It will write no other answer: takes the deadline out of the wheel. */
  forget(): void {
    this.#context.deadlines.forget(this.#watch);
  }

  get waiting(): number {
    return this.#stream?.writableLength ?? 0;
  }

  get taken(): number {
    return this.#written - this.waiting;
  }

  onStalled(): void {
    this.hasStalled = true;
    this.#stream?.close(constants.NGHTTP2_CANCEL);
  }

  /** The stream, while something can be written to it. */
  get #open(): ServerHttp2Stream | undefined {
    const stream = this.#stream;
    return stream === undefined || stream.destroyed || stream.closed ? undefined : stream;
  }

  get isBehind(): boolean {
    return this.#stream !== undefined && this.#stream.writableLength > 0;
  }

  sayContinue(): void {
    this.#open?.additionalHeaders({ ':status': constants.HTTP_STATUS_CONTINUE });
  }

  interim(response: ResponseHead): void {
    const list: FieldList = [];
    addLines(list, response.head.kept());
    this.#countHead(list);
    this.#open?.additionalHeaders({ ':status': response.status, ...headersOf(list) });
  }

  head(response: ResponseHead, added: string): void {
    const { status, framing, lengthSent } = response;
    const list: FieldList = [':status', String(status)];
    // Node ends the stream behind such a head by itself.
    this.isWhole = framing === Framing.NONE || status === RESET_CONTENT;
    if (lengthSent && status !== RESET_CONTENT) list.push('content-length', String(response.length));
    addLines(list, response.head.kept());
    addLines(list, added);
    const hasRoom = framing === Framing.CHUNKED || (response.isHttp2 && framing === Framing.LENGTH);
    this.#mayTrail = hasRoom && this.#request.trailers;
    this.#gatherHead(list);
  }

  /** An accepted tunnel is a successful answer (RFC 8441 §5). */
  switchProtocols(response: ResponseHead, added: string): void {
    const list: FieldList = [':status', '200'];
    addLines(list, response.head.kept());
    addLines(list, added);
    const key = list.indexOf('sec-websocket-accept');
    if (key >= 0) list.splice(key, 2);
    this.#gatherHead(list);
    this.flush();
  }

  #gatherHead(list: FieldList): void {
    this.hasBegun = true;
    this.#head = list;
    this.#countHead(list);
  }

  #countHead(list: FieldList): void {
    const size = sizeOf(list);
    this.bytes += size;
    this.headBytes += size;
  }

  piece(bytes: Buffer, start: number, end: number): boolean {
    if (this.isWhole) return true;
    // The read buffer is used again at once.
    this.#pieces.push(Buffer.from(bytes.subarray(start, end)));
    this.bytes += end - start;
    this.#gathered += end - start;
    return this.#gathered < GATHER_BYTES || this.flush();
  }

  raw(bytes: Buffer, start: number, end: number): boolean {
    this.piece(bytes, start, end);
    return this.flush();
  }

  end(trailers: string): boolean {
    const stream = this.#open;
    if (stream === undefined) return true;
    this.#trailers = trailers;
    this.isWhole = true;
    const last = this.#takePieces();
    if (this.#head !== undefined) {
      const waits = trailers !== '';
      if (last === undefined && !waits) {
        this.#sendHead(stream, WHOLE);
        return true;
      }
      this.#sendHead(stream, waits ? WITH_TRAILERS : OPEN);
    }
    this.#end(stream, last);
    return true;
  }

  #end(stream: ServerHttp2Stream, last: Buffer | undefined): void {
    if (last === undefined) {
      stream.end();
    } else {
      this.#written += last.length;
      stream.end(last);
      this.#watch.begin();
    }
  }

  /** All is written: sends the trailers. */
  #sendTrailers(): void {
    const list: FieldList = [];
    addLines(list, this.#trailers);
    this.#open?.sendTrailers(headersOf(list));
  }

  flush(): boolean {
    const stream = this.#open;
    if (stream === undefined) return true;
    if (this.#head !== undefined) this.#sendHead(stream, this.#mayTrail ? WITH_TRAILERS : OPEN);
    const pieces = this.#takePieces();
    return pieces === undefined ? true : this.#write(stream, pieces);
  }

  #sendHead(stream: ServerHttp2Stream, options: HeadOptions): void {
    const head = this.#head as FieldList;
    this.#head = undefined;
    // Listeners are made for those that need them: of every stream, each takes 1 % of a small GET.
    if (options === WITH_TRAILERS) stream.once('wantTrailers', () => this.#sendTrailers());
    stream.respond(head, options);
  }

  #takePieces(): Buffer | undefined {
    const pieces = this.#pieces;
    if (pieces.length === 0) return undefined;
    this.#pieces = [];
    this.#gathered = 0;
    return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
  }

  #write(stream: ServerHttp2Stream, data: Buffer): boolean {
    this.#written += data.length;
    const keepsUp = stream.write(data);
    this.#watch.begin();
    if (!keepsUp) this.#awaitDrain(stream);
    return keepsUp;
  }

  #awaitDrain(stream: ServerHttp2Stream): void {
    if (this.#awaitsDrain) return;
    this.#awaitsDrain = true;
    stream.once('drain', () => {
      if (this.#stream !== stream) return;
      this.#awaitsDrain = false;
      this.#owner.onDrain();
    });
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
    this.#own({ ...answer, status: constants.HTTP_STATUS_OK, fields, body: undefined }, requestId, date, '', true);
  }

  #own(answer: OwnAnswer, requestId: string, date: string, content: string, isWhole = answer.body !== undefined): void {
    const stream = this.#open;
    const list: FieldList = [':status', String(answer.status)];
    addLines(list, fieldsOf(answer, requestId, date));
    this.hasBegun = true;
    this.#countHead(list);
    this.bytes += content.length;
    if (stream === undefined) return;
    this.isWhole = isWhole;
    if (isWhole && content === '') {
      stream.respond(list, WHOLE);
      return;
    }
    stream.respond(list, OPEN);
    if (isWhole) this.#end(stream, latin1Bytes(content));
  }

  write(data: string | Buffer): boolean {
    const stream = this.#open;
    return stream === undefined || this.#write(stream, typeof data === 'string' ? latin1Bytes(data) : data);
  }

  endTunnel(): void {
    this.finish();
  }

  /** Nothing more is written. */
  finish(): void {
    const stream = this.#open;
    if (stream === undefined || stream.writableEnded) return;
    this.isWhole = true;
    stream.end();
  }

  breakOff(): void {
    this.flush();
    this.isBroken = true;
    this.#open?.close(constants.NGHTTP2_INTERNAL_ERROR);
  }
}
