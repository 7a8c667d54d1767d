import type { Socket } from 'node:net';
import { contentOf, type OwnAnswer } from '../answer/own-answer.ts';
import type { AnswerWriter, IncomingBody } from '../exchange/downstream.ts';
import { Framing, type FramingKind } from '../http1/framing.ts';
import { latin1 } from '../http1/latin1.ts';
import type { RequestHead } from '../http1/request.ts';
import type { ResponseHead } from '../http1/response.ts';
import { freeBuffer, WORTH_FREEING } from '../io/free-buffer.ts';
import { JOIN_BYTES, writeJoined } from '../io/joined-write.ts';
import type { ClientContext } from './context.ts';
import type { ListenerContext } from './listener-context.ts';
import { CLOSE, ownHead } from './own-message.ts';
import { SendWatch } from './send-watch.ts';

/**
 * Pieces of a chunked answer up to this size are gathered into one write; Node writes strings below 16 KiB without
 * copying them to the heap.
 */
const GATHER_BYTES = 12 * 1024;
/** The same for a body of a known length, of which larger pieces are joined without going over the heap. */
const GATHER_LENGTH_BYTES = 2 * 1024;
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const KEEP_ALIVE = 'Connection: keep-alive\r\n';

/**
 * Writes answers as HTTP/1.1: status lines, framing, and whether the connection is kept. Small parts that come within
 * one read of the upstream are gathered, and leave in one write at the end of the read.
 */
export class Http1Writer implements AnswerWriter {
  bytes = 0;
  headBytes = 0;
  /** Whether the connection may serve another request behind this answer. */
  keepAlive = true;
  /** The final head is written. */
  hasBegun = false;
  /** Nothing can be written any more. */
  isClosed = false;
  readonly #socket: Socket;
  readonly #request: RequestHead;
  readonly #body: IncomingBody;
  readonly #context: ClientContext;
  readonly #listener: ListenerContext;
  /** Made when the client lags behind for the first time: most never do. */
  #sendWatch: SendWatch | undefined;
  /** How the answer's body is delimited. */
  #framing: FramingKind = Framing.NONE;
  #gathered = '';
  /** Whether its socket is set up for more than one write: see {@link Http1Writer.#beforeWrite}. */
  #writing: 'not-yet' | 'once' | 'often' = 'not-yet';

  /** @param body of the request */
  constructor(
    socket: Socket,
    request: RequestHead,
    body: IncomingBody,
    context: ClientContext,
    listener: ListenerContext,
  ) {
    this.#socket = socket;
    this.#request = request;
    this.#body = body;
    this.#context = context;
    this.#listener = listener;
  }

  /** Begins with the answer to the request that was just read. */
  begin(): void {
    this.bytes = 0;
    this.headBytes = 0;
    this.keepAlive = this.#request.keepAlive;
    this.hasBegun = false;
    this.#framing = Framing.NONE;
    this.#gathered = '';
  }

  get isBehind(): boolean {
    return this.#socket.writableLength > 0;
  }

  sayContinue(): void {
    this.#gatherHead(CONTINUE);
    this.flush();
  }

  interim(response: ResponseHead): void {
    this.#gatherHead(`${lineAndKept(response)}\r\n`);
  }

  /** Passes on the upstream's fields but hop-by-hop ones, with our own version and framing (RFC 9110 §2.5, §7.6.1). */
  head(response: ResponseHead, added: string): void {
    this.#framing = framingOf(response, this.#request.old);
    if (this.#framing === Framing.CLOSE || !this.#body.done || this.#context.draining) this.keepAlive = false;
    this.hasBegun = true;
    let out = lineAndKept(response);
    if (this.#framing === Framing.CHUNKED) out += 'Transfer-Encoding: chunked\r\n';
    else if (response.lengthSent) out += `Content-Length: ${response.length}\r\n`;
    if (!this.keepAlive) out += CLOSE;
    else if (this.#request.old) out += KEEP_ALIVE;
    this.#gatherHead(`${out}${added}\r\n`);
  }

  switchProtocols(response: ResponseHead, added: string): void {
    this.keepAlive = false;
    this.hasBegun = true;
    this.#writeOften();
    const connection = `Connection: Upgrade\r\nUpgrade: ${response.upgrade}\r\n`;
    this.#gatherHead(`${lineAndKept(response)}${connection}${added}\r\n`);
    this.flush();
  }

  #gatherHead(text: string): void {
    this.#gathered += text;
    this.headBytes = this.bytes + this.#gathered.length;
  }

  piece(bytes: Buffer, start: number, end: number): boolean {
    const size = end - start;
    const chunked = this.#framing === Framing.CHUNKED;
    if (chunked) this.#gathered += `${size.toString(16)}\r\n`;
    if (this.#gathered.length + size <= (chunked ? GATHER_BYTES : GATHER_LENGTH_BYTES)) {
      this.#gathered += latin1(bytes, start, end);
      if (chunked) this.#gathered += '\r\n';
      return true;
    }
    if (this.#gathered === '') return this.raw(bytes, start, end);
    if (!chunked && this.#gathered.length + size <= JOIN_BYTES) return this.#joined(bytes.subarray(start, end));
    this.#socket.cork();
    this.flush();
    this.raw(bytes, start, end);
    if (chunked) this.#gathered = '\r\n';
    this.flush();
    this.#socket.uncork();
    return this.keepsUp();
  }

  /**
   * Writes a copy, as the read buffer is used again at once. Nobody else reads the copy, so its memory is freed then.
   */
  raw(bytes: Buffer, start: number, end: number): boolean {
    const copy = Buffer.from(bytes.subarray(start, end));
    this.bytes += copy.length;
    if (this.isClosed) return true;
    this.#beforeWrite();
    this.#socket.write(copy, copy.length < WORTH_FREEING ? undefined : () => freeBuffer(copy));
    return this.#socket.writableCorked > 0 || this.keepsUp();
  }

  #joined(piece: Buffer): boolean {
    const head = this.#gathered;
    this.#gathered = '';
    this.bytes += head.length + piece.length;
    if (this.isClosed) return true;
    this.#beforeWrite();
    writeJoined(this.#socket, head, [piece], false, '');
    return this.keepsUp();
  }

  end(trailers: string): boolean {
    if (this.#framing === Framing.CHUNKED) this.#gathered += `0\r\n${trailers}\r\n`;
    return this.flush();
  }

  flush(): boolean {
    if (this.#gathered === '') return true;
    const gathered = this.#gathered;
    this.#gathered = '';
    this.bytes += gathered.length;
    return this.write(gathered);
  }

  own(answer: OwnAnswer, requestId: string, date: string): void {
    const { keepAlive, old, method } = this.#request;
    this.flush();
    // A stream of ours ends with the connection.
    const closes =
      answer.severs || answer.body === undefined || !keepAlive || !this.#body.done || this.#context.draining;
    this.keepAlive = !closes;
    const head = ownHead(answer, requestId, date, closes ? CLOSE : old ? KEEP_ALIVE : '');
    this.#whole(head, method === 'HEAD' ? '' : contentOf(answer));
  }

  /** Answers bytes that make no request. @param isHead they began as a HEAD request */
  ownToUnread(answer: OwnAnswer, requestId: string, date: string, isHead: boolean): void {
    this.bytes = 0;
    this.#whole(ownHead(answer, requestId, date, CLOSE), isHead ? '' : contentOf(answer));
  }

  #whole(head: string, content: string): void {
    this.headBytes = this.bytes + head.length;
    this.bytes += head.length + content.length;
    this.write(head + content);
  }

  write(data: string | Buffer): boolean {
    if (this.isClosed) return true;
    this.#beforeWrite();
    if (typeof data === 'string') this.#socket.write(data, 'latin1');
    else this.#socket.write(data);
    return this.#socket.writableCorked > 0 || this.keepsUp();
  }

  /**
   * A second write must not wait until the first is acknowledged (Nagle's algorithm, RFC 896). A connection for one
   * request mostly has only one, so it is spared both system calls, 8 % of its cost.
   */
  #beforeWrite(): void {
    if (this.#writing === 'not-yet') this.#writing = 'once';
    else if (this.#writing === 'once') this.#writeOften();
  }

  #writeOften(): void {
    if (this.#writing === 'often') return;
    this.#writing = 'often';
    this.#socket.setNoDelay(true);
    this.#socket.setKeepAlive(true);
  }

  endTunnel(): void {
    this.#socket.end();
  }

  /** Uses a reset where an orderly end would make the answer look complete. */
  breakOff(): void {
    this.flush();
    if (this.#framing === Framing.CLOSE) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  /** Something is left to send: the client has to go on taking it. */
  watchSending(): void {
    this.#sendWatch ??= new SendWatch(this.#socket, this.#context, this.#listener);
    this.#sendWatch.begin();
  }

  /** Everything is sent. */
  onSent(): void {
    this.#sendWatch?.end();
  }

  /** The connection is closed. @returns whether the client was cut off because it took nothing */
  close(): boolean {
    this.isClosed = true;
    if (this.#sendWatch === undefined) return false;
    this.#sendWatch.end();
    this.#context.deadlines.forget(this.#sendWatch);
    return this.#sendWatch.hasStalled;
  }

  /** Mostly the kernel has taken everything. Otherwise it is watched that the client goes on taking it. */
  keepsUp(): boolean {
    if (this.#socket.writableLength === 0) return true;
    this.watchSending();
    return !this.#socket.writableNeedDrain;
  }
}

/** How the body is delimited for the client: not at all, by length, by chunks, or by the connection's end. */
function framingOf({ framing }: ResponseHead, oldClient: boolean): FramingKind {
  if (framing === Framing.NONE || framing === Framing.LENGTH) return framing;
  return oldClient ? Framing.CLOSE : Framing.CHUNKED;
}

/**
 * Returns status line and fields. The line is rewritten if its version is not ours, or if the space behind the status
 * is missing, which every server must send (RFC 9112 §4).
 */
function lineAndKept({ head }: ResponseHead): string {
  const { text, lineEnd } = head;
  if (text.charCodeAt(7) === 49 && lineEnd > 12) return head.kept(true);
  return `HTTP/1.1${text.slice(8, lineEnd)}${lineEnd === 12 ? ' ' : ''}\r\n${head.kept()}`;
}
