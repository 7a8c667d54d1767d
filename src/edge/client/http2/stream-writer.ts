import { constants, type ServerHttp2Stream, type ServerStreamResponseOptions } from 'node:http2';
import { contentOf, fieldsOf, type OwnAnswer } from '../../answer/own-answer.ts';
import type { AnswerWriter } from '../../exchange/downstream.ts';
import { Framing } from '../../http1/framing.ts';
import { latin1Bytes } from '../../http1/latin1.ts';
import type { RequestHead } from '../../http1/request.ts';
import type { ResponseHead } from '../../http1/response.ts';
import { addLines, type FieldList, sizeOf } from './field-list.ts';

/** Pieces of an answer up to this size in all leave in one write. */
const GATHER_BYTES = 16 * 1024;

/** The types of Node do not know all of them. */
type HeadOptions = ServerStreamResponseOptions & { sendDate: false };
const WHOLE: HeadOptions = { endStream: true, sendDate: false };
const OPEN: HeadOptions = { sendDate: false };
const WITH_TRAILERS: HeadOptions = { waitForTrailers: true, sendDate: false };

/**
 * Writes the answer of one stream of HTTP/2. What comes within one read of the upstream is gathered, so that a small
 * answer is one HEADERS and one DATA frame.
 */
export class StreamWriter implements AnswerWriter {
  bytes = 0;
  headBytes = 0;
  /** The final head went out, or is about to. */
  hasBegun = false;
  readonly #request: RequestHead;
  #stream: ServerHttp2Stream | undefined;
  /** The head that is not sent yet. */
  #head: FieldList | undefined;
  /** Trailers may follow. */
  #mayTrail = false;
  #trailers = '';
  #pieces: Buffer[] = [];
  #gathered = 0;

  constructor(request: RequestHead) {
    this.#request = request;
  }

  /** Begins with a stream that a request came on. */
  begin(stream: ServerHttp2Stream): void {
    this.#stream = stream;
    this.bytes = 0;
    this.headBytes = 0;
    this.hasBegun = false;
    this.#head = undefined;
    this.#mayTrail = false;
    this.#trailers = '';
    this.#pieces = [];
    this.#gathered = 0;
  }

  /** The stream is closed: what is written now goes nowhere. */
  close(): void {
    this.#stream = undefined;
    this.#head = undefined;
    this.#pieces = [];
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
    const headers: Record<string, string | string[]> = {};
    for (let at = 0; at < list.length; at += 2) {
      const name = list[at] as string;
      const value = list[at + 1] as string;
      const before = headers[name];
      headers[name] = before === undefined ? value : [before, value].flat();
    }
    this.#countHead(list);
    this.#open?.additionalHeaders({ ':status': response.status, ...headers });
  }

  head(response: ResponseHead, added: string): void {
    const list: FieldList = [':status', String(response.status)];
    if (response.lengthSent) list.push('content-length', String(response.length));
    addLines(list, response.head.kept());
    addLines(list, added);
    this.#mayTrail = response.framing === Framing.CHUNKED && this.#request.trailers;
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
    const last = this.#takePieces();
    if (this.#head !== undefined) {
      const waits = trailers !== '';
      if (last === undefined && !waits) {
        this.#sendHead(stream, WHOLE);
        return true;
      }
      this.#sendHead(stream, waits ? WITH_TRAILERS : OPEN);
    }
    stream.end(last);
    return true;
  }

  /** All is written: sends the trailers. */
  sendTrailers(): void {
    const list: FieldList = [];
    addLines(list, this.#trailers);
    const headers: Record<string, string | string[]> = {};
    for (let at = 0; at < list.length; at += 2) {
      const name = list[at] as string;
      const before = headers[name];
      headers[name] = before === undefined ? (list[at + 1] as string) : [before, list[at + 1] as string].flat();
    }
    this.#open?.sendTrailers(headers);
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
    return stream.write(data);
  }

  own(answer: OwnAnswer, requestId: string, date: string): void {
    const content = this.#request.method === 'HEAD' ? '' : contentOf(answer);
    this.#own(answer, requestId, date, content);
  }

  /** Answers what makes no request. */
  ownToUnread(answer: OwnAnswer, requestId: string, date: string, isHead: boolean): void {
    this.#own(answer, requestId, date, isHead ? '' : contentOf(answer));
  }

  #own(answer: OwnAnswer, requestId: string, date: string, content: string): void {
    const stream = this.#open;
    const list: FieldList = [':status', String(answer.status)];
    addLines(list, fieldsOf(answer, requestId, date));
    this.hasBegun = true;
    this.#countHead(list);
    this.bytes += content.length;
    if (stream === undefined) return;
    if (answer.body !== undefined && content === '') {
      stream.respond(list, WHOLE);
      return;
    }
    stream.respond(list, OPEN);
    if (answer.body !== undefined) stream.end(latin1Bytes(content));
  }

  write(data: string | Buffer): boolean {
    const stream = this.#open;
    return stream === undefined || this.#write(stream, typeof data === 'string' ? latin1Bytes(data) : data);
  }

  endTunnel(): void {
    this.#open?.end();
  }

  breakOff(): void {
    this.flush();
    this.#open?.close(constants.NGHTTP2_INTERNAL_ERROR);
  }
}
