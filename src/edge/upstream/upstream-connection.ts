import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { AnswerLimits } from '../../model/settings.ts';
import type { Member, Members } from '../../util/members.ts';
import { BodyReader, BodyStep } from '../http1/body.ts';
import { Fault, type FaultText, strangerIn } from '../http1/faults.ts';
import { Framing, type FramingKind } from '../http1/framing.ts';
import { HeadFinder, hasBareLineFeed } from '../http1/head-finder.ts';
import { ResponseHead } from '../http1/response.ts';
import { freeBuffer, WORTH_FREEING } from '../io/free-buffer.ts';
import { sharedReadBuffer } from '../io/shared-read.ts';
import { own, ownerOf, type SocketOwner } from '../io/socket-owner.ts';
import { writeEnd, writeMessage, writePiece } from './body-writer.ts';
import type { Carrier, CarrierPhase, UpstreamConsumer, UpstreamFailure, UpstreamOpener } from './carrier.ts';
import { type Address, dial, dialFault } from './dial.ts';
import { isHandshakeError } from './handshake-faults.ts';
import type { HttpProxyEngine } from './http-proxy-engine.ts';
import type { Transport } from './transport.ts';

/** What connections lead to, and who keeps them. */
export interface Destination extends Address {
  /** Bounds on answers. */
  readonly limits: AnswerLimits;
  /** Whether connections without a request are kept. */
  readonly keepsIdle: boolean;
  /** All open connections, the idle ones included. */
  readonly connections: Members<OpenConnection>;
  /** An idle connection closed by itself. */
  forget(connection: UpstreamConnection): void;
  /** Keeps a connection for the next request. */
  putIdle(connection: UpstreamConnection, now: number): void;
  /** A connection closed unasked. */
  lost(wasIdle: boolean): void;
}

/** A connection to an endpoint, of whatever protocol. */
export interface OpenConnection extends Member {
  destroy(): void;
}

/** A connection that was used more than once, and last so shortly before, is hardly stale, ms. */
const BUSY_MS = 10;

/**
 * One connection to an endpoint, or to an address that is probed. HTTP/1.1 responses come in; its consumer writes the
 * rest.
 */
export class UpstreamConnection implements Carrier, OpenConnection, SocketOwner {
  readonly #destination: Destination;
  readonly socket: Duplex;
  readonly response = new ResponseHead();
  readonly body = new BodyReader();
  /** What it broke, when its bytes cannot be trusted. */
  fault: FaultText | undefined;
  /** Owned by its destination. */
  place = 0;
  /** Requests sent on it so far. */
  uses = 0;
  readonly mayGiveBack = false;
  /** How it was opened; undefined: as a plain socket. */
  readonly transport: Transport | undefined;
  errorCode = '';
  reason = '';
  /** When it became idle, the clock's ms. */
  idleSince = 0;
  #phase: CarrierPhase = 'connecting';
  /** The other end has taken the connection, and a TLS handshake follows. */
  #isAccepted = false;
  /** While it is connecting. */
  #opener: UpstreamOpener | undefined;
  #consumer: UpstreamConsumer | undefined;
  readonly #finder = new HeadFinder(false);
  #answering = false;
  /** Set when no more can come than what is unread. */
  #onResume: (() => void) | undefined;

  /** @param preface sent before anything else: a PROXY header */
  constructor(destination: Destination, opener: UpstreamOpener, preface?: Buffer) {
    this.#destination = destination;
    this.#opener = opener;
    const { transport } = destination;
    this.transport = transport;
    this.socket =
      transport?.engine === undefined ? this.#connect(destination, preface) : this.#connectThrough(transport.engine);
    own(this.socket, this);
    if (transport?.tls !== undefined) this.socket.once('secureConnect', () => this.#onReady());
    destination.connections.add(this);
  }

  #connect(destination: Destination, preface: Buffer | undefined): Duplex {
    const callback = (size: number, bytes: Uint8Array) => {
      this.#onRead(bytes as Buffer, size);
      return true;
    };
    const socket = dial(destination, { buffer: sharedReadBuffer, callback }, preface);
    if (preface !== undefined && destination.transport?.tls !== undefined) {
      socket.on('data', (bytes: Buffer) => this.#onRead(bytes, bytes.length));
    }
    socket.destroy = destroyUnlessRead;
    return socket;
  }

  /**
   * Reads on after a failed write, for which Node would close the socket at once. The upstream is gone without reading
   * everything, but what it sent before may be the answer, such as a 413. If two turns of the event loop bring no more
   * of it, there is none.
   * @returns whether anybody wants the answer
   */
  readRest(socket: Socket, giveUp: () => void): boolean {
    if (this.#consumer === undefined) return false;
    const look = () => {
      const before = socket.bytesRead;
      const lookAgain = () => {
        if (socket.bytesRead !== before) look();
        else if (!socket.isPaused()) giveUp();
      };
      // The first turn may come before the sockets are polled, the second comes after that.
      setImmediate(() => setImmediate(lookAgain));
    };
    this.#onResume = look;
    look();
    return true;
  }

  #connectThrough(engine: HttpProxyEngine): Duplex {
    const socket = engine.connect(this.#destination.host, this.#destination.port);
    socket.on('data', (bytes: Buffer) => this.#onRead(bytes, bytes.length));
    return socket;
  }

  get phase(): CarrierPhase {
    return this.#phase;
  }

  get trailers(): string {
    return this.body.trailers;
  }

  get hasEnded(): boolean {
    return this.socket.readableEnded;
  }

  /** Whether a request may be sent on it. */
  get usable(): boolean {
    return this.#phase === 'idle' && this.socket.writable && !this.socket.readableEnded;
  }

  /**
   * Whether its upstream may have closed it just now: it has been idle for a while, or never served a second request.
   */
  mayBeStale(now: number): boolean {
    return this.uses < 2 || now - this.idleSince >= BUSY_MS;
  }

  /** Whether any byte of a response came, even of an interim one. Such a request is not sent again. */
  get isAnswering(): boolean {
    return this.#answering;
  }

  /** Takes an idle connection for one request, which is written next. */
  take(consumer: UpstreamConsumer): void {
    this.#consumer = consumer;
    this.#phase = 'head';
    this.#answering = false;
    this.uses++;
  }

  /** Passes bytes through unchanged from here on, after a 101. */
  tunnel(): void {
    this.#phase = 'tunnel';
  }

  begin(
    head: string,
    pieces: readonly Buffer[],
    bytes: number,
    framing: FramingKind,
    done: boolean,
    trailers: string,
  ): boolean {
    return writeMessage(this.socket, head, pieces, bytes, framing, done, trailers);
  }

  /** @param read its memory is freed when the piece is sent */
  send(piece: Buffer, framing: FramingKind, read?: Buffer): boolean {
    // An engine may still hold bytes that count as sent.
    const spent = read !== undefined && read.length >= WORTH_FREEING && this.transport?.engine === undefined;
    return writePiece(this.socket, piece, framing, spent ? () => freeBuffer(read) : undefined);
  }

  /** Sends the end of a body where its framing has one. */
  sendEnd(framing: FramingKind, trailers: string): void {
    writeEnd(this.socket, framing, trailers);
  }

  endTunnel(): void {
    this.socket.end();
  }

  giveBack(isSent: boolean, now: number): void {
    // A slow client may have paused it.
    if (this.#phase === 'idle') this.resumeReading();
    if (isSent && this.usable) this.#destination.putIdle(this, now);
    else this.destroy();
  }

  pauseReading(): void {
    this.socket.pause();
  }

  resumeReading(): void {
    this.socket.resume();
    this.#onResume?.();
  }

  /** Closes it without telling anybody. */
  destroy(): void {
    this.#abandon();
    this.socket.destroy();
  }

  /** The same by a reset, where there can be one: the upstream takes nothing for complete. */
  reset(): void {
    this.#abandon();
    if (this.socket instanceof Socket) this.socket.resetAndDestroy();
    else this.socket.destroy();
  }

  #abandon(): void {
    this.#opener = undefined;
    this.#consumer = undefined;
    this.#phase = 'closed';
    this.#destination.connections.delete(this);
  }

  /** The other end has taken the connection; a TLS handshake may follow. */
  onConnect(): void {
    if (this.transport?.tls === undefined) this.#onReady();
    else this.#isAccepted = true;
  }

  #onReady(): void {
    if (this.#phase !== 'connecting') return;
    this.#phase = 'idle';
    this.#destination.wasReached = true;
    const opener = this.#opener;
    this.#opener = undefined;
    opener?.onConnected(this);
  }

  /** To close without an error within a handshake is one. */
  onClosed(): void {
    if (this.#phase === 'connecting' && this.#isAccepted) this.onError({ code: 'ECONNRESET' } as NodeJS.ErrnoException);
    else this.#fail('reset');
  }

  onError(error: NodeJS.ErrnoException): void {
    this.errorCode = error.code ?? '';
    this.#fail(this.#failureOf(error));
  }

  #failureOf(error: NodeJS.ErrnoException): UpstreamFailure {
    const { failure, reason } = dialFault(error, this.#isAccepted, this.#destination);
    // An engine connects only when the request is there. A certificate of ours may be refused behind the handshake.
    const isSilent = this.#phase === 'head' && !this.#answering;
    const isLate = failure === 'want' || this.errorCode === 'ECONNREFUSED';
    const isRefusedLate = failure === 'tls' && isSilent && isHandshakeError(this.errorCode);
    if (this.#phase !== 'connecting' && !isLate && !isRefusedLate) return 'reset';
    this.reason = reason;
    return failure;
  }

  #onRead(bytes: Buffer, size: number): void {
    if (this.#phase === 'tunnel') {
      this.#consumer?.onResponseBody(bytes, 0, size);
      this.#consumer?.onReadEnd();
      return;
    }
    const consumer = this.#consumer;
    if (consumer === undefined) {
      // Nobody asked for these bytes, so what follows on this connection cannot be trusted (RFC 9112 §9.2).
      this.#distrust(Fault.UNASKED);
      return;
    }
    this.#answering = true;
    this.#read(consumer, bytes, size);
    consumer.onReadEnd();
  }

  #read(consumer: UpstreamConsumer, bytes: Buffer, size: number): void {
    let at = 0;
    while (at < size || (this.#phase === 'body' && this.body.done)) {
      if (this.#phase === 'head') {
        at = this.#readHead(consumer, bytes, at, size);
        if (at < 0) return;
      } else if (this.#phase === 'body') {
        const body = this.body;
        body.at = at;
        const step = body.next(bytes, size);
        at = body.at;
        if (step === BodyStep.DATA) consumer.onResponseBody(bytes, body.dataStart, body.dataEnd);
        else if (step === BodyStep.END) {
          this.#finish(consumer, at === size);
          return;
        } else if (step === BodyStep.BROKEN) {
          this.#distrust(body.fault);
          return;
        }
      } else if ((this.#phase as CarrierPhase) === 'tunnel') {
        consumer.onResponseBody(bytes, at, size);
        return;
      } else return;
    }
  }

  /** @returns where the body begins; -1 when more must come, or the connection is lost */
  #readHead(consumer: UpstreamConsumer, bytes: Buffer, at: number, size: number): number {
    const finder = this.#finder;
    const { limits } = this.#destination;
    if (!finder.find(bytes, at, size)) {
      const { partial, checked } = finder;
      const stranger = strangerIn(partial);
      if (stranger !== undefined) this.#distrust(stranger);
      else if (partial.length > limits.head) this.#distrust(Fault.HEAD_TOO_LONG);
      else if (hasBareLineFeed(partial, Math.max(0, checked - 3))) this.#distrust(Fault.BARE_LF);
      return -1;
    }
    const { text } = finder;
    const response = this.response;
    const isLong = text.length > limits.head;
    const isSound = !isLong && response.parse(text, finder.bytes, finder.from, consumer.method, limits.fields);
    finder.forget();
    if (!isSound) {
      this.#distrust(isLong ? Fault.HEAD_TOO_LONG : response.fault);
      return -1;
    }
    if (response.status >= 200 || response.status === 101) {
      this.#phase = 'body';
      this.body.begin(response.framing, response.length, limits);
    }
    consumer.onResponseHead(this);
    return this.#consumer === consumer ? finder.next : -1;
  }

  #finish(consumer: UpstreamConsumer, clean: boolean): void {
    const reusable = clean && this.response.keepAlive && this.body.endsWithConnection === false;
    this.#consumer = undefined;
    this.#phase = 'idle';
    if (!reusable) this.#close();
    consumer.onResponseEnd(this);
  }

  onDrain(): void {
    this.#consumer?.onUpstreamDrain();
  }

  onEnd(): void {
    const consumer = this.#consumer;
    if (this.#phase === 'tunnel') {
      consumer?.onTunnelEnd();
    } else if (this.#phase === 'body' && this.response.framing === Framing.CLOSE && consumer !== undefined) {
      this.#finish(consumer, false);
      consumer.onReadEnd();
    } else if (this.#phase !== 'connecting') {
      // Within a handshake, an error follows.
      this.#lose('reset');
    }
  }

  /** Gives the connection up: its bytes cannot be trusted. */
  #distrust(fault: FaultText): void {
    this.fault = fault;
    this.#lose('protocol');
  }

  #lose(failure: UpstreamFailure): void {
    this.#fail(failure);
    this.socket.destroy();
  }

  #close(): void {
    this.#phase = 'closed';
    this.#destination.connections.delete(this);
    this.socket.destroy();
  }

  #fail(failure: UpstreamFailure): void {
    if (this.#phase === 'closed') return;
    const told = this.#consumer ?? this.#opener;
    this.#consumer = undefined;
    this.#opener = undefined;
    const wasOpen = this.#phase !== 'connecting';
    const wasIdle = this.#phase === 'idle';
    if (wasIdle) this.#destination.forget(this);
    this.#phase = 'closed';
    this.#destination.connections.delete(this);
    if (wasOpen && failure !== 'protocol') this.#destination.lost(wasIdle);
    told?.onUpstreamFailure(this, failure);
  }
}

/** In the place of `Socket.destroy`. */
function destroyUnlessRead(this: Socket, error?: NodeJS.ErrnoException): Socket {
  const giveUp = () => Socket.prototype.destroy.call(this, error);
  const owner = error?.syscall === 'write' ? ownerOf(this) : undefined;
  if (!(owner instanceof UpstreamConnection && owner.readRest(this, giveUp))) giveUp();
  return this;
}
