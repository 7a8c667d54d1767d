import type { Socket } from 'node:net';
import type { RefusalCode } from '../model/refusals.ts';
import { plainAddress } from './client-address.ts';
import type { EdgeContext } from './context.ts';
import type { DeadlineEntry } from './deadlines.ts';
import { Exchange } from './exchange.ts';
import { BodyReader, Step } from './http1/body.ts';
import { findHeadEnd, hasBareLineFeed, latin1 } from './http1/latin1.ts';
import { type HeadLimits, RequestHead } from './http1/request.ts';
import { refusalMessage } from './responses.ts';

/** What connections of one listener share. */
export interface ListenerContext {
  headMs: number;
  bodyMs: number;
  keepAliveMs: number;
  limits: HeadLimits;
  readonly connections: Set<ClientConnection>;
}

/**
 * `idle`: between requests; `head`: a part of one came; `exchange`: a request is being served; `lingering`: the answer
 * is sent, what the client still sends is dropped until it closes.
 */
type Phase = 'idle' | 'head' | 'exchange' | 'lingering' | 'closed';

/** Most bytes of following requests kept while one is served. */
const MAX_PENDING = 64 * 1024;
/** After our FIN: how long, ms, and how many bytes more a client may send before it is cut off. */
const LINGER_MS = 2000;
const LINGER_BYTES = 512 * 1024;

/**
 * One client connection: finds requests in its bytes, one after the other, and hands each to its exchange. Pipelined
 * requests wait for the one before.
 */
export class ClientConnection implements DeadlineEntry {
  deadline = 0;
  filed = 0;
  readonly request = new RequestHead();
  readonly body = new BodyReader();
  /** Address of the other end, IPv4 where it is IPv4-mapped. */
  readonly peer: string;
  readonly localPort: number;
  /** Whether the peer's forwarding fields are believed. */
  readonly trusted: boolean;
  /** Forwarding fields for the upstream that are the same for all requests of an untrusted peer. */
  readonly forwardingFields: string;
  readonly #socket: Socket;
  readonly #context: EdgeContext;
  readonly #listener: ListenerContext;
  readonly #exchange: Exchange;
  #phase: Phase = 'idle';
  /** Beginning of a head, before its end came. */
  #partial = '';
  /** Bytes behind the request that is being served. */
  #pending: Buffer | undefined;
  #lingered = 0;
  /** One empty line before a request is forgiven (RFC 9112 §2.2): it was there. */
  #skippedLine = false;
  /** The client sent its FIN. */
  #ended = false;
  /** Guards against starting the next request from within the end of one. */
  #reading = false;

  constructor(socket: Socket, context: EdgeContext, listener: ListenerContext) {
    this.#socket = socket;
    this.#context = context;
    this.#listener = listener;
    this.peer = plainAddress(socket.remoteAddress ?? '');
    this.localPort = socket.localPort ?? 0;
    this.trusted = context.trusted.has(this.peer);
    this.forwardingFields =
      `X-Forwarded-For: ${this.peer}\r\nX-Real-IP: ${this.peer}\r\n` +
      `X-Forwarded-Proto: http\r\nX-Forwarded-Port: ${this.localPort}\r\n`;
    this.#exchange = new Exchange(this, context);
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('drain', () => this.#exchange.onClientDrain());
    socket.on('end', () => this.#onEnd());
    socket.on('error', () => {});
    socket.on('close', () => this.#onClose());
    listener.connections.add(this);
    context.deadlines.arm(this, listener.headMs);
  }

  /** Address that the client connected to, host:port. */
  get localAddress(): string {
    return `${this.#socket.localAddress ?? ''}:${this.localPort}`;
  }

  get remotePort(): number {
    return this.#socket.remotePort ?? 0;
  }

  /** "The client" of the request being served: the rightmost untrusted address. */
  clientAddress(): string {
    return this.trusted ? this.#context.trusted.client(this.peer, this.request.forwardedFor) : this.peer;
  }

  /** Whether it serves no request. */
  get isIdle(): boolean {
    return this.#phase === 'idle' && this.#partial === '';
  }

  /** Sends; false: the client does not keep up, hold back until `onClientDrain`. */
  write(data: string | Buffer): boolean {
    if (this.#phase === 'closed') return true;
    return typeof data === 'string' ? this.#socket.write(data, 'latin1') : this.#socket.write(data);
  }

  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
  }

  /** Whether everything written was taken by the kernel. */
  get isDrained(): boolean {
    return this.#socket.writableLength === 0;
  }

  pauseReading(): void {
    this.#socket.pause();
    this.#context.deadlines.disarm(this);
  }

  resumeReading(): void {
    if (this.#phase === 'closed') return;
    this.#socket.resume();
    if (this.#phase === 'exchange' && !this.body.done) this.#context.deadlines.arm(this, this.#listener.bodyMs);
  }

  /** The client closes its sending side now: passes that on in a tunnel. */
  endWriting(): void {
    this.#socket.end();
  }

  /** Closes without an orderly end, so that a truncated answer never looks complete. */
  destroy(reset: boolean): void {
    if (reset) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  /**
   * The exchange is over and its answer written.
   * @param keepAlive whether the connection serves another request
   * @param linger whether the client may still be sending: what comes is read and dropped, so that no reset overtakes
   *   the answer (RFC 9112 §9.6)
   */
  finish(keepAlive: boolean, linger: boolean): void {
    if (this.#phase === 'closed') return;
    if (!keepAlive || this.#ended) {
      this.#linger(linger);
      return;
    }
    this.#phase = 'idle';
    this.#context.deadlines.arm(this, this.#listener.keepAliveMs);
    this.#socket.resume();
    if (this.#pending !== undefined && !this.#reading) this.#readPending();
  }

  /** No more requests: an idle connection closes now, a busy one after its answer. */
  drain(): void {
    if (this.isIdle) this.#linger(false);
  }

  onDeadline(): void {
    if (this.#phase === 'idle') this.#linger(false);
    else if (this.#phase === 'head') this.#refuse('HEAD_TIMEOUT');
    else if (this.#phase === 'exchange') this.#exchange.onBodyTimeout();
    else this.#socket.destroy();
  }

  #onData(chunk: Buffer): void {
    if (this.#phase === 'exchange') {
      if (this.#exchange.isTunnel) this.#exchange.onClientTunnel(chunk);
      else if (this.body.done) this.#addPending(chunk);
      else this.#readBody(chunk, 0, true);
    } else if (this.#phase === 'lingering') {
      this.#lingered += chunk.length;
      if (this.#lingered > LINGER_BYTES) this.#socket.destroy();
    } else if (this.#phase !== 'closed') {
      this.#readHeads(chunk);
    }
  }

  /** Serves the requests in `chunk` that can be served at once; stops at the first that takes time. */
  #readHeads(chunk: Buffer): void {
    this.#reading = true;
    let next: Buffer | undefined = chunk;
    while (next !== undefined) {
      this.#readHead(next);
      next = this.#phase === 'idle' ? this.#pending : undefined;
      if (next !== undefined) this.#pending = undefined;
    }
    this.#reading = false;
  }

  #readPending(): void {
    const chunk = this.#pending as Buffer;
    this.#pending = undefined;
    this.#readHeads(chunk);
  }

  #readHead(chunk: Buffer): void {
    let at = 0;
    let text: string;
    const end = this.#partial === '' ? findHeadEnd(chunk, 0, chunk.length) : -1;
    if (end >= 0) {
      if (chunk[0] === 13 && chunk[1] === 10 && end > 0) at = 2;
      text = latin1(chunk, at, end + 2);
      at = end + 4;
    } else {
      const before = this.#partial.length;
      let gathered = this.#partial + latin1(chunk, 0, chunk.length);
      let dropped = 0;
      if (!this.#skippedLine && gathered.startsWith('\r\n') && gathered.length > 2) {
        this.#skippedLine = true;
        gathered = gathered.slice(2);
        dropped = 2;
      }
      const gatheredEnd = gathered.indexOf('\r\n\r\n', Math.max(0, before - dropped - 3));
      if (gatheredEnd < 0) {
        this.#onPartialHead(gathered);
        return;
      }
      this.#partial = '';
      text = gathered.slice(0, gatheredEnd + 2);
      at = gatheredEnd + 4 + dropped - before;
    }
    if (text.length > this.#listener.limits.headBytes) {
      this.#refuse(this.#tooLarge(text));
      return;
    }
    const refusal = this.request.parse(text, this.#listener.limits);
    if (refusal !== undefined) this.#refuse(refusal);
    else this.#serve(chunk, at);
  }

  /** The head is not complete yet: decides whether it can still become one. */
  #onPartialHead(text: string): void {
    if (this.#phase === 'idle') this.#context.deadlines.arm(this, this.#listener.headMs);
    this.#phase = 'head';
    this.#partial = text;
    if (hasBareLineFeed(text)) this.#refuse('BAD_REQUEST');
    else if (text.length > this.#listener.limits.headBytes) this.#refuse(this.#tooLarge(text));
  }

  #tooLarge(text: string): RefusalCode {
    const lineEnd = text.indexOf('\r\n');
    return lineEnd < 0 || lineEnd > this.#listener.limits.targetBytes ? 'TARGET_TOO_LONG' : 'HEAD_TOO_LARGE';
  }

  /** A request begins: what came of its body goes first, so that a small one leaves in one write with its head. */
  #serve(chunk: Buffer, at: number): void {
    const { request } = this;
    this.#phase = 'exchange';
    this.#skippedLine = false;
    this.#context.deadlines.disarm(this);
    this.#exchange.prepare();
    this.body.begin(request.framing, request.length);
    if (this.body.done) {
      if (at < chunk.length) this.#addPending(at === 0 ? chunk : chunk.subarray(at));
      this.#exchange.begin();
      return;
    }
    if (!this.#readBody(chunk, at, false)) return;
    if (!this.body.done) this.#context.deadlines.arm(this, this.#listener.bodyMs);
    this.#exchange.begin();
  }

  /** @returns whether the body's framing is sound so far */
  #readBody(chunk: Buffer, from: number, rearm: boolean): boolean {
    const { body } = this;
    body.at = from;
    for (;;) {
      const step = body.next(chunk, chunk.length);
      if (step === Step.DATA) {
        this.#exchange.onRequestBody(chunk, body.dataStart, body.dataEnd);
        if (this.#phase !== 'exchange') return false;
      } else if (step === Step.MORE) {
        if (rearm) this.#context.deadlines.arm(this, this.#listener.bodyMs);
        break;
      } else if (step === Step.BROKEN) {
        this.#exchange.onRequestBroken();
        return false;
      } else {
        this.#context.deadlines.disarm(this);
        if (body.at < chunk.length) this.#addPending(chunk.subarray(body.at));
        this.#exchange.onRequestEnd();
        break;
      }
    }
    return true;
  }

  #addPending(chunk: Buffer): void {
    this.#pending = this.#pending === undefined ? chunk : Buffer.concat([this.#pending, chunk]);
    if (this.#pending.length > MAX_PENDING) this.#socket.pause();
  }

  /** Bytes that came behind the request, for a tunnel that takes them over. */
  takePending(): Buffer | undefined {
    const pending = this.#pending;
    this.#pending = undefined;
    return pending;
  }

  /** Answers bytes that are no request; the connection cannot be used any more. */
  #refuse(code: RefusalCode): void {
    this.#partial = '';
    this.#pending = undefined;
    this.write(
      refusalMessage(code, {
        requestId: this.#context.requestId(),
        date: this.#context.date(),
        retryAfterMs: undefined,
        html: false,
        head: this.request.method === 'HEAD' && this.#phase === 'exchange',
        close: true,
        oldKeepAlive: false,
      }),
    );
    this.#linger(true);
  }

  #linger(mayBeSending: boolean): void {
    this.#phase = 'lingering';
    this.#lingered = 0;
    this.#pending = undefined;
    this.#partial = '';
    this.#socket.end();
    this.#socket.resume();
    if (this.#ended && !mayBeSending) this.#context.deadlines.arm(this, LINGER_MS * 5);
    else this.#context.deadlines.arm(this, LINGER_MS);
  }

  #onEnd(): void {
    this.#ended = true;
    if (this.#phase === 'exchange') this.#exchange.onClientEnd(this.body.done);
    else if (this.#phase === 'head') this.#refuse('BAD_REQUEST');
    else this.#socket.end();
  }

  #onClose(): void {
    if (this.#phase === 'closed') return;
    const serving = this.#phase === 'exchange';
    this.#phase = 'closed';
    this.#context.deadlines.disarm(this);
    this.#listener.connections.delete(this);
    this.#pending = undefined;
    this.#partial = '';
    if (serving) this.#exchange.onClientGone();
  }
}
