import { connect, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { AnswerLimits } from '../../model/settings.ts';
import type { Members } from '../../util/members.ts';
import { BodyReader, BodyStep } from '../http1/body.ts';
import { Fault, type FaultText, strangerIn } from '../http1/faults.ts';
import { Framing, type FramingKind } from '../http1/framing.ts';
import { HeadFinder, hasBareLineFeed } from '../http1/head-finder.ts';
import { ResponseHead } from '../http1/response.ts';
import { freeBuffer, WORTH_FREEING } from '../io/free-buffer.ts';
import { lookupToConnect } from '../io/loopback-names.ts';
import { sharedReadBuffer } from '../io/shared-read.ts';
import { isOwnWant } from '../io/shortage.ts';
import { own, ownerOf, type SocketOwner } from '../io/socket-owner.ts';
import { writeEnd, writePiece } from './body-writer.ts';
import type { HttpProxyEngine } from './http-proxy-engine.ts';

/** What connections lead to, and who keeps them. */
export interface Destination {
  readonly host: string;
  readonly port: number;
  /** What opens connections; undefined: plain sockets. */
  readonly engine: HttpProxyEngine | undefined;
  /** Bounds on answers. */
  readonly limits: AnswerLimits;
  /** Whether a connection to it ever came about. */
  wasReached: boolean;
  /** All open connections, the idle ones included. */
  readonly connections: Members<UpstreamConnection>;
  /** An idle connection closed by itself. */
  forget(connection: UpstreamConnection): void;
  /** A connection closed unasked. */
  lost(): void;
}

/**
 * Why a connection failed its consumer. `want`: the proxy itself lacked something, and the other end has no part in it.
 */
export type UpstreamFailure = 'refused' | 'timeout' | 'reset' | 'protocol' | 'want';

/** Whoever opens a connection. It is told once. */
export interface UpstreamOpener {
  onConnected(connection: UpstreamConnection): void;
  /** It could not be opened; it is closed already. */
  onUpstreamFailure(connection: UpstreamConnection, failure: UpstreamFailure): void;
}

/** The same in words. */
export const failureWords: Readonly<Record<UpstreamFailure, string>> = {
  refused: 'connection refused',
  timeout: 'no connection in time',
  reset: 'the connection was closed without an answer',
  protocol: 'an answer that is not HTTP',
  want: 'cannot be connected to: this machine or process has too many connections',
};

/** Whether a text is a failure, and not one of the words for something else. */
export function isFailure(text: string): text is UpstreamFailure {
  return Object.hasOwn(failureWords, text);
}

/** Whoever uses a connection: an exchange or a probe. Calls come in the order of the response's parts. */
export interface UpstreamConsumer {
  /** Method of the request that was sent: it decides whether a body follows (RFC 9112 §6.3). */
  readonly method: string;
  /** A head is complete (`connection.response`), an interim one included. */
  onResponseHead(connection: UpstreamConnection): void;
  /** Content. The bytes are only valid during the call. */
  onResponseBody(bytes: Buffer, start: number, end: number): void;
  /** The response is complete. An incomplete one is a failure. */
  onResponseEnd(connection: UpstreamConnection): void;
  /** All bytes of one read are handed over, so what was gathered can be written. */
  onReadEnd(): void;
  /** The upstream takes more request body again. */
  onUpstreamDrain(): void;
  /** The upstream sent its FIN inside a tunnel. */
  onTunnelEnd(): void;
  /** The connection is lost, or its bytes cannot be trusted; it is closed already. */
  onUpstreamFailure(connection: UpstreamConnection, failure: UpstreamFailure): void;
}

type Phase = 'connecting' | 'idle' | 'head' | 'body' | 'tunnel' | 'closed';

/** A connection that was used more than once, and last so shortly before, is hardly stale, ms. */
const BUSY_MS = 10;

/**
 * One connection to an endpoint, or to an address that is probed. HTTP/1.1 responses come in; its consumer writes the
 * rest.
 */
export class UpstreamConnection implements SocketOwner {
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
  /** What opened it; undefined: a plain socket. */
  readonly engine: HttpProxyEngine | undefined;
  /** The system's code, when the failure is `want`. */
  errorCode = '';
  /** When it became idle, the clock's ms. */
  idleSince = 0;
  #phase: Phase = 'connecting';
  /** While it is connecting. */
  #opener: UpstreamOpener | undefined;
  #consumer: UpstreamConsumer | undefined;
  readonly #finder = new HeadFinder(false);
  #answering = false;
  /** Set when no more can come than what is unread. */
  #onResume: (() => void) | undefined;

  constructor(destination: Destination, opener: UpstreamOpener) {
    this.#destination = destination;
    this.#opener = opener;
    this.engine = destination.engine;
    this.socket = this.engine === undefined ? this.#connect(destination) : this.#connectThrough(this.engine);
    own(this.socket, this);
    destination.connections.add(this);
  }

  #connect({ host, port }: Destination): Duplex {
    const callback = (size: number, bytes: Uint8Array) => {
      this.#onRead(bytes as Buffer, size);
      return true;
    };
    const onread = { buffer: sharedReadBuffer, callback };
    const socket = connect({ host, port, lookup: lookupToConnect, noDelay: true, allowHalfOpen: true, onread });
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

  get phase(): Phase {
    return this.#phase;
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

  /**
   * Sends a piece of a body, or bytes of a tunnel.
   * @param read the buffer of the read that ends with this piece, if nobody needs it any more; its memory is freed when
   *   the piece is sent
   * @returns false when the upstream does not keep up
   */
  send(piece: Buffer, framing: FramingKind, read?: Buffer): boolean {
    // An engine may still hold bytes that count as sent.
    const spent = read !== undefined && read.length >= WORTH_FREEING && this.engine === undefined;
    return writePiece(this.socket, piece, framing, spent ? () => freeBuffer(read) : undefined);
  }

  /** Sends the end of a body where its framing has one. */
  sendEnd(framing: FramingKind, trailers: string): void {
    writeEnd(this.socket, framing, trailers);
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

  onConnect(): void {
    if (this.#phase !== 'connecting') return;
    this.#phase = 'idle';
    this.#destination.wasReached = true;
    const opener = this.#opener;
    this.#opener = undefined;
    opener?.onConnected(this);
  }

  onClosed(): void {
    this.#fail('reset');
  }

  onError(error: NodeJS.ErrnoException): void {
    this.errorCode = error.code ?? '';
    this.#fail(failureOf(error, this.#phase, this.#destination));
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
      } else if ((this.#phase as Phase) === 'tunnel') {
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
    } else {
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
    if (this.#phase === 'idle') this.#destination.forget(this);
    this.#phase = 'closed';
    this.#destination.connections.delete(this);
    if (wasOpen && failure !== 'protocol') this.#destination.lost();
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

function failureOf(error: NodeJS.ErrnoException, phase: Phase, { wasReached }: Destination): UpstreamFailure {
  // For an address that was never reached this means that there is none of its kind here, such as ::1 without IPv6.
  const isElsewhere = error.code === 'EADDRNOTAVAIL' && !wasReached;
  if (error.syscall === 'connect' && isOwnWant(error.code) && !isElsewhere) return 'want';
  // An engine connects only when the request is there.
  if (phase !== 'connecting') return error.code === 'ECONNREFUSED' ? 'refused' : 'reset';
  return error.code === 'ETIMEDOUT' ? 'timeout' : 'refused';
}
