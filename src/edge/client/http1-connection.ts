import type { Socket } from 'node:net';
import type { RefusalCode } from '../../model/refusals.ts';
import type { Downstream } from '../exchange/downstream.ts';
import { Exchange } from '../exchange/exchange.ts';
import { BodyReader, BodyStep } from '../http1/body.ts';
import { Fault, type FaultText } from '../http1/faults.ts';
import { RequestHead } from '../http1/request.ts';
import type { DeadlineEntry } from '../io/deadlines.ts';
import type { IdleConnection, IdleList } from '../io/idle-connections.ts';
import { readShared, toKeep } from '../io/shared-read.ts';
import { disown, own, type SocketOwner } from '../io/socket-owner.ts';
import { takePieces } from './body-pieces.ts';
import { ClientPeer } from './client-peer.ts';
import type { ClientContext } from './context.ts';
import { Http1Writer } from './http1-writer.ts';
import { ClientSession } from './http2/client-session.ts';
import type { ClientConnection, ListenerContext } from './listener-context.ts';
import { PREFACE_LINE, RequestReader, type RequestTaker } from './request-reader.ts';
import { AlertWriter, answerUnread } from './unread-request.ts';

/**
 * `proxy-header`: a PROXY protocol header has to come first. `idle`: between requests. `head`: a part of a head came.
 * `exchange`: a request is being served. `flushing`: it is served, but the client has to take the answer before more is
 * read. `resting`: more requests are here, but other connections have their turn. `lingering`: the last answer is
 * written, and what the client still sends is dropped until it closes. `http2`: a session of HTTP/2 has the connection.
 */
type Phase = 'proxy-header' | 'idle' | 'head' | 'exchange' | 'flushing' | 'resting' | 'lingering' | 'http2' | 'closed';

/**
 * How long a client may go on sending after our FIN before it is cut off, ms. It may send any amount in that time: many
 * clients read no answer before they have sent their whole body, and a cut would lose it.
 */
const LINGER_MS = 2000;
const PREFACE_HEAD = Buffer.from(`${PREFACE_LINE}\r\n`);

/** One client's connection of HTTP/1.1. It reads requests one after the other, and hands each to its exchange. */
export class Http1Connection
  implements Downstream, ClientConnection, RequestTaker, DeadlineEntry, IdleConnection, SocketOwner
{
  deadline = 0;
  filed = 0;
  slotPlace = 0;
  place = 0;
  previousIdle: IdleConnection | undefined;
  nextIdle: IdleConnection | undefined;
  idleIn: IdleList | undefined;
  silentSince: number;
  readonly mayPause = false;
  readonly request = new RequestHead();
  readonly body = new BodyReader();
  readonly peer: ClientPeer;
  readonly answer: Http1Writer;
  hasEnded = false;
  /** Until the client is told to go on, it cannot be slow. */
  awaitsContinue = false;
  readonly #socket: Socket;
  readonly #context: ClientContext;
  readonly #listener: ListenerContext;
  readonly #exchange: Exchange;
  readonly #reader: RequestReader;
  #phase: Phase = 'idle';
  /** It still has its place among the connections of its listener. */
  #hasPlace = true;

  /** @param known the other end, where that is known and counted already */
  constructor(socket: Socket, context: ClientContext, listener: ListenerContext, known?: ClientPeer) {
    this.#socket = socket;
    this.#context = context;
    this.#listener = listener;
    this.peer = known ?? new ClientPeer(socket, context, listener);
    this.answer = new Http1Writer(socket, this.request, this.body, context, listener);
    this.#reader = new RequestReader(this.request, this, context, listener);
    this.#exchange = new Exchange(this, context);
    readShared(socket, (bytes, size) => this.#onRead(bytes, size));
    own(socket, this);
    listener.connections.add(this);
    listener.open++;
    this.silentSince = context.clock.now();
    listener.idle.open(this);
    context.deadlines.arm(this, listener.timeouts.headMs, this.silentSince);
    if (known !== undefined) return;
    if (listener.proxyProtocol) {
      this.#phase = 'proxy-header';
    } else {
      this.peer.meet();
      this.#takePeer();
    }
  }

  /** The other end is known now: counts the connection among its connections. */
  #takePeer(): void {
    if (this.peer.enter()) this.refuseUnread('CONNECTION_LIMIT');
  }

  get version(): '1.0' | '1.1' {
    return this.request.old ? '1.0' : '1.1';
  }

  get isIdle(): boolean {
    return this.#phase === 'idle';
  }

  /** Whether a request is being served. */
  get isServing(): boolean {
    return this.#phase === 'exchange';
  }

  pauseReading(): void {
    this.#socket.pause();
    this.#context.deadlines.disarm(this);
  }

  /** Reads on, unless enough of the following requests is here already. */
  resumeReading(): void {
    if (this.#phase === 'closed' || this.#reader.isFull) return;
    this.#readOn();
    if (this.#phase === 'exchange' && !this.body.done) this.#armBody();
  }

  /** Twice for each request, and mostly it reads already: to resume it then costs 1 % of a small request. */
  #readOn(): void {
    if (this.#socket.isPaused()) this.#socket.resume();
  }

  sayContinue(): void {
    this.answer.sayContinue();
    this.onContinue();
  }

  onContinue(): void {
    this.awaitsContinue = false;
    if (!this.body.done && !this.#socket.isPaused()) this.#armBody();
  }

  /** More of the body has to come in time. */
  #armBody(): void {
    if (!this.awaitsContinue) this.#context.deadlines.arm(this, this.#listener.timeouts.bodyMs);
  }

  takeNoMore(): void {
    this.request.keepAlive = false;
  }

  takePending(): Buffer | undefined {
    return this.#reader.takePending();
  }

  abort(): void {
    this.#socket.destroy();
  }

  /** If no other request follows, it lingers: reads and drops what comes, so that no reset overtakes the answer. */
  finish(now?: number): void {
    if (this.#phase === 'closed') return;
    if (!this.answer.keepAlive || this.#isSpent || this.#context.draining) {
      this.#linger();
    } else if (this.answer.keepsUp()) {
      this.#becomeIdle(now);
    } else {
      // Otherwise a client that keeps asking and takes no answer would fill the memory.
      this.#phase = 'flushing';
      this.#context.deadlines.disarm(this);
      this.#socket.pause();
    }
  }

  /** The client has ended its side, and all its requests are answered. */
  get #isSpent(): boolean {
    return this.hasEnded && this.#reader.pendingSize === 0;
  }

  #becomeIdle(now?: number): void {
    if (this.#isSpent) {
      this.#linger();
      return;
    }
    this.#phase = 'idle';
    if (this.#reader.pendingSize === 0) this.#listener.idle.rest(this);
    this.#context.deadlines.arm(this, this.#listener.timeouts.keepAliveMs, now);
    this.#readOn();
    this.#reader.readPending();
    // A drain may have begun while the client took its answer, and passed over this connection.
    if (this.#context.draining) this.drain(this.#context.handingOver);
  }

  giveWay(isNew: boolean): void {
    if (!isNew) {
      this.#socket.destroy();
      return;
    }
    const mayLinger = this.#listener.connectionLimit.keep(this.#socket);
    this.#losePlace();
    this.refuseUnread('CONNECTION_LIMIT');
    // There is no room to wait for what the client sends, so it may lose the answer.
    if (!mayLinger) this.#socket.destroySoon();
  }

  #losePlace(): void {
    if (!this.#hasPlace) return;
    this.#hasPlace = false;
    this.#listener.connections.delete(this);
    this.#listener.open--;
  }

  drain(handingOver: boolean): void {
    if (handingOver) return;
    if (this.#phase === 'idle' || this.#phase === 'proxy-header') this.#linger();
  }

  onDeadline(): void {
    if (this.#phase === 'idle') this.#linger();
    else if (this.#phase === 'head') this.refuseUnread('HEAD_TIMEOUT', this.#reader.partial);
    else if (this.#phase === 'exchange') this.#exchange.onBodyTimeout();
    else this.#socket.destroy();
  }

  /** Heads are read in place. Anything else may have to be kept, so a copy of it is read. */
  #onRead(bytes: Buffer, size: number): void {
    if (this.#phase === 'idle' || this.#phase === 'head') this.#reader.read(bytes, size);
    else if (this.#phase !== 'lingering') this.#onData(toKeep(bytes.subarray(0, size)));
  }

  #onData(chunk: Buffer): void {
    if (this.#phase === 'proxy-header') {
      this.#readProxyHeader(chunk);
    } else if (this.#phase === 'exchange') {
      if (this.#exchange.transfer.isTunnel) this.#exchange.transfer.sendRaw(chunk);
      else if (this.body.done) this.#addPending(chunk);
      else this.#readBody(chunk, 0, true);
    } else if (this.#phase === 'flushing' || this.#phase === 'resting') {
      this.#addPending(chunk);
    } else if (this.#phase !== 'closed' && this.#phase !== 'lingering') {
      this.#reader.read(chunk, chunk.length);
    }
  }

  #readProxyHeader(chunk: Buffer): void {
    const rest = this.peer.readProxyHeader(chunk);
    if (rest === 'broken') this.#socket.destroy();
    if (typeof rest === 'string') return;
    this.#phase = 'idle';
    this.#takePeer();
    if (rest.length > 0) this.#onData(rest);
  }

  /** Leaves the requests that are there for later; until then none is read. */
  rest(): void {
    this.#phase = 'resting';
    this.#context.deadlines.disarm(this);
    this.#socket.pause();
    // This is no matter of time: all other sockets that have something are read first.
    setImmediate(() => {
      if (this.#phase === 'resting') this.#becomeIdle();
    });
  }

  awaitsHead(text: string): boolean {
    // Some clients send an empty line behind a body. No request has begun with it.
    if (text === '\r' || text === '\r\n') {
      if (this.hasEnded) this.#linger();
      else if (this.idleIn === undefined) this.#listener.idle.rest(this);
      return false;
    }
    if (this.hasEnded) {
      this.refuseUnread('BAD_REQUEST', text, Fault.INCOMPLETE);
      return false;
    }
    if (this.#phase === 'idle') this.#context.deadlines.arm(this, this.#listener.timeouts.headMs);
    this.#phase = 'head';
    this.#listener.idle.leave(this);
    return true;
  }

  /** A request begins. Its body is read as far as it is here, so that a small one leaves in one write with the head. */
  serve(read: Buffer, at: number, size: number): void {
    const { request } = this;
    // The access log needs it, and a closed socket does not know it any more.
    if (this.#context.access !== undefined) this.peer.noteLocalAddress();
    this.#phase = 'exchange';
    this.#listener.idle.leave(this);
    this.#context.deadlines.disarm(this);
    const now = this.#context.clock.now();
    this.#reader.noteLastByte(now);
    this.answer.begin();
    this.#exchange.prepare(now);
    this.body.begin(request.framing, request.length, this.#listener.limits);
    this.awaitsContinue = request.expectContinue && at === size;
    if (this.body.done) {
      if (at < size) this.#addPending(toKeep(read.subarray(at, size)));
      this.#exchange.begin();
      return;
    }
    if (!this.#readBody(read.subarray(0, size), at, false)) return;
    if (!this.body.done) {
      if (this.hasEnded) {
        this.abort();
        return;
      }
      this.#armBody();
    }
    this.#exchange.begin();
    // Mostly it is sent by now without a copy, which saves 5 µs for 10 KiB.
    this.#exchange.body.keep();
  }

  /** @returns whether the body's framing is sound so far */
  #readBody(chunk: Buffer, from: number, rearm: boolean): boolean {
    const { body } = this;
    body.at = from;
    if (rearm) this.awaitsContinue = false;
    switch (takePieces(body, chunk, this.#exchange, this)) {
      case BodyStep.MORE:
        // A client that we do not read from cannot be slow.
        if (rearm && !this.#socket.isPaused()) this.#armBody();
        return true;
      case BodyStep.END:
        this.#context.deadlines.disarm(this);
        if (rearm) this.#reader.noteLastByte(this.#context.clock.now());
        if (body.at < chunk.length) this.#addPending(toKeep(chunk.subarray(body.at)));
        this.#exchange.onRequestEnd();
        return true;
      case BodyStep.BROKEN:
        this.#exchange.onRequestBroken();
        return false;
      default:
        return false;
    }
  }

  #addPending(chunk: Buffer): void {
    this.#reader.keep(chunk);
    if (this.#reader.isFull) this.#socket.pause();
  }

  speakHttp2(rest: Buffer): boolean {
    if (!this.#listener.priorKnowledge) return false;
    this.#phase = 'http2';
    this.#listener.idle.leave(this);
    this.#losePlace();
    this.#context.deadlines.forget(this);
    const first = Buffer.concat([PREFACE_HEAD, rest]);
    disown(this.#socket);
    new ClientSession(this.#socket, this.peer, this.#context, this.#listener, first);
    return true;
  }

  refuseUnread(code: RefusalCode, text = '', fault?: FaultText): void {
    this.#reader.forget();
    const isTls = fault === Fault.TLS_REQUEST && this.#reader.hasReadNone;
    const writer = isTls ? new AlertWriter(this.#socket) : this.answer;
    answerUnread({ code, fault }, text, '1.1', writer, this.peer, this.#context);
    this.#linger();
  }

  #linger(): void {
    this.#phase = 'lingering';
    this.#listener.idle.leave(this);
    this.#reader.forget();
    this.#socket.end();
    this.#socket.resume();
    // The rest of the answer goes first, as slowly as the client takes it.
    if (this.#socket.writableLength === 0) {
      this.#awaitEnd();
    } else {
      this.#context.deadlines.disarm(this);
      this.answer.watchSending();
    }
  }

  onFinish(): void {
    this.answer.onSent();
    if (this.#phase === 'lingering') this.#awaitEnd();
  }

  /** Everything is sent: waits for the client to close the connection. */
  #awaitEnd(): void {
    if (this.#hasPlace) this.#listener.idle.end(this);
    this.#context.deadlines.arm(this, LINGER_MS);
  }

  onDrain(): void {
    this.answer.onSent();
    if (this.#phase === 'flushing') this.#becomeIdle();
    else this.#exchange.transfer.onClientDrain();
  }

  onEnd(): void {
    this.hasEnded = true;
    if (this.#phase === 'exchange') {
      this.#onEndWhileServing();
    } else if (this.#phase === 'head') {
      this.refuseUnread('BAD_REQUEST', this.#reader.partial, Fault.INCOMPLETE);
    } else if (this.#phase === 'flushing' || this.#phase === 'resting') {
      if (!this.#reader.hasJustRead) this.#reader.dropPending();
      if (this.#isSpent) this.#linger();
    }
    // A second end makes Node build an error, which is 4 % of a connection with one request.
    else if (this.#phase !== 'lingering') this.#socket.end();
  }

  /** Requests behind the present one are answered only after a half-close. */
  #onEndWhileServing(): void {
    const isBehind = this.#reader.hasJustRead;
    const { answer } = this;
    if (this.#reader.pendingSize === 0 || (answer.hasBegun && !isBehind)) answer.keepAlive = false;
    this.#exchange.onClientEnd(isBehind);
  }

  onClosed(): void {
    if (this.#phase === 'closed') return;
    const serving = this.#phase === 'exchange';
    this.#phase = 'closed';
    const hasStalled = this.answer.close();
    this.#listener.idle.leave(this);
    this.#losePlace();
    this.peer.leave();
    this.#reader.forget();
    if (serving) this.#exchange.onClientGone(hasStalled);
    // Otherwise the wheel would keep the whole connection until its deadline.
    this.#context.deadlines.forget(this);
    this.#exchange.forget();
  }
}
